"""The local lake and the remotes, each with where it is and where its key lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from app.ui.context import UiContext
from app.ui.shown import shown


@dataclass(frozen=True, slots=True)
class Remote:
    """A stored connection. `key` is `keyring`, `session` or `none`: never the key itself."""

    name: str
    base_url: str
    allow_plain_http: bool
    key: str


class ConnectionList(QListWidget):
    """`chosen` tells a remote's name, "" for the local lake."""

    chosen = Signal(str)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._remotes: list[Remote] = []
        self.setObjectName("connections.list")
        self.setAccessibleName(self.tr("Connections"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(QSize(18, 18))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSpacing(2)
        self.currentRowChanged.connect(self._on_row)
        context.theme.changed.connect(self._fill)
        self._fill()
        self.choose("")

    def show_remotes(self, remotes: Sequence[Remote]) -> None:
        nothing, chosen = self.currentRow() < 0, self.name
        self._remotes = list(remotes)
        self._fill()
        if nothing:
            self.clear_choice()
        else:
            self.choose(chosen)

    @property
    def name(self) -> str:
        """Of the chosen remote; "" for the local lake."""
        remote = self.remote
        return remote.name if remote else ""

    @property
    def remote(self) -> Remote | None:
        row = self.currentRow() - 1
        return self._remotes[row] if 0 <= row < len(self._remotes) else None

    def choose(self, name: str) -> None:
        """Without telling anybody."""
        names = ["", *(remote.name for remote in self._remotes)]
        self.blockSignals(True)
        self.setCurrentRow(names.index(name) if name in names else 0)
        self.blockSignals(False)

    def clear_choice(self) -> None:
        """None of them: a new one is being made."""
        self.blockSignals(True)
        self.setCurrentRow(-1)
        self.blockSignals(False)

    def _on_row(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(self.name)

    def _fill(self) -> None:
        row = self.currentRow()
        self.blockSignals(True)
        self.clear()
        self._add(self.tr("Local lake"), self.tr("on this machine"), "hard-drive", "")
        icons = {"keyring": "key-round", "session": "clock", "none": "circle-alert"}
        words = {
            "keyring": self.tr("key in the keyring"),
            "session": self.tr("key for this session"),
            "none": self.tr("no key"),
        }
        for remote in self._remotes:
            self._add(
                shown(remote.name),
                words.get(remote.key, remote.key),
                icons.get(remote.key, "server"),
                shown(remote.base_url),
            )
        self.setCurrentRow(row)
        self.blockSignals(False)

    def _add(self, name: str, state: str, icon: str, tip: str) -> None:
        item = QListWidgetItem(f"{name}\n{state}")
        color = self._context.theme.tokens.muted
        item.setIcon(self._context.theme.icons.icon(icon, color))
        item.setToolTip(tip or name)
        item.setSizeHint(QSize(100, 2 * self.fontMetrics().height() + 18))
        self.addItem(item)

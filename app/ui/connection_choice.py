"""Which server a page shows: the local lake, or one of the remotes."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown

LOCAL = "local"


class ConnectionChoice(QComboBox):
    """`chosen` tells the name a person picked, and the local lake's when the chosen one is gone."""

    chosen = Signal(str)

    def __init__(self, context: UiContext, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setObjectName(name)
        self.setAccessibleName(self.tr("Connection"))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(18)
        self._list([LOCAL])
        self.activated.connect(lambda row: self.chosen.emit(str(self.itemData(row))))
        context.navigator.connection_renamed.connect(self._rename)
        context.navigator.connections_changed.connect(self.look)

    @property
    def name(self) -> str:
        return str(self.currentData())

    def choose(self, name: str) -> None:
        if self.findData(name) < 0:
            self.addItem(shown(self._context.states.connection(name)), name)
        self.setCurrentIndex(self.findData(name))

    def look(self) -> None:
        """Asks for the remotes again."""
        self._context.link.ask("connections", self._take, owner=self)

    def _take(self, result: Result) -> None:
        before = self.name
        self._list([LOCAL, *(str(row["name"]) for row in result["connections"])])
        row = self.findData(before)
        self.setCurrentIndex(max(row, 0))
        if row < 0:
            self.chosen.emit(LOCAL)

    def _rename(self, before: str, now: str) -> None:
        row = self.findData(before)
        if row >= 0:
            self.setItemData(row, now)
            self.setItemText(row, shown(now))

    def _list(self, names: list[str]) -> None:
        if [self.itemData(row) for row in range(self.count())] == names:
            return
        self.clear()
        for name in names:
            self.addItem(shown(self._context.states.connection(name)), name)

"""Where the local lake lies, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.connections import LOCAL
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.widgets.buttons import ElidedLabel, button, label


class LocalLakePanel(QWidget):
    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files = ""
        words = label(
            self.tr("Files uploaded here stay on this machine. It needs no account and no key."),
            role="muted",
        )
        words.setWordWrap(True)
        self._place = ElidedLabel(middle=True)
        self._place.setObjectName("connections.lakeFolder")
        self._open = button(
            context.theme, self.tr("Open folder"), name="connections.openFolder", icon="folder"
        )
        self._open.setEnabled(False)
        self._open.clicked.connect(self._open_folder)
        use = button(
            context.theme,
            self.tr("Use for a new upload"),
            name="connections.useLocal",
            icon="upload",
        )
        use.clicked.connect(lambda: context.navigator.new_upload.emit(LOCAL))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._open)
        buttons.addWidget(use)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(self.tr("Local lake"), role="heading"))
        column.addWidget(words)
        column.addWidget(self._place)
        column.addLayout(buttons)

    def take(self, lake: Result) -> None:
        """The engine's answer: its folders."""
        self._files = str(lake["files"])
        self._place.setText(self._files)
        self._open.setEnabled(True)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._files))

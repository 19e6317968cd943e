"""The place that says where to drop, with the buttons for those who do not drag."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.context import UiContext
from app.ui.widgets.buttons import ElidedLabel, button, label, restyle

_TEXT_WIDTH = 420


class DropZone(QFrame):
    """Large where there is nothing else on the page, one line above a table of files."""

    add_files = Signal()
    add_folder = Signal()

    def __init__(
        self, context: UiContext, *, large: bool, names: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._files = files = button(
            context.theme, self.tr("Add files…"), name=f"{names}.addFiles", icon="file-plus"
        )
        self._size = 40 if large else 20
        self.setObjectName("dropZone")
        self._icon = QLabel()
        folder = button(
            context.theme, self.tr("Add folder…"), name=f"{names}.addFolder", icon="folder-plus"
        )
        files.clicked.connect(self.add_files)
        folder.clicked.connect(self.add_folder)
        if large:
            self._lay_out_large(files, folder)
        else:
            self._lay_out_line(files, folder)
        context.theme.changed.connect(self._draw)
        self._draw()

    def take_keyboard(self) -> None:
        self._files.setFocus()

    def show_over(self, over: bool) -> None:
        """While something is dragged over the window."""
        restyle(self, over=over)

    def _lay_out_large(self, files: QWidget, folder: QWidget) -> None:
        title = label(self.tr("Drop files or folders here"), role="title")
        text = label(
            self.tr(
                "They go into the lake on this machine; no account is needed. Nothing is uploaded "
                "before you press Start."
            ),
            role="lead",
        )
        text.setWordWrap(True)
        text.setMinimumWidth(_TEXT_WIDTH)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(files)
        buttons.addWidget(folder)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 24, 32, 24)
        column.setSpacing(10)
        column.addStretch(2)
        for widget in (self._icon, title, text):
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget)
            row.addStretch(1)
            column.addLayout(row)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(3)

    def _lay_out_line(self, files: QWidget, folder: QWidget) -> None:
        words = ElidedLabel(self.tr("Drop or paste files and folders here"))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(words, 1)
        row.addWidget(files)
        row.addWidget(folder)

    def _draw(self) -> None:
        color = self._context.theme.tokens.accent
        self._icon.setPixmap(self._context.theme.icons.pixmap("folder-up", color, self._size))

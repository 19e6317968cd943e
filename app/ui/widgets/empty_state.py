"""What stands where there is nothing yet: a picture, a sentence, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.widgets.buttons import label


class EmptyState(QWidget):
    def __init__(self, theme: Theme, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icon_name = theme, icon
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label(role="heading")
        self._text = label(role="muted")
        for words in (self._title, self._text):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._icon)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addStretch(2)
        theme.changed.connect(self._draw)
        self._draw()

    def tell(self, title: str, text: str = "", icon: str = "") -> None:
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        if icon and icon != self._icon_name:
            self._icon_name = icon
            self._draw()

    @property
    def words(self) -> str:
        return f"{self._title.text()} {self._text.text()}".strip()

    def _draw(self) -> None:
        pixmap = self._theme.icons.pixmap(self._icon_name, self._theme.tokens.muted, 32)
        self._icon.setPixmap(pixmap)

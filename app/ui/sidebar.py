"""The way between the pages; icons alone where the window is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.theme import Theme
from app.ui.widgets.buttons import button, restyle

_WIDE, _NARROW = 184, 60


class Destination(NamedTuple):
    text: str
    icon: str
    name: str  # object name


class Sidebar(QFrame):
    """`chosen` tells the number of the page that a person wants."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, pages: Sequence[Destination], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self._theme = theme
        self._pages = pages
        self._is_narrow = False
        self._mark = QLabel(self)
        self._brand = QLabel("LakeDrop", self)
        self._brand.setObjectName("brand")
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 14)
        head.setSpacing(8)
        head.addWidget(self._mark)
        head.addWidget(self._brand, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 10, 12)
        column.setSpacing(3)
        column.addLayout(head)
        self._group = QButtonGroup(self)
        self._buttons: list[QPushButton] = []
        for number, page in enumerate(pages):
            made = button(theme, page.text, name=page.name, icon=page.icon, kind="nav")
            made.setCheckable(True)
            self._group.addButton(made, number)
            self._buttons.append(made)
            column.addWidget(made)
        column.addStretch(1)
        self._group.idClicked.connect(self.chosen)
        self.setFixedWidth(_WIDE)
        theme.changed.connect(self._draw_mark)
        self._draw_mark()

    def show_chosen(self, number: int) -> None:
        self._buttons[number].setChecked(True)

    def set_narrow(self, narrow: bool) -> None:
        if narrow == self._is_narrow:
            return
        self._is_narrow = narrow
        self.setFixedWidth(_NARROW if narrow else _WIDE)
        self._brand.setVisible(not narrow)
        for made, page in zip(self._buttons, self._pages, strict=True):
            made.setText("" if narrow else page.text)
            made.setToolTip(page.text if narrow else "")
            restyle(made, narrow=narrow)

    def _draw_mark(self) -> None:
        tokens = self._theme.tokens
        self._mark.setPixmap(self._theme.icons.pixmap("arrow-up-from-line", tokens.accent, 20))

"""One choice of a few, side by side, as two buttons that share a frame."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget


class Segmented(QFrame):
    """`chosen` tells the number of the choice that a person made, not what `choose` set."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("segmented")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3, 3, 3, 3)
        self._row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self.chosen)

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """(text, object name) of each; the first is chosen."""
        for number, (text, name) in enumerate(choices):
            choice = QPushButton(text, self)
            choice.setObjectName(name)
            choice.setAccessibleName(text)
            choice.setCheckable(True)
            choice.setChecked(number == 0)
            bold = QFont(choice.font())
            bold.setWeight(QFont.Weight.DemiBold)  # as the chosen one is: it must not be cut
            choice.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(text) + 34)
            self._group.addButton(choice, number)
            self._row.addWidget(choice)

    def choose(self, number: int) -> None:
        self._group.button(number).setChecked(True)

    @property
    def choice(self) -> int:
        return self._group.checkedId()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        target = self._group.button(self.choice + step) if step else None
        if target is None:
            super().keyPressEvent(event)
            return
        target.setFocus()
        target.click()

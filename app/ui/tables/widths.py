"""How wide a column must be for what stands in it, whatever the language and the font."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

_PADS = 24  # a cell's own, left and right, and a little air
_PILL = 46  # a pill's round ends and its icon
_SORT_OF_BOLD = QFont.Weight.DemiBold


def width_of(title: str, texts: Iterable[str], *, pill: bool = False) -> int:
    """Device-independent pixels for a column of such texts, and for its title."""
    plain = QApplication.font()
    heavy = QFont(plain)
    heavy.setWeight(_SORT_OF_BOLD)
    metrics = QFontMetrics(plain)
    widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
    inner = widest + (_PILL if pill else 0)
    return max(inner, QFontMetrics(heavy).horizontalAdvance(title)) + _PADS

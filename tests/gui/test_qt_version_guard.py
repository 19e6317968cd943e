"""Qt's bindings must not lose references to `None`, as PySide6 6.12.0 does on Python ≤ 3.11.

There a scrolling table aborts the process (`none_dealloc`) within seconds. From Python 3.12 on
`None` is immortal: its count does not move, and neither does this test.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

_CALLS = 300


def test_calls_that_return_nothing_lose_no_reference_to_none(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    before = sys.getrefcount(None)
    for _ in range(_CALLS):
        widget.update()
    # Other threads and caches move it by a few; every lost reference would be one of 300.
    assert sys.getrefcount(None) > before - _CALLS // 2

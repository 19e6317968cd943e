"""Waiting for something to become true, with a deadline and never for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LONGEST_S = 60.0
_BETWEEN_LOOKS_S = 0.02


def until(
    look: Callable[[], Found],
    what: str | Callable[[], str],
    *,
    within_s: float = LONGEST_S,
) -> Found:
    """The first true answer of `look`; fails with `what` was waited for when there is none."""
    pause = threading.Event()
    deadline_s = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline_s:
            words = what if isinstance(what, str) else what()
            raise AssertionError(f"waited {within_s:.0f} s in vain until {words}")
        pause.wait(_BETWEEN_LOOKS_S)

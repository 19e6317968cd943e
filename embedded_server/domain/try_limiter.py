"""Slows those who guess: so many wrong tries at once, then one more every so often.

A token bucket for each visitor. The table is bounded: with more visitors than it holds, the one
that was not seen for longest begins anew, which helps nobody who guesses 128 random bits.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST_VISITORS = 4_096


class TryLimiter:
    """`per_minute` wrong tries are free at once, and as many come back each minute; 0: no limit.

    `now_s` must be monotonic: a set clock neither frees nor locks anybody.
    """

    def __init__(
        self, per_minute: int, now_s: Callable[[], float], most_visitors: int = _MOST_VISITORS
    ) -> None:
        self._most_tries = float(per_minute)
        self._now_s = now_s
        self._most_visitors = most_visitors
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tries left, as of when

    def __len__(self) -> int:
        return len(self._left)

    def wait_s(self, visitor: str) -> int:
        """Whole seconds until the visitor may try again; 0 when it may at once."""
        if not self._most_tries or visitor not in self._left:
            return 0
        with self._lock:
            left = self._tries_left(visitor)
        return 0 if left >= 1 else max(1, math.ceil((1 - left) * 60 / self._most_tries))

    def wrong_try(self, visitor: str) -> None:
        if not self._most_tries:
            return
        with self._lock:
            left = self._tries_left(visitor)
            self._left[visitor] = max(left - 1, 0.0), self._now_s()
            self._left.move_to_end(visitor)
            if len(self._left) > self._most_visitors:
                self._left.popitem(last=False)

    def _tries_left(self, visitor: str) -> float:
        left, since_s = self._left.get(visitor, (self._most_tries, 0.0))
        come_back = (self._now_s() - since_s) * self._most_tries / 60
        return min(left + come_back, self._most_tries)

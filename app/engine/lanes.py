"""A run's workers: as many as the user wants, or as many as bring more (AIMD).

Additive increase, as long as one more made it faster; multiplicative decrease when the server says
that it is busy (429, 503 and the like). See Chiu and Jain, "Analysis of the Increase and Decrease
Algorithms for Congestion Avoidance in Computer Networks" (1989).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.domain.ports import Clock

MOST = 16
_WINDOW_S = 2.0
_WORTH_IT = 0.4  # of what one more would bring where nothing else limits
_CALM_WINDOWS = 8  # before it is tried again
_LOOK_EVERY_S = 0.5


class Adaptation:
    """`count` workers, as chosen from what was seen; times in seconds of one monotonic clock."""

    def __init__(self, start: int, now_s: float) -> None:
        self.count = start
        self._speed_before = 0.0
        self._tries_more = False
        self._calm_windows = 0
        self._cut_at_s = now_s - _WINDOW_S
        self._begin_window(now_s, 0)

    def look(self, now_s: float, sent_bytes: int) -> None:
        """`sent_bytes`: all that the run has sent so far."""
        passed_s = now_s - self._since_s
        if passed_s < _WINDOW_S:
            return
        speed = (sent_bytes - self._sent_before) / passed_s
        self._begin_window(now_s, sent_bytes)
        if speed <= 0:
            return
        if self._tries_more:
            self._tries_more = False
            if speed < self._speed_before * (1 + _WORTH_IT / (self.count - 1)):
                self.count -= 1
                self._calm_windows = _CALM_WINDOWS
                return
        if self._calm_windows:
            self._calm_windows -= 1
        elif self.count < MOST:
            self._speed_before = speed
            self._tries_more = True
            self.count += 1

    def held_up(self, now_s: float, sent_bytes: int) -> None:
        """The server is busy; of all who are told so at once, the first one counts."""
        if now_s - self._cut_at_s < _WINDOW_S:
            return
        self._cut_at_s = now_s
        self._tries_more = False
        self._calm_windows = 1
        self.count = max(self.count // 2, 1)
        self._begin_window(now_s, sent_bytes)

    def _begin_window(self, now_s: float, sent_bytes: int) -> None:
        self._since_s, self._sent_before = now_s, sent_bytes


class Lanes:
    """`start` workers, or (`wish` > 0) the user's number, which may change while they run."""

    def __init__(
        self,
        start: int,
        wish: Callable[[], int],
        clock: Clock,
        sent_bytes: Callable[[], int],
        *,
        adaptive: bool,
    ) -> None:
        self._start = start
        self._wish = wish
        self._clock = clock
        self._sent_bytes = sent_bytes
        self._adaptation = Adaptation(start, clock.monotonic_s()) if adaptive else None
        self._changed = threading.Condition()
        self._over = False

    @property
    def count(self) -> int:
        if wish := self._wish():
            return min(wish, MOST)
        return self._adaptation.count if self._adaptation else self._start

    def run(self, work: Callable[[int], None]) -> None:
        """Until a worker said `close`, and all have ended. `work` is given the worker's number,
        and returns when that one has no place (any more)."""
        workers: dict[int, threading.Thread] = {}
        with self._changed:
            while not self._over:
                for number in range(self.count):
                    if number not in workers or not workers[number].is_alive():
                        worker = threading.Thread(
                            target=work, args=(number,), name=f"upload-{number}"
                        )
                        workers[number] = worker
                        worker.start()
                self._changed.wait(_LOOK_EVERY_S)
        for worker in workers.values():
            worker.join()

    def has_place(self, number: int) -> bool:
        return number < self.count

    def close(self) -> None:
        """Nothing is left to do."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def moved(self) -> None:
        if self._adaptation:
            with self._changed:
                self._adaptation.look(self._clock.monotonic_s(), self._sent_bytes())

    def held_up(self) -> None:
        if self._adaptation:
            with self._changed:
                self._adaptation.held_up(self._clock.monotonic_s(), self._sent_bytes())

"""How fast and how many at once: what all uploads of this engine share, changed while they run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from app.domain.bandwidth import UNLIMITED, Timetable
from app.domain.ports import Clock, HashedContent
from app.domain.queue_item import Stamp

_STEPS_A_SECOND = 20
_LEAST_STEP_BYTES = 1024
_LEAST_BATCH_BYTES = 256 * 1024  # one of the largest files that travel in batches
_LONGEST_WAIT_S = 0.1  # then whoever waits looks again: at the limit, the clock, its own job
_MOST_CREDIT_S = 0.1


class Pacing:
    """A token bucket that may go into debt by one step: whoever comes next waits until it is paid.

    Safe from any thread. `parallel` is the number of requests at once that the user wants of each
    job, 0 where the engine may choose.
    """

    def __init__(self, clock: Clock) -> None:
        self.parallel = 0
        self._clock = clock
        self._timetable = UNLIMITED
        self._changed = threading.Condition()
        self._debt_bytes = 0.0
        self._looked_at_s = clock.monotonic_s()

    @property
    def timetable(self) -> Timetable:
        return self._timetable

    def use(self, timetable: Timetable) -> None:
        with self._changed:
            self._timetable = timetable
            self._changed.notify_all()

    @property
    def limit_bytes_s(self) -> int | None:
        """Now; None where nothing limits."""
        if not self._timetable.entries:
            return None
        now = time.localtime(self._clock.now_ms() / 1000)
        return self._timetable.rate_at((now.tm_wday * 24 + now.tm_hour) * 60 + now.tm_min)

    @property
    def most_batch_bytes(self) -> int | None:
        """What may leave in one go: about what a second may bring."""
        limit = self.limit_bytes_s
        return None if limit is None else max(limit, _LEAST_BATCH_BYTES)

    def spend(self, count_bytes: int, raise_if_halted: Callable[[], None]) -> None:
        """Returns once so many bytes may be sent; raises what `raise_if_halted` does meanwhile."""
        if not self._timetable.entries:
            return
        with self._changed:
            while True:
                limit = self.limit_bytes_s
                now_s = self._clock.monotonic_s()
                passed_s, self._looked_at_s = now_s - self._looked_at_s, now_s
                if limit is None:
                    self._debt_bytes = 0.0
                    return
                paid_bytes = max(passed_s, 0.0) * limit
                self._debt_bytes = max(self._debt_bytes - paid_bytes, -limit * _MOST_CREDIT_S)
                if self._debt_bytes <= 0:
                    self._debt_bytes += count_bytes
                    return
                raise_if_halted()
                self._changed.wait(min(self._debt_bytes / limit, _LONGEST_WAIT_S))

    def paced(self, content: HashedContent, raise_if_halted: Callable[[], None]) -> HashedContent:
        return _PacedContent(content, self, raise_if_halted)

    @property
    def step_bytes(self) -> int | None:
        limit = self.limit_bytes_s
        return None if limit is None else max(limit // _STEPS_A_SECOND, _LEAST_STEP_BYTES)


class _PacedContent:
    """The same content, handed over in steps, each when it may go."""

    def __init__(
        self, content: HashedContent, pacing: Pacing, raise_if_halted: Callable[[], None]
    ) -> None:
        self._content = content
        self._pacing = pacing
        self._raise_if_halted = raise_if_halted

    def chunks(self) -> Iterator[bytes]:
        for piece in self._content.chunks():
            start = 0
            while start < len(piece):
                step = self._pacing.step_bytes or len(piece)
                part = piece[start : start + step]
                self._pacing.spend(len(part), self._raise_if_halted)
                yield part
                start += len(part)

    def skip(self, count_bytes: int) -> None:
        self._content.skip(count_bytes)

    @property
    def size_bytes(self) -> int:
        return self._content.size_bytes

    @property
    def sha256(self) -> str:
        return self._content.sha256

    @property
    def identity(self) -> str:
        return self._content.identity

    @property
    def stamp(self) -> Stamp | None:
        return self._content.stamp

    def __enter__(self) -> _PacedContent:
        return self

    def __exit__(self, *_: object) -> None:
        """The content is its opener's to close."""

"""The work of one run: queued items handed to workers, alone or in batches, and those that wait."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import LakeDropError
from app.domain.ports import Clock, Journal
from app.domain.queue_item import QueueItem

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What may travel in one request. `files` 1 means: no batches."""

    files: int = 1
    bytes: int = 0
    largest_file_bytes: int = 0

    def takes(self, item: QueueItem) -> bool:
        return self.files > 1 and item.size_bytes <= self.largest_file_bytes


class Claims:
    """Reads the journal page by page; never holds more than a page and what waits to be retried.

    A worker takes a unit with `next`, and gives every item of it back exactly once: by `settle`
    (it came to its end) or by `retry` (it goes again later).
    """

    def __init__(
        self,
        journal: Journal,
        job_id: int,
        limits: BatchLimits,
        clock: Clock,
        most_batch_bytes: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`most_batch_bytes`: fewer than the limits say, for as long as it says so."""
        self._journal = journal
        self._job_id = job_id
        self._limits = limits
        self._clock = clock
        self._most_batch_bytes = most_batch_bytes
        self._changed = threading.Condition()
        self._page: list[QueueItem] = []  # reversed: the next one is last
        self._read_to = 0
        self._exhausted = False
        self._waiting: list[tuple[float, int, QueueItem]] = []
        self._out = 0
        self._held_until_s = 0.0
        self._stopped = False
        self.error: LakeDropError | None = None

    def next(self) -> list[QueueItem] | None:
        """The next unit of work; blocks while all that is left is under way or waits.

        None when nothing is left or the run was stopped.
        """
        with self._changed:
            while not self._stopped:
                held_s = self._held_until_s - self._clock.monotonic_s()
                if held_s > 0:
                    self._changed.wait(held_s)
                    continue
                if unit := self._take():
                    self._out += len(unit)
                    return unit
                if self._exhausted and not self._waiting and not self._out:
                    return None
                wait_s = None
                if self._waiting:
                    wait_s = max(self._waiting[0][0] - self._clock.monotonic_s(), 0.0)
                self._changed.wait(wait_s)
            return None

    @property
    def largest_batched_bytes(self) -> int:
        return self._limits.largest_file_bytes

    def settle(self, count: int = 1) -> None:
        with self._changed:
            self._out -= count
            self._changed.notify_all()

    def retry(self, item: QueueItem, after_s: float, *, hold_all: bool = False) -> None:
        """The item goes again after `after_s`; with `hold_all` no other goes before that either."""
        with self._changed:
            due_s = self._clock.monotonic_s() + after_s
            if hold_all:
                self._held_until_s = max(self._held_until_s, due_s)
            heapq.heappush(self._waiting, (due_s, item.item_id, item))
            self._out -= 1
            self._changed.notify_all()

    def stop(self, error: LakeDropError | None = None) -> None:
        """No more units are handed out; the first error given is the run's."""
        with self._changed:
            self._stopped = True
            self.error = self.error or error
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def _take(self) -> list[QueueItem]:
        unit: list[QueueItem] = []
        size_bytes = 0
        most_now = self._most_batch_bytes()
        most_bytes = self._limits.bytes if most_now is None else min(self._limits.bytes, most_now)
        while (item := self._peek()) is not None:
            alone = not self._limits.takes(item)
            if unit and (alone or size_bytes + item.size_bytes > most_bytes):
                break
            self._drop_peeked(item)
            unit.append(item)
            size_bytes += item.size_bytes
            if alone or len(unit) >= self._limits.files:
                break
        return unit

    def _peek(self) -> QueueItem | None:
        if self._waiting and self._waiting[0][0] <= self._clock.monotonic_s():
            return self._waiting[0][2]
        if len(self._waiting) >= _PAGE:
            return None  # enough has failed: what waits goes first, and memory stays bounded
        if not self._page and not self._exhausted:
            page = self._journal.queued(self._job_id, self._read_to, _PAGE)
            self._exhausted = not page
            if page:
                self._read_to = page[-1].item_id
                self._page = page[::-1]
        return self._page[-1] if self._page else None

    def _drop_peeked(self, item: QueueItem) -> None:
        if self._waiting and self._waiting[0][2] is item:
            heapq.heappop(self._waiting)
        else:
            self._page.pop()

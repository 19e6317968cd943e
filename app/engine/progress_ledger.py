"""Thread-safe counters of one job, turned into snapshots for the screens."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from app.domain.ports import Clock, ItemCounts
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.snapshots import ActiveTransfer, JobSnapshot, as_ranges
from app.domain.upload_job import UploadJob

_SPEED_OVER_S = 5.0
_SPEED_STEP_S = 0.25
_MOST_WAITING_TOLD = 50


class _Request:
    """One under way; its items leave it as they settle."""

    __slots__ = ("item_ids", "lake_path", "sent_bytes", "size_bytes")

    def __init__(self, items: Sequence[QueueItem]) -> None:
        self.lake_path = items[0].lake_path
        self.item_ids = {item.item_id for item in items}
        self.sent_bytes = 0
        self.size_bytes = sum(item.size_bytes for item in items)

    def told(self) -> ActiveTransfer:
        return ActiveTransfer(
            self.lake_path,
            len(self.item_ids),
            self.sent_bytes,
            self.size_bytes,
            as_ranges(sorted(self.item_ids)),
            verifying=self.sent_bytes >= self.size_bytes,
        )


class ProgressLedger:
    """Workers mark it, screens read it; `version` grows with every change.

    `bytes_sent` counts content that arrived, plus what the requests under way have sent; a try
    that failed takes its bytes back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._files = self._bytes = self._arrived = self._verified = self._in_lake = 0
        self._failed = self._cancelled = self._left_out = 0
        self._bytes_arrived = 0
        self._active: dict[int, _Request] = {}
        self._waiting: dict[int, str] = {}
        self._speed_marks: deque[tuple[float, int]] = deque()
        self._next_ticket = 0
        self._sent_ever = 0
        self._waiting_reason = ""
        self._next_try_at_ms = 0
        self._rows_version = 0
        self.version = 0

    def load(self, counts: ItemCounts) -> None:
        """Starts from what the journal knows: after intake, a crash, or a retry."""
        with self._lock:
            self._files = sum(counts.files.values())
            self._bytes = sum(counts.bytes.values())
            arrived = (ItemState.UPLOADED, ItemState.ALREADY_IN_LAKE)
            self._arrived = sum(counts.files.get(state, 0) for state in arrived)
            self._bytes_arrived = sum(counts.bytes.get(state, 0) for state in arrived)
            self._verified = counts.verified
            self._in_lake = counts.files.get(ItemState.ALREADY_IN_LAKE, 0)
            self._failed = counts.files.get(ItemState.FAILED, 0)
            self._cancelled = counts.files.get(ItemState.CANCELLED, 0)
            self._left_out = counts.left_out
            self.version += 1

    def found(self, files: int, size_bytes: int, left_out: int, failed: int = 0) -> None:
        """`failed` of the files cannot be uploaded."""
        with self._lock:
            self._files += files
            self._bytes += size_bytes
            self._left_out += left_out
            self._failed += failed
            self.version += 1

    def removed(self, counts: ItemCounts) -> None:
        """Such items of a draft are no more."""
        with self._lock:
            self._files -= sum(counts.files.values())
            self._bytes -= sum(counts.bytes.values())
            self._failed -= counts.files.get(ItemState.FAILED, 0)
            self._rows_version += 1
            self.version += 1

    def rows_changed(self) -> None:
        """The lake paths of all items are other ones."""
        with self._lock:
            self._rows_version += 1
            self.version += 1

    def began(self, items: list[QueueItem]) -> int:
        """A request for these items begins; returns its ticket for `sent` and `finished`."""
        with self._lock:
            self._next_ticket += 1
            self._active[self._next_ticket] = _Request(items)
            for item in items:
                self._waiting.pop(item.item_id, None)
            self._waiting_reason = ""
            self.version += 1
            return self._next_ticket

    def sent(self, ticket: int, count_bytes: int) -> None:
        with self._lock:
            self._waiting_reason = ""
            self._active[ticket].sent_bytes += count_bytes
            self._sent_ever += count_bytes
            self._mark_speed()
            self.version += 1

    def there_already(self, ticket: int, count_bytes: int) -> None:
        """Bytes that an earlier try has brought: progress, and no speed."""
        with self._lock:
            self._active[ticket].sent_bytes += count_bytes
            self.version += 1

    def finished(self, ticket: int) -> None:
        with self._lock:
            self._active.pop(ticket, None)
            self.version += 1

    def resized(self, by_bytes: int, ticket: int | None) -> None:
        """A file, sent under that ticket, is larger (negative: smaller) than when it was found."""
        with self._lock:
            self._bytes += by_bytes
            transfer = None if ticket is None else self._active.get(ticket)
            if transfer is not None:
                transfer.size_bytes += by_bytes
            self.version += 1

    def settled(self, after: QueueItem, ticket: int | None) -> None:
        """An item came to its end, in the request of that ticket, which no longer counts it."""
        with self._lock:
            self._release(ticket, after)
            self._waiting.pop(after.item_id, None)
            if after.state in (ItemState.UPLOADED, ItemState.ALREADY_IN_LAKE):
                self._arrived += 1
                self._bytes_arrived += after.size_bytes
                self._verified += after.assurance is Assurance.VERIFIED
                self._in_lake += after.state is ItemState.ALREADY_IN_LAKE
            elif after.state is ItemState.FAILED:
                self._failed += 1
            elif after.state is ItemState.CANCELLED:
                self._cancelled += 1
            self.version += 1

    def _release(self, ticket: int | None, item: QueueItem) -> None:
        request = None if ticket is None else self._active.get(ticket)
        if ticket is None or request is None:
            return
        request.item_ids.discard(item.item_id)
        if not request.item_ids:
            del self._active[ticket]
            return
        request.sent_bytes = max(request.sent_bytes - item.size_bytes, 0)
        request.size_bytes = max(request.size_bytes - item.size_bytes, 0)

    def waits(self, item: QueueItem) -> None:
        """It is tried again later; `began` and `settled` take it off, so does the run's end."""
        with self._lock:
            if len(self._waiting) < _MOST_WAITING_TOLD:
                self._waiting[item.item_id] = item.message
                self.version += 1

    def came_to_rest(self) -> None:
        """The run is over: nothing waits for a next try of its own, and nothing moves."""
        with self._lock:
            self._waiting.clear()
            self._waiting_reason = ""
            self._speed_marks.clear()
            self.version += 1

    def waiting(self, reason: str, wait_s: float = 0.0) -> None:
        """Why nothing moves, and for how long; empty when it does again."""
        with self._lock:
            self._waiting_reason = reason
            self._next_try_at_ms = self._clock.now_ms() + round(wait_s * 1000)
            self.version += 1

    @property
    def sent_ever_bytes(self) -> int:
        """Of this engine's runs, what was sent in vain included."""
        return self._sent_ever

    def touched(self) -> None:
        """The job itself changed: its state or message."""
        with self._lock:
            self.version += 1

    def snapshot(self, job: UploadJob) -> JobSnapshot:
        with self._lock:
            return JobSnapshot(
                job_id=job.job_id,
                name=job.name,
                connection=job.connection.label,
                destination=job.destination,
                mode=job.mode,
                state=job.state,
                message=job.message,
                intake_done=job.intake_done,
                sync_id=job.sync_id,
                plain_server=job.plain_server,
                # Items are removed that the intake has written and not counted yet.
                files=max(self._files, 0),
                bytes=max(self._bytes, 0),
                files_arrived=self._arrived,
                files_verified=self._verified,
                files_failed=max(self._failed, 0),
                files_already_in_lake=self._in_lake,
                files_cancelled=self._cancelled,
                files_left_out=self._left_out,
                bytes_sent=self._bytes_arrived
                + sum(transfer.sent_bytes for transfer in self._active.values()),
                speed_bytes_s=self._speed(),
                waiting_reason=self._waiting_reason,
                next_try_at_ms=self._next_try_at_ms if self._waiting_reason else 0,
                active=tuple(request.told() for request in self._active.values()),
                problem=job.problem,
                contents_only=job.contents_only,
                kept=job.kept,
                aborted=job.aborted,
                created_at_ms=job.created_at_ms,
                started_at_ms=job.started_at_ms,
                ended_at_ms=job.ended_at_ms,
                rows_version=self._rows_version,
                receipt=job.receipt,
                receipt_problem=job.receipt_problem,
                receipt_due=job.wants_receipt and not job.receipt_problem,
                waiting=tuple(self._waiting.items()),
            )

    def _mark_speed(self) -> None:
        now_s = self._clock.monotonic_s()
        if not self._speed_marks or now_s - self._speed_marks[-1][0] >= _SPEED_STEP_S:
            self._speed_marks.append((now_s, self._sent_ever))
            while now_s - self._speed_marks[0][0] > _SPEED_OVER_S:
                self._speed_marks.popleft()

    def _speed(self) -> float:
        if not self._speed_marks:
            return 0.0
        then_s, then_bytes = self._speed_marks[0]
        passed_s = self._clock.monotonic_s() - then_s
        if passed_s > 2 * _SPEED_OVER_S:  # nothing has moved for long
            return 0.0
        return (self._sent_ever - then_bytes) / passed_s if passed_s > 0 else 0.0

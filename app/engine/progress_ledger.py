"""Thread-safe counters of one job, turned into snapshots for the screens."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from app.domain.ports import Clock, ItemCounts
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.snapshots import ActiveTransfer, JobSnapshot
from app.domain.upload_job import UploadJob

_SPEED_OVER_S = 5.0
_SPEED_STEP_S = 0.25


class ProgressLedger:
    """Workers mark it, screens read it; `version` grows with every change.

    `bytes_sent` counts content that arrived, plus what the requests under way have sent; a try
    that failed takes its bytes back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._files = self._bytes = self._arrived = self._verified = 0
        self._failed = self._cancelled = self._left_out = 0
        self._bytes_arrived = 0
        self._active: dict[int, ActiveTransfer] = {}
        self._speed_marks: deque[tuple[float, int]] = deque()
        self._next_ticket = 0
        self._sent_ever = 0
        self._waiting_reason = ""
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
            self._failed = counts.files.get(ItemState.FAILED, 0)
            self._cancelled = counts.files.get(ItemState.CANCELLED, 0)
            self._left_out = counts.left_out
            self.version += 1

    def found(self, files: int, size_bytes: int, left_out: int) -> None:
        with self._lock:
            self._files += files
            self._bytes += size_bytes
            self._left_out += left_out
            self.version += 1

    def began(self, items: list[QueueItem]) -> int:
        """A request for these items begins; returns its ticket for `sent` and `finished`."""
        with self._lock:
            self._next_ticket += 1
            size = sum(item.size_bytes for item in items)
            self._active[self._next_ticket] = ActiveTransfer(
                items[0].lake_path, len(items), 0, size
            )
            self._waiting_reason = ""
            self.version += 1
            return self._next_ticket

    def sent(self, ticket: int, count_bytes: int) -> None:
        with self._lock:
            transfer = self._active[ticket]
            self._waiting_reason = ""
            self._active[ticket] = replace(transfer, sent_bytes=transfer.sent_bytes + count_bytes)
            self._sent_ever += count_bytes
            self._mark_speed()
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
            if ticket is not None and transfer is not None:
                self._active[ticket] = replace(transfer, size_bytes=transfer.size_bytes + by_bytes)
            self.version += 1

    def settled(self, after: QueueItem, ticket: int | None) -> None:
        """An item came to its end, in the request of that ticket, which no longer counts it."""
        with self._lock:
            self._release(ticket, after.size_bytes)
            if after.state in (ItemState.UPLOADED, ItemState.ALREADY_IN_LAKE):
                self._arrived += 1
                self._bytes_arrived += after.size_bytes
                self._verified += after.assurance is Assurance.VERIFIED
            elif after.state is ItemState.FAILED:
                self._failed += 1
            elif after.state is ItemState.CANCELLED:
                self._cancelled += 1
            self.version += 1

    def _release(self, ticket: int | None, size_bytes: int) -> None:
        transfer = None if ticket is None else self._active.get(ticket)
        if ticket is None or transfer is None:
            return
        if transfer.files == 1:
            del self._active[ticket]
            return
        self._active[ticket] = ActiveTransfer(
            transfer.lake_path,
            transfer.files - 1,
            max(transfer.sent_bytes - size_bytes, 0),
            max(transfer.size_bytes - size_bytes, 0),
        )

    def waiting(self, reason: str) -> None:
        """Why nothing moves; empty when it does again."""
        with self._lock:
            self._waiting_reason = reason
            self.version += 1

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
                files=self._files,
                bytes=self._bytes,
                files_arrived=self._arrived,
                files_verified=self._verified,
                files_failed=self._failed,
                files_cancelled=self._cancelled,
                files_left_out=self._left_out,
                bytes_sent=self._bytes_arrived
                + sum(transfer.sent_bytes for transfer in self._active.values()),
                speed_bytes_s=self._speed(),
                waiting_reason=self._waiting_reason,
                active=tuple(self._active.values()),
                problem=job.problem,
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

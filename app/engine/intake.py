"""Dropped paths become items of the journal, streamed, never all in memory."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.domain.errors import Cancelled
from app.domain.ports import Journal, SourceFiles
from app.domain.queue_item import FoundFile, LeftOut
from app.domain.upload_job import UploadJob

_ROWS_A_BATCH = 2_000
_BATCH_AT_LEAST_EVERY_S = 0.25

OnFound = Callable[[int, int, int], None]
"""Called with files, bytes and left-out entries found since the last call."""


def take_in(
    job: UploadJob,
    sources: SourceFiles,
    journal: Journal,
    on_found: OnFound,
    is_cancelled: Callable[[], bool],
) -> None:
    """Walks every source of the job into the journal, in durable batches.

    Raises `SourceUnreadable` when a dropped path is not there, `JournalFailed`, or `Cancelled`.
    """
    found: list[FoundFile] = []
    left_out: list[LeftOut] = []
    size_bytes, written_at_s = 0, time.monotonic()

    def write() -> None:
        nonlocal size_bytes, written_at_s
        journal.add_items(job.job_id, found, left_out)
        on_found(len(found), size_bytes, len(left_out))
        found.clear()
        left_out.clear()
        size_bytes, written_at_s = 0, time.monotonic()

    for source in job.sources:
        for entry in sources.walk(source, job.destination):
            if is_cancelled():
                raise Cancelled
            if isinstance(entry, LeftOut):
                left_out.append(entry)
            else:
                found.append(entry)
                size_bytes += entry.size_bytes
            full = len(found) + len(left_out) >= _ROWS_A_BATCH
            if full or time.monotonic() - written_at_s > _BATCH_AT_LEAST_EVERY_S:
                write()
    write()

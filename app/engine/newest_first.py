"""The newest rows of a server that only counts from its oldest: finding the end in O(log n) calls.

The contract's list and history begin with the oldest row at `from=0` and never say how many there
are. So: double `from` with one-row requests until nothing comes, bisect for the end, then read
pages backwards. Rows are only ever appended; what is appended meanwhile may or may not be in the
result, and never makes it wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from app.domain.ports import LakeGateway
from embedded_server.contract import MAX_ID, MAX_PAGE_SIZE, SyncJob, UploadRecord

_DAY_MS = 24 * 60 * 60 * 1000

_Row = TypeVar("_Row")
_ReadPage = Callable[[int, int], Sequence[_Row]]


def newest_sync_jobs(gateway: LakeGateway, newest: int) -> list[SyncJob]:
    """Up to `newest` sync jobs, the newest first."""
    found: dict[int, SyncJob] = {}
    for page in _pages_backwards(gateway.sync_jobs, newest):
        found |= {job.sync_id: job for job in page}
        if len(found) >= newest:
            break
    return _newest_of(found, newest)


def newest_uploads(
    gateway: LakeGateway, newest: int, sync_id: int | None = None
) -> list[UploadRecord]:
    """Up to `newest` rows of the history, the newest first; with `sync_id`, of that sync alone.

    The history has no index by sync. It is read backwards until it is older than the sync itself
    by a day: clocks are set right now and then, and no row is lost to a small step.
    """
    job = None if sync_id is None else _job(gateway, sync_id)
    if sync_id is not None and job is None:
        return []
    page_size = newest if job is None else MAX_PAGE_SIZE
    found: dict[int, UploadRecord] = {}
    for page in _pages_backwards(gateway.history, page_size):
        found |= {row.history_id: row for row in page if sync_id in (None, row.sync_id)}
        if len(found) >= newest:
            break
        if job is not None and all(row.start_time < job.start_time - _DAY_MS for row in page):
            break
    return _newest_of(found, newest)


def _job(gateway: LakeGateway, sync_id: int) -> SyncJob | None:
    for page in _pages_backwards(gateway.sync_jobs, MAX_PAGE_SIZE):
        for job in page:
            if job.sync_id == sync_id:
                return job
        if all(job.sync_id < sync_id for job in page):
            return None
    return None


def _newest_of(rows: dict[int, _Row], newest: int) -> list[_Row]:
    # Servers need not order a page, and pages may overlap: ids alone decide.
    return [rows[number] for number in sorted(rows, reverse=True)[:newest]]


def _pages_backwards(read: _ReadPage[_Row], page_size: int) -> Iterator[Sequence[_Row]]:
    """Pages from the end to the beginning, none empty."""
    if page_size <= 0:
        return
    size = min(page_size, MAX_PAGE_SIZE)
    end, page_before = _count(read), list[_Row]()
    while end > 0:
        start = max(end - size, 0)
        page = list(read(start, end - start))
        # Empty: rows were taken away meanwhile. The same again: a server that ignores `from`.
        # The contract knows neither, and reading on would never end.
        if not page or page == page_before:
            return
        yield page
        end, page_before = start, page


def _count(read: _ReadPage[_Row]) -> int:
    """How many rows there are, by one-row requests."""
    if not read(0, 1):
        return 0
    last, beyond = 0, 1
    while read(beyond, 1):
        if beyond > MAX_ID // 2:  # a server that answers rows for any `from`
            break
        last, beyond = beyond, beyond * 2
    while beyond - last > 1:
        middle = (last + beyond) // 2
        if read(middle, 1):
            last = middle
        else:
            beyond = middle
    return beyond

"""The newest rows of a server that only counts from its oldest: finding the end in O(log n) calls.

The contract's list and history begin with the oldest row at `from=0` and never say how many there
are. So: leap ahead with one-row requests, each leap twice as long, until nothing comes; bisect for
the end, then read pages backwards. Rows are only ever appended; what is appended meanwhile may or
may not be in the result, and never makes it wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.domain import sentences
from app.domain.errors import ContractBroken
from app.domain.ports import LakeGateway
from embedded_server.contract import MAX_ID, MAX_PAGE_SIZE, SyncJob, SyncStatus, UploadRecord

_DAY_MS = 24 * 60 * 60 * 1000
_MOST_PAGES = 20  # of one step through the history: a screen wants to tell how far it is

_Row = TypeVar("_Row")
ReadPage = Callable[[int, int], Sequence[_Row]]


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


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """Uploads of one sync, newest first, and the offset where the next step begins.

    `before` is None when there are no more. A step may find nothing and still have a next one.
    `count` is how many rows the whole history has, where it was counted (else what was known).
    """

    uploads: list[UploadRecord]
    before: int | None
    count: int = 0
    is_running: bool = False  # the sync, on the server


def step_through_history(
    gateway: LakeGateway,
    sync_id: int,
    before: int | None,
    limit: int,
    *,
    known: int = 0,
    after: int = 0,
) -> HistoryStep:
    """Up to `limit` uploads of the sync from the rows ahead of offset `before`; None is the end,
    which is found sooner with the `count` that an earlier step told as `known`. Rows ahead of
    offset `after` are left out.

    Reads `_MOST_PAGES` pages at the most, and ends for good at the beginning of the history or
    where it is older than the sync by a day.
    """
    job = _job(gateway, sync_id)
    if job is None:
        return HistoryStep([], None, known)
    count = _count(gateway.history, known) if before is None else known
    found: list[UploadRecord] = []
    end = count if before is None else before
    before = _step_back(gateway, job, (min(after, end), end), limit, found)
    return HistoryStep(found, before, count, job.sync_status is SyncStatus.SYNCING)


def _step_back(
    gateway: LakeGateway,
    job: SyncJob,
    between: tuple[int, int],
    limit: int,
    found: list[UploadRecord],
) -> int | None:
    """Appends to `found`; returns where the next step begins, None where there is none."""
    first, end = between
    page_before: list[UploadRecord] = []
    for _ in range(_MOST_PAGES):
        start = max(end - MAX_PAGE_SIZE, first)
        page = whole_page(gateway.history, start, end - start)
        if page and page == page_before:  # a server that ignores `from`, which nobody may
            return None
        page.sort(key=lambda row: row.history_id)  # a page may come in any order
        for place in reversed(range(len(page))):
            if page[place].sync_id == job.sync_id:
                found.append(page[place])
                if len(found) == limit:
                    return start + place if start + place > first else None
        is_older = page and all(row.start_time < job.start_time - _DAY_MS for row in page)
        if start == first or is_older:
            return None
        end, page_before = start, page
    return end


def count_rows(read: ReadPage[Any], known: int = 0) -> int:
    """How many rows a server has; `known` from an earlier count makes it two requests or a few.

    Raises `ContractBroken` for a server that answers rows wherever it is asked for them.
    """
    count = _count(read, known)
    if count > MAX_ID // 2:
        raise ContractBroken(sentences.NO_END())
    return count


def _job(gateway: LakeGateway, sync_id: int) -> SyncJob | None:
    """By bisection: ids grow, so the row of one stands at its number or before it."""
    low, high = 0, sync_id
    place = sync_id - 1  # of a server that counts from 1 and leaves out none
    while low < high:
        row = next(iter(gateway.sync_jobs(place, 1)), None)
        if row is not None and row.sync_id == sync_id:
            return row
        if row is not None and row.sync_id < sync_id:
            low = place + 1
        else:
            high = place
        place = (low + high) // 2
    return None


def _newest_of(rows: dict[int, _Row], newest: int) -> list[_Row]:
    # Servers need not order a page, and pages may overlap: ids alone decide.
    return [rows[number] for number in sorted(rows, reverse=True)[:newest]]


def _pages_backwards(read: ReadPage[_Row], page_size: int) -> Iterator[Sequence[_Row]]:
    """Pages from the end to the beginning, none empty."""
    if page_size <= 0:
        return
    size = min(page_size, MAX_PAGE_SIZE)
    end, page_before = _count(read), list[_Row]()
    while end > 0:
        start = max(end - size, 0)
        page = whole_page(read, start, end - start)
        # Empty: rows were taken away meanwhile. The same again: a server that ignores `from`.
        # The contract knows neither, and reading on would never end.
        if not page or page == page_before:
            return
        yield page
        end, page_before = start, page


def whole_page(read: ReadPage[_Row], start: int, size: int) -> list[_Row]:
    """Also of a server whose own pages are smaller than the ones we ask for."""
    rows, piece_before = list[_Row](), list[_Row]()
    while len(rows) < size:
        piece = list(read(start + len(rows), size - len(rows)))
        if not piece or piece == piece_before:  # no more; or a server that ignores `from`
            break
        rows += piece
        piece_before = piece
    return rows


def _count(read: ReadPage[_Row], known: int = 0) -> int:
    """How many rows there are, by one-row requests. There were `known` of them once."""
    last = known - 1  # the farthest row that is there
    if last < 0 or not read(last, 1):
        last = 0
        if not read(0, 1):
            return 0
    leap = 1
    while read(last + leap, 1):
        last, leap = last + leap, leap * 2
        if last > MAX_ID // 4:  # a server that answers rows for any `from`
            return MAX_ID
    beyond = last + leap
    while beyond - last > 1:
        middle = (last + beyond) // 2
        if read(middle, 1):
            last = middle
        else:
            beyond = middle
    return beyond

"""Finds syncs and uploads by what is wanted of them, newest first, without walking to far pages.

Ids have no gaps, so a page of everything is a range. For anything narrower the ids are taken in
blocks of 1,024: how many rows of each block are wanted is read from `upload_blocks` (a thousand
rows for a million uploads) or, for a text or a folder, counted in one pass. Their sum is the total,
and they tell in which block a page begins; only that block, and those that fill the page, are read.
So a far page costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, or_, select

from embedded_server.catalog.tables import BLOCK_BITS, syncs, upload_blocks, uploads
from embedded_server.contract import SyncStatus
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Found, Page, Wanted

_ESCAPE = "\\"
_COUNTED = {
    SyncStatus.SYNCING: upload_blocks.c.syncing,
    SyncStatus.FINISHED: upload_blocks.c.finished,
    SyncStatus.FAILED: upload_blocks.c.failed,
}

_Made = TypeVar("_Made")
_Condition = ColumnElement[bool]
_Counts = list[tuple[int, int]]  # (block, rows wanted in it), newest first, none empty


def find_uploads(
    db: Connection, wanted: Wanted, page: Page, make: Callable[[Row[Any]], _Made]
) -> Found[_Made]:
    """The connection is in a transaction: one moment is seen. `make` makes a row an answer's."""
    conditions = _of_time_and_status(uploads, wanted)
    if wanted.sync_id is not None:
        conditions.append(uploads.c.sync_id == wanted.sync_id)
    if wanted.sync_type is not None:
        of_type = select(syncs.c.sync_id).where(syncs.c.sync_type == wanted.sync_type.value)
        conditions.append(uploads.c.sync_id.in_(of_type))
    if wanted.text is not None:
        conditions.append(_has(uploads.c.folder + "/" + uploads.c.file_name, wanted.text))
    if wanted.within is not None:
        conditions.append(lies_within(uploads.c.folder, wanted.within))
    search = _Search(db, uploads, uploads.c.history_id, conditions, wanted)
    return search.page(page, make, has_counters=wanted.text is None and wanted.within is None)


def find_syncs(
    db: Connection, wanted: Wanted, page: Page, make: Callable[[Row[Any]], _Made]
) -> Found[_Made]:
    """As `find_uploads`; here every narrower search counts in one pass over the syncs."""
    conditions = _of_time_and_status(syncs, wanted)
    if wanted.sync_id is not None:
        conditions.append(syncs.c.sync_id == wanted.sync_id)
    if wanted.sync_type is not None:
        conditions.append(syncs.c.sync_type == wanted.sync_type.value)
    if wanted.text is not None:
        conditions.append(or_(_has(syncs.c.name, wanted.text), _has(syncs.c.path, wanted.text)))
    if wanted.within is not None:
        conditions.append(lies_within(syncs.c.path, wanted.within))
    return _Search(db, syncs, syncs.c.sync_id, conditions, wanted).page(
        page, make, has_counters=False
    )


class _Search:
    def __init__(
        self,
        db: Connection,
        table: Table,
        row_id: ColumnElement[int],
        conditions: Sequence[_Condition],
        wanted: Wanted,
    ) -> None:
        self.db = db
        self.table = table
        self.row_id = row_id
        self.conditions = conditions
        self.wanted = wanted

    def page(
        self,
        page: Page,
        make: Callable[[Row[Any]], _Made],
        *,
        has_counters: bool,
    ) -> Found[_Made]:
        """One row more than asked for is read: it tells whether there is a next page."""
        limit = page.limit + 1
        total: int | None = None
        if self.wanted.is_everything:
            newest = self.db.execute(select(func.max(self.row_id))).scalar_one() or 0
            total = newest if page.before is None else None
            below = newest - page.offset + 1 if page.before is None else page.before
            rows = self._rows(limit, self.row_id < below)
        elif page.before is not None and not has_counters:
            rows = self._rows(limit, self.row_id < page.before)
        elif page.before is not None:
            counts = _counts_of_blocks(self, exactly=False)
            first = page.before >> BLOCK_BITS
            counts = [(block, count) for block, count in counts if block <= first]
            rows = self._rows_of_blocks(counts, limit, 0, self.row_id < page.before)
        else:
            counts = _counts_of_blocks(self, exactly=True) if has_counters else self._counted()
            total = sum(count for _, count in counts)
            rows = self._rows_of_blocks(*_from_offset(counts, page.offset, limit))
        shown = rows[: page.limit]
        has_more = len(rows) > page.limit and bool(shown)
        return Found([make(row) for row in shown], total, int(shown[-1][0]) if has_more else None)

    def _rows(self, limit: int, *more: _Condition, offset: int = 0) -> list[Row[Any]]:
        found = select(self.table).where(*self.conditions, *more)
        return list(self.db.execute(found.order_by(self.row_id.desc()).limit(limit).offset(offset)))

    def _rows_of_blocks(
        self, counts: _Counts, limit: int, skip: int, *more: _Condition
    ) -> list[Row[Any]]:
        rows: list[Row[Any]] = []
        for run in _neighbours(counts):
            if len(rows) >= limit:
                break
            rows += self._rows(limit - len(rows), self._in(run), *more, offset=skip)
            skip = 0
        return rows

    def _in(self, blocks: range) -> _Condition:
        first, end = blocks.start << BLOCK_BITS, blocks.stop << BLOCK_BITS
        return and_(self.row_id >= first, self.row_id < end)

    def _counted(self) -> _Counts:
        block = self.row_id.op(">>")(BLOCK_BITS).label("block")
        counted = select(block, func.count()).where(*self.conditions).group_by(block)
        return sorted(
            ((int(it), int(count)) for it, count in self.db.execute(counted)), reverse=True
        )

    def count_in(self, block: int) -> int:
        counted = (
            select(func.count())
            .select_from(self.table)
            .where(*self.conditions, self._in(range(block, block + 1)))
        )
        return int(self.db.execute(counted).scalar_one())


def _counts_of_blocks(search: _Search, *, exactly: bool) -> _Counts:
    """Without a text: from the counters. `exactly` False may name blocks with nothing wanted."""
    wanted = search.wanted
    blocks = upload_blocks.c
    counters = _COUNTED.values() if wanted.status is None else [_COUNTED[wanted.status]]
    count = func.sum(sum(list(counters)[1:], next(iter(counters))))
    first, last = func.min(blocks.first_started_at_ms), func.max(blocks.last_started_at_ms)
    found = select(blocks.block, count, first, last).group_by(blocks.block).having(count > 0)
    if wanted.sync_id is not None:
        found = found.where(blocks.sync_id == wanted.sync_id)
    if wanted.sync_type is not None:
        of_type = select(syncs.c.sync_id).where(syncs.c.sync_type == wanted.sync_type.value)
        found = found.where(blocks.sync_id.in_(of_type))
    since_ms = -1 if wanted.since_ms is None else wanted.since_ms
    counts: _Counts = []
    for block, rows, first_ms, last_ms in search.db.execute(found.order_by(blocks.block.desc())):
        until_ms = last_ms + 1 if wanted.until_ms is None else wanted.until_ms
        if last_ms < since_ms or first_ms >= until_ms:
            continue
        is_whole = since_ms <= first_ms and last_ms < until_ms
        number = int(rows) if is_whole or not exactly else search.count_in(block)
        if number:
            counts.append((int(block), number))
    return counts


def _from_offset(counts: _Counts, offset: int, limit: int) -> tuple[_Counts, int, int]:
    """(the blocks from the one on in which row `offset` lies, limit, rows to skip in that one)"""
    for index, (_, count) in enumerate(counts):
        if offset < count:
            return counts[index:], limit, offset
        offset -= count
    return [], limit, 0


def _neighbours(counts: _Counts) -> Iterator[range]:
    """Blocks that lie side by side as one range, newest first: one statement reads them."""
    run: range | None = None
    for block, _ in counts:
        if run is not None and block == run.start - 1:
            run = range(block, run.stop)
            continue
        if run is not None:
            yield run
        run = range(block, block + 1)
    if run is not None:
        yield run


def _of_time_and_status(table: Table, wanted: Wanted) -> list[_Condition]:
    conditions: list[_Condition] = []
    if wanted.status is not None:
        conditions.append(table.c.status == wanted.status.value)
    if wanted.since_ms is not None:
        conditions.append(table.c.started_at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(table.c.started_at_ms < wanted.until_ms)
    return conditions


def _has(text: ColumnElement[str], part: str) -> _Condition:
    """`%` and `_` of the part are plain characters."""
    for special in (_ESCAPE, "%", "_"):
        part = part.replace(special, _ESCAPE + special)
    return text.like(f"%{part}%", escape=_ESCAPE)


def lies_within(path: ColumnElement[str], folder: LakePath) -> _Condition:
    # "0" follows "/": a range of paths below, which an index can serve.
    top = str(folder)
    return or_(path == top, and_(path > f"{top}/", path < f"{top}0"))

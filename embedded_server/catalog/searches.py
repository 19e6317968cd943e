"""Pages of syncs and uploads by what is wanted of them, none of which is walked to.

Ids have no gaps, so a page of everything is a range. For anything narrower `BlockCounts` tells how
many rows of each block of ids are wanted. Their sum is the total, and they tell in which block a
page begins; only that block, and those that fill the page, are read. So a far page costs what the
first one does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, func, select

from embedded_server.catalog.block_counts import (
    BlockCounts,
    Condition,
    Counts,
    Searched,
    neighbours,
)
from embedded_server.catalog.tables import BLOCK_BITS
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Found, Page, Wanted

_Made = TypeVar("_Made")
_Rows = list[Row[Any]]


class Searches:
    """Each call gets a connection in a transaction that has read nothing: it sees one moment."""

    def __init__(self) -> None:
        self._counts = BlockCounts()

    def newest_first(
        self,
        db: Connection,
        table: Table,
        wanted: Wanted,
        page: Page,
        make: Callable[[Row[Any]], _Made],
    ) -> Found[_Made]:
        """One row more than asked for is read: it tells whether there is a next page."""
        search = Searched(table, wanted)
        limit = page.limit + 1
        total: int | None = None
        if wanted.is_everything:
            newest = db.execute(select(func.max(search.row_id))).scalar_one() or 0
            total = newest if page.before is None else None
            below = newest - page.offset + 1 if page.before is None else page.before
            rows = _rows(db, search, limit, [search.row_id < below], 0, descending=True)
        else:
            counts = self._counts.of(db, search)[::-1]
            if page.before is None:
                total = sum(count for _, count in counts)
                rows = _rows_from(db, search, counts, page.offset, limit, [], descending=True)
            else:
                first = page.before >> BLOCK_BITS
                counts = [(block, count) for block, count in counts if block <= first]
                older = [search.row_id < page.before]
                rows = _rows_from(db, search, counts, 0, limit, older, descending=True)
        shown = rows[: page.limit]
        has_more = len(rows) > page.limit and bool(shown)
        return Found([make(row) for row in shown], total, int(shown[-1][0]) if has_more else None)

    def oldest_first(
        self, db: Connection, table: Table, within: LakePath, offset: int, limit: int
    ) -> _Rows:
        """Those at or below a folder, as if there were no others."""
        search = Searched(table, Wanted(within=within))
        counts = self._counts.of(db, search)
        return _rows_from(db, search, counts, offset, limit, [], descending=False)


def _rows_from(
    db: Connection,
    search: Searched,
    counts: Counts,
    offset: int,
    limit: int,
    more: Sequence[Condition],
    *,
    descending: bool,
) -> _Rows:
    rows: _Rows = []
    blocks, skip = _from_offset(counts, offset)
    for run in neighbours(blocks):
        if len(rows) >= limit:
            break
        conditions = [search.in_blocks(run), *more]
        rows += _rows(db, search, limit - len(rows), conditions, skip, descending=descending)
        skip = 0
    return rows


def _from_offset(counts: Counts, offset: int) -> tuple[list[int], int]:
    """(the blocks from the one on in which row `offset` lies, rows to skip in that one)"""
    for index, (_, count) in enumerate(counts):
        if offset < count:
            return [block for block, _ in counts[index:]], offset
        offset -= count
    return [], 0


def _rows(
    db: Connection,
    search: Searched,
    limit: int,
    more: Sequence[Condition],
    skip: int,
    *,
    descending: bool,
) -> _Rows:
    found = select(search.table).where(*search.conditions, *more)
    order = search.row_id.desc() if descending else search.row_id
    return list(db.execute(found.order_by(order).limit(limit).offset(skip)))

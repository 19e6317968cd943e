"""How many rows of each block of 1,024 ids a search finds: its total, and the way to a far page.

What was counted once is remembered: rows are only ever appended, and what a search asks of them
never changes but for the status, which is settled once no row of a block is `Syncing` any more. So
a search costs one pass over the table when it is first made (half a second for a million rows) and
afterwards a look at the newest block. Status and time need no pass of their own: each block
remembers how its rows ended and when the first and the last of them began.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
)

from embedded_server.catalog.plans import not_by_index
from embedded_server.catalog.tables import BLOCK_BITS, syncs, upload_blocks, uploads
from embedded_server.contract import SyncStatus
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Wanted

_ESCAPE = "\\"
_SEARCHES_REMEMBERED = 64  # 22 KB each for a million rows
_BLOCKS_A_STATEMENT = 64  # SQLite sorts what it groups: this much of it in memory
_FEW_BLOCKS = 8

_STATUSES = (SyncStatus.SYNCING, SyncStatus.FINISHED, SyncStatus.FAILED)  # as `Block` has them

Condition = ColumnElement[bool]
Counts = list[tuple[int, int]]  # (block, rows wanted in it), none empty


class Block(NamedTuple):
    """Rows of a block by status, and when the first and the last of them began."""

    syncing: int
    finished: int
    failed: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Searched:
    """A table, and what is wanted of its rows."""

    table: Table
    wanted: Wanted

    @property
    def row_id(self) -> ColumnElement[int]:
        return self.table.c.history_id if self.table is uploads else self.table.c.sync_id

    @property
    def conditions(self) -> list[Condition]:
        conditions = self._of_what_never_changes()
        wanted, columns = self.wanted, self.table.c
        if wanted.status is SyncStatus.SYNCING:
            # The word is in the statement, or the index of running ones could not serve it.
            conditions.append(columns.status == literal_column("'Syncing'"))
        elif wanted.status is not None:
            conditions.append(columns.status == wanted.status.value)
        if wanted.since_ms is not None:
            conditions.append(columns.started_at_ms >= wanted.since_ms)
        if wanted.until_ms is not None:
            conditions.append(columns.started_at_ms < wanted.until_ms)
        return conditions

    def _of_what_never_changes(self) -> list[Condition]:
        conditions: list[Condition] = []
        wanted, columns = self.wanted, self.table.c
        is_uploads = self.table is uploads
        if wanted.sync_id is not None:
            conditions.append(columns.sync_id == wanted.sync_id)
        if wanted.sync_type is not None:
            conditions.append(_type_of(self.table) == wanted.sync_type.value)
        if wanted.text is not None and is_uploads:
            conditions.append(_has(columns.folder + "/" + columns.file_name, wanted.text))
        elif wanted.text is not None:
            conditions.append(or_(_has(columns.name, wanted.text), _has(columns.path, wanted.text)))
        if wanted.within is not None:
            # Block by block: through the index of folders each would read all of the folder.
            path = not_by_index(columns.folder) if is_uploads else columns.path
            conditions.append(_lies_within(path, wanted.within))
        return conditions

    @property
    def whenever(self) -> Searched:
        """The same rows, however they ended and whenever they began."""
        return replace(self, wanted=replace(self.wanted, status=None, since_ms=None, until_ms=None))

    def in_blocks(self, blocks: range) -> Condition:
        first, end = blocks.start << BLOCK_BITS, blocks.stop << BLOCK_BITS
        return and_(self.row_id >= first, self.row_id < end)


class BlockCounts:
    """Shared by all searches of one catalog; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Searched, _Known] = OrderedDict()

    def of(self, db: Connection, search: Searched) -> Counts:
        """By block, as of the moment that the transaction of `db` sees; it has read nothing yet."""
        return list(_wanted_of(db, search, self._blocks(db, search)))

    def _blocks(self, db: Connection, search: Searched) -> Iterator[tuple[int, Block]]:
        whenever = search.whenever
        sync_id = whenever.wanted.sync_id
        if search.table is uploads and sync_id is not None and whenever.wanted == Wanted(sync_id):
            return iter(_counted_by_triggers(db, whenever, 0).items())
        # First what is known, then the moment to count at: else a row that had ended for the one
        # could still be on its way for the other.
        known = self._remembered(whenever)
        newest = db.execute(select(func.max(search.row_id))).scalar_one() or 0
        last = newest >> BLOCK_BITS
        needs_status = search.wanted.status is not None
        counted = _count(db, whenever, known.unknown_up_to(last, needs_status=needs_status))
        settled = known.and_also(counted, last)
        if settled is not known:
            self._remember(whenever, settled)
        return settled.blocks(counted, last)

    def _remembered(self, search: Searched) -> _Known:
        with self._lock:
            known = self._known.get(search)
            if known is None:
                return _Known()
            self._known.move_to_end(search)
            return known

    def _remember(self, search: Searched, known: _Known) -> None:
        with self._lock:
            self._known[search] = known
            self._known.move_to_end(search)
            while len(self._known) > _SEARCHES_REMEMBERED:
                self._known.popitem(last=False)


class _Known:
    """What all blocks but the newest hold; never changed once others may see it.

    Of a block with rows on their way only their number with the others is sure.
    """

    def __init__(self) -> None:
        self._counts = tuple(array("h") for _ in _STATUSES)
        self._times = array("q"), array("q")

    def unknown_up_to(self, last: int, *, needs_status: bool) -> Sequence[int]:
        """`last` is the newest block: it grows still."""
        on_their_way = enumerate(self._counts[0]) if needs_status else ()
        changing = [block for block, syncing in on_their_way if syncing]
        return [*changing, *range(len(self._counts[0]), last + 1)]

    def and_also(self, counted: dict[int, Block], last: int) -> _Known:
        """Itself where that tells nothing new. `counted` leaves out blocks without a row."""
        grows_by = last - len(self._counts[0])
        if grows_by <= 0 and all(block >= last for block in counted):
            return self
        made = _Known()
        made._counts = tuple(it + array("h", bytes(2 * grows_by)) for it in self._counts)
        made._times = (
            self._times[0] + array("q", bytes(8 * grows_by)),
            self._times[1] + array("q", bytes(8 * grows_by)),
        )
        for block, it in counted.items():
            if block < last:
                for column, number in zip((*made._counts, *made._times), it, strict=True):
                    column[block] = number
        return made

    def blocks(self, counted: dict[int, Block], last: int) -> Iterator[tuple[int, Block]]:
        for block, it in enumerate(zip(*self._counts, *self._times, strict=True)):
            yield block, Block(*it)
        if last in counted:
            yield last, counted[last]


def neighbours(blocks: Sequence[int]) -> Iterator[range]:
    """Blocks that lie side by side as one range, in the order given (up or down)."""
    run: range | None = None
    for block in blocks:
        if run is not None and block == run.stop:
            run = range(run.start, block + 1)
        elif run is not None and block == run.start - 1:
            run = range(block, run.stop)
        else:
            if run is not None:
                yield run
            run = range(block, block + 1)
    if run is not None:
        yield run


# -- counting --------------------------------------------------------------------------------


def _count(db: Connection, search: Searched, unknown: Sequence[int]) -> dict[int, Block]:
    """Blocks without a row may be left out."""
    wanted = search.wanted
    if search.table is uploads and wanted.sync_id is not None and len(unknown) > _FEW_BLOCKS:
        holds_some = _counted_by_triggers(db, replace(search, wanted=Wanted(wanted.sync_id)), 0)
        unknown = [block for block in unknown if block in holds_some]
    elif search.table is syncs and wanted.sync_id is not None:
        unknown = [block for block in unknown if block == wanted.sync_id >> BLOCK_BITS]
    elif (
        search.table is uploads
        and len(unknown) > _FEW_BLOCKS
        and wanted.text is None
        and wanted.within is None
    ):
        return _counted_by_triggers(db, search, unknown[0])
    found: dict[int, Block] = {}
    for run in neighbours(unknown):
        for start in range(run.start, run.stop, _BLOCKS_A_STATEMENT):
            some = range(start, min(start + _BLOCKS_A_STATEMENT, run.stop))
            found |= _read(db, _grouped(search, some))
    return found


def _grouped(search: Searched, blocks: range) -> Select[Any]:
    table = search.table.c
    block = search.row_id.op(">>")(BLOCK_BITS)
    of_status = [func.sum(table.status == it.value, type_=Integer) for it in _STATUSES]
    times = func.min(table.started_at_ms), func.max(table.started_at_ms)
    found = select(block, *of_status, *times).where(search.in_blocks(blocks), *search.conditions)
    return found.group_by(block)


def _counted_by_triggers(db: Connection, search: Searched, first: int) -> dict[int, Block]:
    """Of uploads, from block `first` on; neither text nor folder can be asked."""
    blocks = upload_blocks.c
    of_status = [func.sum(blocks[it.value.lower()]) for it in _STATUSES]
    times = func.min(blocks.first_started_at_ms), func.max(blocks.last_started_at_ms)
    found = select(blocks.block, *of_status, *times).where(blocks.block >= first)
    if search.wanted.sync_id is not None:
        found = found.where(blocks.sync_id == search.wanted.sync_id)
    if search.wanted.sync_type is not None:
        found = found.where(_type_of(upload_blocks) == search.wanted.sync_type.value)
    return _read(db, found.group_by(blocks.block).order_by(blocks.block))


def _read(db: Connection, grouped: Select[Any]) -> dict[int, Block]:
    return {int(row[0]): Block(*map(int, row[1:])) for row in db.execute(grouped)}


def _wanted_of(
    db: Connection, search: Searched, blocks: Iterator[tuple[int, Block]]
) -> Iterator[tuple[int, int]]:
    """Of blocks that lie wholly in the time wanted what is known; the others are counted."""
    wanted = search.wanted
    for block, it in blocks:
        number = _with_status(it, wanted.status)
        since_ms = it.first_ms if wanted.since_ms is None else wanted.since_ms
        until_ms = it.last_ms + 1 if wanted.until_ms is None else wanted.until_ms
        if not number or it.last_ms < since_ms or it.first_ms >= until_ms:
            continue
        if not since_ms <= it.first_ms <= it.last_ms < until_ms:
            counted = select(func.count()).select_from(search.table)
            in_it = search.in_blocks(range(block, block + 1))
            number = int(db.execute(counted.where(in_it, *search.conditions)).scalar_one())
        if number:
            yield block, number


def _with_status(block: Block, status: SyncStatus | None) -> int:
    if status is None:
        return block.syncing + block.finished + block.failed
    return block[_STATUSES.index(status)]


# -- conditions ------------------------------------------------------------------------------


def _type_of(table: Table) -> ColumnElement[str]:
    """Row by row: as a list of the syncs of a type it would be made anew by each statement."""
    if table is syncs:
        return syncs.c.sync_type
    of_row = select(syncs.c.sync_type).where(syncs.c.sync_id == table.c.sync_id)
    return of_row.correlate(table).scalar_subquery()


def _has(text: ColumnElement[str], part: str) -> Condition:
    """`%` and `_` of the part are plain characters."""
    for special in (_ESCAPE, "%", "_"):
        part = part.replace(special, _ESCAPE + special)
    return text.like(f"%{part}%", escape=_ESCAPE)


def _lies_within(path: ColumnElement[str], folder: LakePath) -> Condition:
    # "0" follows "/": a range of paths below.
    top = str(folder)
    return or_(path == top, and_(path > f"{top}/", path < f"{top}0"))

"""The files of one sync as rows, read anew without losing the place where somebody looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from PySide6.QtCore import QModelIndex, QObject, Signal

from app.domain.errors import LakeDropError
from app.domain.snapshots import as_ranges
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.history.history_model import FileCells
from app.ui.tables.cell import Cell
from app.ui.tables.cell_model import CellModel
from app.ui.tables.server_rows import Row
from embedded_server.contract import SyncStatus

_MORE = 500


class SyncFilesModel(CellModel):
    """Newest first; more of them as somebody scrolls towards the end.

    The server has no list by sync: the engine reads its history backwards, a stretch a call, so an
    answer may bring no row and still not be the last. A refresh reads from the end again, back to
    the oldest row that can have changed since, and puts in what it finds: rows keep their place.
    """

    searching = Signal(bool)  # rows that are not here yet are looked for
    read = Signal()  # the server answered
    failed = Signal(object)  # LakeDropError

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__((), parent)
        self._context = context
        self._cells = FileCells(context, self)
        self.columns = self._cells.columns()
        self._rows: list[Row] = []
        self._sync: tuple[str, int] | None = None
        self._before: int | None = None  # where older rows go on
        self._is_whole = True
        self._asking = False
        self._again = False
        self._generation = 0
        self._wanted = _MORE
        self._known = 0  # rows of the server's whole history
        self._seen = 0  # how many of these were looked through, up to the newest
        self._changing: set[int] = set()  # history ids of rows that are still under way
        self.is_running = False
        """Whether the sync is still under way on the server."""

    def show_sync(self, connection: str, sync_id: int) -> None:
        self.beginResetModel()
        self._generation += 1
        self._rows = []
        self._sync = (connection, sync_id)
        self._before, self._is_whole, self._wanted, self._known = None, False, _MORE, 0
        self._asking = self._again = self.is_running = False
        self._seen, self._changing = 0, set()
        self.endResetModel()
        self._ask_older()

    @property
    def is_asking(self) -> bool:
        return self._asking

    def refresh(self) -> None:
        """Looks at the server again; what is shown stays until its answer is here."""
        if self._asking:
            self._again = True  # the answer that is under way may be older than the wish
        elif self._rows or self._is_whole:
            self._ask_newer(None, [], after=0)
        else:
            self._before = None
            self._ask_older()

    def look(self) -> None:
        """As `refresh`, for what was added or can have changed alone; not while it is asking."""
        if self._asking:
            return
        if self._seen and not self._changing:
            self._ask_newer(None, [], after=self._seen)
        else:
            self.refresh()

    def row_count(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> Cell:
        return self._cells.cell(self._rows[row], column)

    def look_at(self, last: int) -> None:
        """Rows down to this one are on screen."""
        if last >= len(self._rows) - _MORE // 4 and not self._is_whole:
            self._wanted = len(self._rows) + _MORE
            self._ask_older()

    # -- older rows --------------------------------------------------------------------------

    def _ask_older(self) -> None:
        if self._asking or self._is_whole or self._sync is None:
            return
        self.searching.emit(True)

        def take(result: Result) -> None:
            self._before = result["before"]
            self._is_whole = self._before is None
            self._merge(result["uploads"])
            if len(self._rows) < self._wanted and not self._is_whole:
                self._ask_older()
            else:
                self.searching.emit(False)

        self._ask(self._before, take)

    # -- newer rows, and those that changed --------------------------------------------------

    def _ask_newer(self, before: int | None, found: list[Row], *, after: int) -> None:
        """From the end back to the offset `after` and to the oldest row that may have changed."""
        back_to = min([_id(self._rows[0]) if self._rows else 0, *self._changing])

        def take(result: Result) -> None:
            found.extend(result["uploads"])
            at_end = result["before"] is None
            if not at_end and not (found and _id(found[-1]) <= back_to):
                self._ask_newer(result["before"], found, after=after)
                return
            self._drop_gone(found, is_whole=at_end and not after)
            self._merge(found)
            if not self._rows:
                self.searching.emit(False)

        self._ask(before, take, after)

    def _drop_gone(self, found: Sequence[Row], *, is_whole: bool) -> None:
        """Rows that should be among the newest ones, and are not there any more."""
        there = {_id(row) for row in found}
        reach = 0 if is_whole else min(there, default=_id(self._rows[0]) if self._rows else 0)
        gone = [
            place
            for place, row in enumerate(self._rows)
            if _id(row) > reach and _id(row) not in there
        ]
        for first, last in reversed(as_ranges(gone)):
            self.beginRemoveRows(QModelIndex(), first, last)
            self._changing.difference_update(map(_id, self._rows[first : last + 1]))
            del self._rows[first : last + 1]
            self.endRemoveRows()

    def _merge(self, rows: Iterable[Row]) -> None:
        """By their ids, whatever order they come in; those that are here already may be newer."""
        new: list[tuple[int, Row]] = []
        for row in sorted({_id(row): row for row in rows}.values(), key=_id, reverse=True):
            if row["sync_status"] == SyncStatus.SYNCING.value:
                self._changing.add(_id(row))
            else:
                self._changing.discard(_id(row))
            place = bisect_left(self._rows, -_id(row), key=lambda known: -_id(known))
            if place == len(self._rows) or _id(self._rows[place]) != _id(row):
                new.append((place, row))
            elif self._rows[place] != row:
                self._rows[place] = row
                self.tell_rows(place, place)
        for place, placed in reversed([(at, list(run)) for at, run in groupby(new, _place)]):
            self.beginInsertRows(QModelIndex(), place, place + len(placed) - 1)
            self._rows[place:place] = [row for _, row in placed]
            self.endInsertRows()

    # -- both --------------------------------------------------------------------------------

    def _ask(self, before: int | None, take: Callable[[Result], None], after: int = 0) -> None:
        if self._sync is None:
            return
        self._asking = True
        generation = self._generation
        connection, sync_id = self._sync

        def answered(result: Result) -> None:
            if generation != self._generation:
                return
            self._asking = False
            self._known = int(result["count"])
            self.is_running = bool(result["running"])
            take(result)
            if not self._asking:
                self._seen = self._known
                self.read.emit()
                self._look_again()

        def refused(error: LakeDropError) -> None:
            if generation != self._generation:
                return
            self._asking = False
            if self._again:
                self._look_again()
            else:
                self.searching.emit(False)
                self.failed.emit(error)

        self._context.link.ask(
            "history_of_sync",
            answered,
            refused,
            owner=self,
            connection={"name": connection},
            key=None,
            sync_id=sync_id,
            before=before,
            limit=_MORE,
            known=self._known,
            after=after,
        )

    def _look_again(self) -> None:
        if self._again:
            self._again = False
            self.refresh()


def _id(row: Row) -> int:
    return int(row["history_id"])


def _place(placed: tuple[int, Row]) -> int:
    return placed[0]

"""A server's list, newest first, of which only what is on screen is fetched.

Servers count from their oldest row: table row r is the server's row `total - 1 - r`. Rows are only
ever appended there, so what was fetched stays right while the table grows at its top.

Nothing of that is taken for granted. Rows that a server counts but does not give stay empty until
somebody looks again, instead of being asked for without end; those of a page stand by their ids,
since the contract's public backend orders none; and what a table cannot hold is left out at its old
end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.ui.engine_client import EngineLink, Result
from app.ui.tables.paged_rows import OnRows, PagedRows

Row = Mapping[str, Any]

MOST_ROWS = 10_000_000
"""Qt measures a table's height in pixels that fit into 31 bits."""

_ID = {"sync_jobs": "sync_id", "history": "history_id"}


class ServerRows(QObject):
    """`of` is `sync_jobs` or `history`. Nothing is asked before `show_connection`."""

    about_to_grow = Signal(int)  # by so many rows, at the top
    grown = Signal()
    about_to_be_replaced = Signal()
    replaced = Signal()
    arrived = Signal(int, int)  # table rows, first and last
    refreshed = Signal()  # the server answered, and nothing that it was asked since has failed
    failed = Signal(object)  # LakeDropError

    def __init__(self, link: EngineLink, of: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._of = of
        self._connection: str | None = None
        self._generation = 0
        self._counting = False
        self._count_again = False
        self._page_failed = False  # since the last look, or the last page that came
        self._total = 0  # on the server
        self.count = 0  # in the table
        self._pages = PagedRows(self._fetch, self)
        self._pages.arrived.connect(self._on_arrived)

    @property
    def connection(self) -> str | None:
        return self._connection

    def show_connection(self, name: str) -> None:
        self._connection = name
        self._start_over()

    def row(self, row: int) -> Row | None:
        """None until `arrived` tells it, or for good where `is_missing`."""
        found = self._pages.row(self.count - 1 - row)
        return found if isinstance(found, Mapping) else None

    def known(self, row: int) -> Row | None:
        found = self._pages.known(self.count - 1 - row)
        return found if isinstance(found, Mapping) else None

    def is_missing(self, row: int) -> bool:
        """The server counts this row, was asked for it, and did not give it."""
        return self._pages.known(self.count - 1 - row) is _MISSING

    @property
    def is_asking(self) -> bool:
        return self._counting or self._pages.is_fetching

    def refresh(self, first: int, last: int) -> None:
        """Looks for newer rows, and at these table rows again; what is shown stays meanwhile.

        What is under way is asked once more: its answer may be older than the wish.
        """
        self._page_failed = False
        if self.count and first <= last:
            oldest = max(self.count - 1 - last, 0)
            self._pages.refresh(oldest, self.count - 1 - first, again=True)
        self._look_for_count(again=True)

    def _start_over(self) -> None:
        self._generation += 1
        self._counting = self._count_again = self._page_failed = False
        self._replace(0)
        self._look_for_count()

    def _look_for_count(self, *, again: bool = False) -> None:
        if self._connection is None:
            return
        if self._counting:
            self._count_again = self._count_again or again
            return
        self._counting = True
        generation = self._generation

        def counted(result: Result) -> None:
            if generation == self._generation:
                self._counting = False
                self._take_count(max(int(result["count"]), 0))
                if not self._is_counted_again() and not self._page_failed:
                    self.refreshed.emit()

        def refused(error: LakeDropError) -> None:
            if generation == self._generation:
                self._counting = False
                if not self._is_counted_again():
                    self.failed.emit(error)

        self._link.ask(
            "count_rows",
            counted,
            refused,
            owner=self,
            connection={"name": self._connection},
            key=None,
            of=self._of,
            known=self._total,
        )

    def _is_counted_again(self) -> bool:
        if self._count_again:
            self._count_again = False
            self._look_for_count()
        return self._counting

    def _take_count(self, total: int) -> None:
        # Fewer: another server stands there now, or its rows were taken away.
        if total < self._total or total > MOST_ROWS:
            if total != self._total:
                self._generation += 1
                self._replace(total)
        elif total > self._total:
            self.about_to_grow.emit(total - self._total)
            self.count = self._total = total
            self.grown.emit()

    def _replace(self, total: int) -> None:
        self.about_to_be_replaced.emit()
        self._total, self.count = total, min(total, MOST_ROWS)
        self._pages.clear()
        self.replaced.emit()

    def _fetch(self, first: int, count: int, on_rows: OnRows) -> None:
        generation = self._generation
        limit = min(count, self.count - first)
        if self._connection is None or limit <= 0:
            on_rows([])
            return

        def take(result: Result) -> None:
            given: Sequence[Row] = result["rows"]
            rows = sorted(given[:limit], key=lambda row: int(row[_ID[self._of]]))
            lost = limit - len(rows)
            on_rows([*rows, *([_MISSING] * lost)])
            if generation != self._generation:
                return
            if lost:
                self._look_for_count()  # fewer than there were
            if self._page_failed:
                self._page_failed = False
                self.refreshed.emit()

        def refused(error: LakeDropError) -> None:
            on_rows(None)
            if generation == self._generation:
                self._page_failed = True
                self.failed.emit(error)

        self._link.ask(
            "page_rows",
            take,
            refused,
            owner=self,
            connection={"name": self._connection},
            key=None,
            of=self._of,
            offset=self._total - self.count + first,
            limit=limit,
        )

    def _on_arrived(self, first: int, last: int) -> None:
        self.arrived.emit(max(self.count - 1 - last, 0), self.count - 1 - first)


_MISSING = object()

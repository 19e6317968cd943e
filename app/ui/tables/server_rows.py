"""A server's list, newest first, of which only what is on screen is fetched.

Servers count from their oldest row: table row r is the server's row `count - 1 - r`. Rows are only
ever appended there, so what was fetched stays right while the table grows at its top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.ui.engine_client import EngineLink, Result
from app.ui.tables.paged_rows import OnRows, PagedRows

Row = Mapping[str, Any]


class ServerRows(QObject):
    """`of` is `sync_jobs` or `history`. Nothing is asked before `show_connection`."""

    about_to_grow = Signal(int)  # by so many rows, at the top
    grown = Signal()
    about_to_be_replaced = Signal()
    replaced = Signal()
    arrived = Signal(int, int)  # table rows, first and last
    refreshed = Signal()  # the server answered
    failed = Signal(object)  # LakeDropError

    def __init__(self, link: EngineLink, of: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._of = of
        self._connection: str | None = None
        self._generation = 0
        self._counting = False
        self.count = 0
        self._pages = PagedRows(self._fetch, self)
        self._pages.arrived.connect(self._on_arrived)

    @property
    def connection(self) -> str | None:
        return self._connection

    def show_connection(self, name: str) -> None:
        self._connection = name
        self._start_over()

    def row(self, row: int) -> Row | None:
        """None until `arrived` tells it."""
        found = self._pages.row(self.count - 1 - row)
        return found if isinstance(found, Mapping) else None

    def known(self, row: int) -> Row | None:
        found = self._pages.known(self.count - 1 - row)
        return found if isinstance(found, Mapping) else None

    def refresh(self, first: int, last: int) -> None:
        """Looks for newer rows, and at these table rows again; what is shown stays meanwhile."""
        if self.count and first <= last:
            self._pages.refresh(max(self.count - 1 - last, 0), self.count - 1 - first)
        self._look_for_count()

    def _start_over(self) -> None:
        self._generation += 1
        self._counting = False
        self.about_to_be_replaced.emit()
        self.count = 0
        self._pages.clear()
        self.replaced.emit()
        self._look_for_count()

    def _look_for_count(self) -> None:
        if self._counting or self._connection is None:
            return
        self._counting = True
        generation = self._generation

        def counted(result: Result) -> None:
            if generation == self._generation:
                self._counting = False
                self._take_count(int(result["count"]))
                self.refreshed.emit()

        def refused(error: LakeDropError) -> None:
            if generation == self._generation:
                self._counting = False
                self.failed.emit(error)

        self._link.ask(
            "count_rows",
            counted,
            refused,
            owner=self,
            connection={"name": self._connection},
            key=None,
            of=self._of,
            known=self.count,
        )

    def _take_count(self, count: int) -> None:
        if count < self.count:  # another server stands there now, or its rows were taken away
            self._generation += 1
            self.about_to_be_replaced.emit()
            self.count = count
            self._pages.clear()
            self.replaced.emit()
        elif count > self.count:
            self.about_to_grow.emit(count - self.count)
            self.count = count
            self.grown.emit()

    def _fetch(self, first: int, count: int, on_rows: OnRows) -> None:
        generation = self._generation
        limit = min(count, self.count - first)
        if self._connection is None or limit <= 0:
            on_rows([])
            return

        def take(result: Result) -> None:
            rows: Sequence[Any] = result["rows"]
            on_rows(rows)
            if len(rows) < limit and generation == self._generation:
                self._look_for_count()  # fewer than there were

        def refused(error: LakeDropError) -> None:
            on_rows(None)
            if generation == self._generation:
                self.failed.emit(error)

        self._link.ask(
            "page_rows",
            take,
            refused,
            owner=self,
            connection={"name": self._connection},
            key=None,
            of=self._of,
            offset=first,
            limit=limit,
        )

    def _on_arrived(self, first: int, last: int) -> None:
        self.arrived.emit(max(self.count - 1 - last, 0), self.count - 1 - first)

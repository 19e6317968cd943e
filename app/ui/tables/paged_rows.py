"""A window on many rows that lie elsewhere: pages fetched as they come into sight, few kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

OnRows = Callable[[Sequence[Any] | None], None]
"""Called with the rows of a page, fewer than asked at the end; None where they cannot be had."""

Fetch = Callable[[int, int, OnRows], None]
"""`fetch(first, count, on_rows)`; answers later, on the window's thread."""

_AT_ONCE = 2
_WANTED = 6  # pages; what scrolled past meanwhile is forgotten


class PagedRows(QObject):
    """Rows by number. `row` never waits: a missing row is None until `arrived` tells its page."""

    arrived = Signal(int, int)  # first and last row of a page
    failed = Signal()

    def __init__(
        self, fetch: Fetch, parent: QObject | None = None, *, page_rows: int = 128, keep: int = 64
    ) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._page_rows = page_rows
        self._keep = keep
        self._pages: OrderedDict[int, Sequence[Any]] = OrderedDict()
        self._stale: set[int] = set()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._under_way: set[int] = set()
        self._again: set[int] = set()  # of those under way: asked for anew meanwhile
        self._generation = 0
        # After the paint that asks, so that one paint is one look at what is missing.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._fetch_wanted)

    def row(self, number: int) -> Any | None:
        page_number, place = divmod(number, self._page_rows)
        page = self._pages.get(page_number)
        if page is None or page_number in self._stale:
            self._want(page_number)
        if page is None:
            return None
        self._pages.move_to_end(page_number)
        if place >= len(page):  # rows were added behind it since
            self._want(page_number)
            return None
        return page[place]

    def known(self, number: int) -> Any | None:
        """As `row`, without asking for what is not here."""
        page_number, place = divmod(number, self._page_rows)
        page = self._pages.get(page_number)
        return page[place] if page is not None and place < len(page) else None

    def clear(self) -> None:
        """All rows are others now; answers still under way no longer count."""
        self._generation += 1
        self._pages.clear()
        self._stale.clear()
        self._wanted.clear()
        self._under_way.clear()
        self._again.clear()

    @property
    def is_fetching(self) -> bool:
        return bool(self._under_way or self._wanted)

    def refresh(self, first: int, last: int, *, again: bool = False) -> None:
        """Fetches these rows again; the old ones stay until the new ones are here.

        `again`: also those that are under way right now, since their answer may be too old.
        """
        self._stale.update(self._pages)
        for page_number in range(max(first, 0) // self._page_rows, last // self._page_rows + 1):
            if again and page_number in self._under_way:
                self._again.add(page_number)
            self._want(page_number)

    def _want(self, page_number: int) -> None:
        if page_number in self._under_way:
            return
        self._wanted[page_number] = None
        self._wanted.move_to_end(page_number)
        while len(self._wanted) > _WANTED:
            self._wanted.popitem(last=False)
        if not self._soon.isActive():
            self._soon.start()

    def _fetch_wanted(self) -> None:
        while self._wanted and len(self._under_way) < _AT_ONCE:
            page_number, _ = self._wanted.popitem()  # the newest wish is what is on screen
            self._under_way.add(page_number)
            self._stale.discard(page_number)
            generation = self._generation

            def on_rows(
                rows: Sequence[Any] | None,
                page_number: int = page_number,
                generation: int = generation,
            ) -> None:
                self._take(page_number, generation, rows)

            self._fetch(page_number * self._page_rows, self._page_rows, on_rows)

    def _take(self, page_number: int, generation: int, rows: Sequence[Any] | None) -> None:
        if generation != self._generation:
            return
        self._under_way.discard(page_number)
        if rows is None:
            self.failed.emit()
        else:
            before = self._pages.get(page_number)
            self._pages[page_number] = rows
            self._pages.move_to_end(page_number)
            while len(self._pages) > self._keep:
                self._pages.popitem(last=False)
            first = page_number * self._page_rows
            if rows and rows != before:  # looked at again: mostly they are as they were
                self.arrived.emit(first, first + len(rows) - 1)
        if page_number in self._again:
            self._again.discard(page_number)
            self._want(page_number)
        if self._wanted:
            self._soon.start()

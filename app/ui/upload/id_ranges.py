"""Row numbers to item numbers and back, as ranges: a few numbers for a million rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Range = tuple[int, int]
"""First and last item number, inclusive."""


class IdRanges:
    """Item numbers in row order, ascending; appended to at the end as files are found."""

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._rows: list[int] = []  # the row at which each range begins
        self.count = 0
        self.append(ranges)

    def append(self, ranges: Iterable[Sequence[int]]) -> int:
        """Adds ranges that lie behind all that are here; says how many rows that were."""
        before = self.count
        for first, last in ranges:
            if self._lasts and first == self._lasts[-1] + 1:
                self._lasts[-1] = last
            else:
                self._firsts.append(first)
                self._lasts.append(last)
                self._rows.append(self.count)
            self.count += last - first + 1
        return self.count - before

    @property
    def last(self) -> int:
        """The highest number, 0 where there is none."""
        return self._lasts[-1] if self._lasts else 0

    def id_at(self, row: int) -> int:
        place = bisect_right(self._rows, row) - 1
        return self._firsts[place] + row - self._rows[place]

    def row_of(self, item_id: int) -> int | None:
        place = bisect_right(self._firsts, item_id) - 1
        if place < 0 or item_id > self._lasts[place]:
            return None
        return self._rows[place] + item_id - self._firsts[place]

    def ids_of_rows(self, first_row: int, last_row: int) -> list[Range]:
        """The numbers of these rows (inclusive), as ranges."""
        found: list[Range] = []
        last_row = min(last_row, self.count - 1)
        row = max(first_row, 0)
        place = bisect_right(self._rows, row) - 1
        while row <= last_row:
            first = self._firsts[place] + row - self._rows[place]
            last = min(self._lasts[place], first + last_row - row)
            found.append((first, last))
            row += last - first + 1
            place += 1
        return found

    def rows_within(self, first: int, last: int) -> Range | None:
        """The rows whose numbers lie within, as first and last row; None where there is none."""
        low = bisect_right(self._lasts, first - 1)
        high = bisect_right(self._firsts, last) - 1
        if low > high or low >= len(self._firsts):
            return None
        start = self._rows[low] + max(first - self._firsts[low], 0)
        end = self._rows[high] + min(last, self._lasts[high]) - self._firsts[high]
        return (start, end) if start <= end else None

"""A page of names in order, out of more than should be in memory at once.

They are gone through several times instead: to draw separators from them, to count what lies
between those, and then again for the stretch that holds the page, until that is small. What comes
and goes meanwhile may be missed or move a page's edge, as between any two pages.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

_HELD = 20_000  # names at once: some MiB

NamesAnew = Callable[[], Iterable[str]]


def page_of(names: NamesAnew, offset: int, limit: int, held: int = _HELD) -> tuple[int, list[str]]:
    """(how many there are, those from `offset` on, `limit` at most).

    `names` gives all of them, in any order, as often as it is called. Of each kind of list that is
    made here at most `held` are kept, or as many as some pages have.
    """
    if offset + limit <= held:
        counted = _Counted(names())
        page = heapq.nsmallest(max(offset + limit, 1), counted)  # of none it would look at none
        return counted.count, page[offset : offset + limit]
    # With fewer separators than names on a page it might lie in all stretches, and go on for ever.
    held = max(held, 2 * limit + 4)
    total: int | None = None
    begin: str | None = None  # the page lies in this stretch, `end` not included
    end: str | None = None
    before = 0  # so many names lie before it
    while True:
        count, drawn = _drawn(_within(names(), begin, end), held)
        total = count if total is None else total
        first = offset - before
        if first >= count:
            return total, []
        if len(drawn) == count:
            return total, drawn[first : first + limit]
        stretches = [0] * (len(drawn) + 1)
        for name in _within(names(), begin, end):
            stretches[bisect_right(drawn, name)] += 1
        low = high = passed = 0
        while low < len(drawn) and passed + stretches[low] <= first:
            passed += stretches[low]
            low += 1
        upto, high = passed + stretches[low], low
        while high < len(drawn) and upto < first + limit:
            high += 1
            upto += stretches[high]
        begin = drawn[low - 1] if low else begin
        end = drawn[high] if high < len(drawn) else end
        before += passed


class _Counted:
    def __init__(self, names: Iterable[str]) -> None:
        self._names = names
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        for name in self._names:
            self.count += 1
            yield name


def _drawn(names: Iterable[str], most: int) -> tuple[int, list[str]]:
    """(how many there are, every nth of them, sorted); all of them where they are not too many."""
    kept: list[str] = []
    step, count = 1, 0
    for name in names:
        if count % step == 0:
            if len(kept) == most:
                kept, step = kept[::2], 2 * step
            if count % step == 0:
                kept.append(name)
        count += 1
    return count, sorted(kept)


def _within(names: Iterable[str], begin: str | None, end: str | None) -> Iterator[str]:
    for name in names:
        if (begin is None or begin <= name) and (end is None or name < end):
            yield name

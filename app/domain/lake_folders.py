"""Whole folders of a lake, read page by page, while others may be writing there."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping

from embedded_server.contract import MAX_PAGE_SIZE
from embedded_server.contract_extensions import LakeEntries, LakeEntry

ReadPage = Callable[[str, int, int], LakeEntries | None]
"""Folder, offset, limit; None where the server cannot be asked."""

Folder = Mapping[str, LakeEntry]

_MOST_ENTRIES_KEPT = 100_000
_TRIES = 3


def whole_folder(read: ReadPage, folder: str) -> Folder | None:
    """By name; empty where the folder is not there.

    A name that goes while the pages are read shifts those after it, and one would be passed over:
    then the folder is read again.
    """
    for _ in range(_TRIES):
        found: dict[str, LakeEntry] = {}
        totals: set[int] = set()
        offset = 0
        while True:
            page = read(folder, offset, MAX_PAGE_SIZE)
            if page is None:
                return None
            totals.add(page.total)
            found.update((entry.name, entry) for entry in page.rows)
            offset += MAX_PAGE_SIZE
            if offset >= page.total:
                break
        if len(totals) == 1:
            break
    return found


class LakeFolders:
    """The folders that were asked for last; those before them are forgotten, to bound memory."""

    def __init__(
        self,
        read: ReadPage,
        most_entries: int = _MOST_ENTRIES_KEPT,
        max_age_s: float = math.inf,
        now_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """A listing older than `max_age_s` on the clock `now_s` is asked for anew."""
        self._read = read
        self._most_entries = most_entries
        self._max_age_s = max_age_s
        self._now_s = now_s
        self._kept: OrderedDict[str, tuple[float, Folder]] = OrderedDict()
        self._entries = 0

    def folder(self, path: str) -> Folder | None:
        """None where the server cannot be asked."""
        now_s = self._now_s()
        if path in self._kept:
            since_s, known = self._kept[path]
            if now_s - since_s <= self._max_age_s:
                self._kept.move_to_end(path)
                return known
            self._drop(path)
        found = whole_folder(self._read, path)
        if found is None:
            return None
        self._kept[path] = now_s, found
        self._entries += len(found) + 1
        while self._entries > self._most_entries and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))
        return found

    def _drop(self, path: str) -> None:
        _, dropped = self._kept.pop(path)
        self._entries -= len(dropped) + 1

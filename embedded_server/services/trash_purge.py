"""Removes from the trash by itself what has lain there for long, or is too much.

Age is counted, as idle time is (see `expiry`): a clock of the trash's own goes on by what the
monotonic clock saw, and beyond that by the wall clock's word for a seventh of the limit a look at
most. What was seen for the first time counts from then. So neither a clock that jumps nor a long
rest makes old what was put there yesterday, and what is not known to be old is young.

What is removed leaves the trash in one step, whole; a start deletes what a crash left of it then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from embedded_server.domain.errors import LakeError, NothingThere
from embedded_server.domain.ports import AgesOfTrash, Catalog, Clock, TrashedVersions
from embedded_server.domain.trash import InTrash, Seen, TrashAges, TrashLimits, Version

_BELIEVED_PART = 7
_LONGEST_PAUSE_MS = 60 * 60 * 1000
_LOOKS_A_LIMIT = 100
_SAVED_A_LIMIT = 30  # once a day where nothing else has changed; far below the part believed

_log = logging.getLogger(__name__)


class TrashPurge:
    """`look` is for one thread; any other may ask `purge_at_ms`."""

    def __init__(
        self,
        trashed: TrashedVersions,
        ages: AgesOfTrash,
        catalog: Catalog,
        clock: Clock,
        monotonic_ms: Clock,
        limits: TrashLimits,
    ) -> None:
        """`monotonic_ms` is a clock that nobody can set."""
        self._trashed = trashed
        self._kept = ages
        self._catalog = catalog
        self._clock = clock
        self._monotonic_ms = monotonic_ms
        self._limits = limits
        self._looked_at_ms: int | None = None
        self._ages = self._saved = ages.load()
        self._sizes: dict[tuple[str, str], int] = {}  # by name and mark: measuring looks at it all
        self._stopping = threading.Event()

    @property
    def _pause_ms(self) -> int:
        age_ms = self._limits.age_ms
        return min(_LONGEST_PAUSE_MS, age_ms // _LOOKS_A_LIMIT if age_ms else _LONGEST_PAUSE_MS)

    def purge_at_ms(self, version: Version) -> int | None:
        """When its age will remove it, at the earliest, ms since 1970 UTC; None: never."""
        age_ms = self._limits.age_ms
        if age_ms is None:
            return None
        ages = self._ages
        seen = ages.seen.get(version.name)
        lain_ms = 0 if seen is None else ages.counted_ms - seen.since_ms
        return self._clock() + max(0, age_ms - lain_ms)

    def look(self) -> None:
        """Does nothing before its time has come; told often, it looks once an hour at most.

        Raises `LakeFull`, `LakeFault`; what was removed by then stays removed.
        """
        if self._limits == TrashLimits(None, None):
            return
        monotonic_ms = self._monotonic_ms()
        last_ms = self._looked_at_ms
        if last_ms is not None and monotonic_ms - last_ms < self._pause_ms:
            return
        self._looked_at_ms = monotonic_ms
        self._look(0 if last_ms is None else monotonic_ms - last_ms)

    def stop(self) -> None:
        """Nothing more is begun to be removed; any thread may call it."""
        self._stopping.set()

    def _look(self, seen_ms: int) -> None:
        everything = self._trashed.everything()
        running = self._catalog.running_sync_ids()  # after that: of what lies there, none is missed
        # What a running sync replaces is still being added to: it counts, and stays.
        over = [it for it in everything if it.version is None or it.version.sync_id not in running]
        self._ages = self._counted(everything, over, seen_ms)
        try:
            self._purge(everything, over)
        finally:
            self._save()

    def _save(self) -> None:
        """Not each time: what was counted since the last time, a start takes from the wall clock,
        within what it believes of it."""
        ages, saved = self._ages, self._saved
        counted_ms = ages.counted_ms - saved.counted_ms
        if ages.seen == saved.seen and counted_ms < (self._limits.age_ms or 0) // _SAVED_A_LIMIT:
            return
        try:
            self._kept.save(ages)
            self._saved = ages
        except LakeError as error:  # the next look tries again
            _log.error("ages of the trash could not be kept: %s", error.message)

    def _purge(self, everything: Sequence[InTrash], over: list[InTrash]) -> None:
        over.sort(key=lambda it: (self._ages.seen[it.name].since_ms, it.at_ms))
        old = {it.name for it in over if self._is_old(it)}
        sizes = self._sized([it for it in everything if it.name not in old], over)
        left_bytes = sum(sizes.values())
        gone = 0
        for it in over:
            is_too_much = (
                self._limits.size_bytes is not None and left_bytes > self._limits.size_bytes
            )
            if self._stopping.is_set() or not (it.name in old or is_too_much):
                continue
            gone += self._trashed.remove_marked(it)
            left_bytes -= sizes.get(it.name, 0)
        if gone:
            _log.info("purged %d versions from the trash", gone)

    def _counted(
        self, everything: Sequence[InTrash], over: Sequence[InTrash], seen_ms: int
    ) -> TrashAges:
        before, now_ms = self._ages, self._clock()
        told_ms = 0 if before.seen_at_ms is None else now_ms - before.seen_at_ms
        believed_ms = (self._limits.age_ms or 0) // _BELIEVED_PART
        counted_ms = before.counted_ms + max(seen_ms, min(told_ms, seen_ms + believed_ms))
        seen = {it.name: Seen(it.mark, counted_ms) for it in everything}
        for it in over:
            last = before.seen.get(it.name)
            if last is not None and last.mark == it.mark:
                seen[it.name] = last
        return TrashAges(counted_ms, now_ms, seen)

    def _is_old(self, it: InTrash) -> bool:
        age_ms = self._limits.age_ms
        lain_ms = self._ages.counted_ms - self._ages.seen[it.name].since_ms
        return age_ms is not None and lain_ms >= age_ms

    def _sized(self, wanted: Sequence[InTrash], over: Sequence[InTrash]) -> dict[str, int]:
        """Bytes by name; empty where no size is asked for."""
        if self._limits.size_bytes is None:
            return {}
        known, self._sizes = self._sizes, {}
        whole = {it.name for it in over}  # nothing is added to these any more
        found = {}
        for it in wanted:
            size_bytes = known.get((it.name, it.mark)) if it.name in whole else None
            if size_bytes is None:
                try:
                    size_bytes = self._trashed.size_bytes_of(it)
                except NothingThere:  # put back meanwhile
                    continue
            found[it.name] = self._sizes[it.name, it.mark] = size_bytes
        return found

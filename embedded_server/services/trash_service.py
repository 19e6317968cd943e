"""Lists what syncs replaced, puts it back, and purges what is too old or too much."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from embedded_server.contract import SyncJob, SyncStatus, SyncType
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import InvalidParam, NothingThere, Refused
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Catalog, Clock, Origins, PuttingBack, TrashedVersions
from embedded_server.domain.trash import (
    BY_HAND,
    Purged,
    PutBack,
    TrashedFile,
    TrashedVersion,
    Version,
)

DAY_MS = 24 * 60 * 60 * 1000

_log = logging.getLogger(__name__)


class TrashService:
    def __init__(
        self,
        trashed: TrashedVersions,
        back: PuttingBack,
        catalog: Catalog,
        origins: Origins,
        clock: Clock,
        purge_at_ms: Callable[[Version], int | None] = lambda _: None,
    ) -> None:
        """`purge_at_ms` tells when age will remove a version, if ever."""
        self._trashed = trashed
        self._back = back
        self._catalog = catalog
        self._origins = origins
        self._clock = clock
        self._purge_at_ms = purge_at_ms

    def list(self, caller: Caller, offset: int, limit: int) -> tuple[int, Sequence[TrashedVersion]]:
        """(how many versions there are for this caller, a page of them, newest sync first)"""
        versions: Sequence[Version] = self._trashed.versions()
        if caller.path is not None:
            versions = [it for it in versions if _holds(caller.path, self._top_of(it))]
        page = versions[offset : offset + limit]
        rows = []
        for version in page:
            try:
                found = self._trashed.measured(version)
            except NothingThere:
                continue  # purged meanwhile
            # A swap marks folders with times some seconds ahead.
            at_ms = min(found.replaced_at_ms, self._clock())
            purge_at_ms = self._purge_at_ms(version)
            told = replace(found, replaced_at_ms=at_ms, purge_at_ms=purge_at_ms)
            rows.append(replace(told, job=self._job(version)))
        return len(versions), rows

    def files(
        self, caller: Caller, version: Version, offset: int, limit: int
    ) -> tuple[Sequence[TrashedFile], bool]:
        """(a page of its files by path, whether more follow). Raises `NothingThere`."""
        self._check_is_there(version)
        self._check_may_see(caller, version)
        found = list(itertools.islice(self._trashed.files(version), offset, offset + limit + 1))
        return found[:limit], len(found) > limit

    def restore(
        self, caller: Caller, version: Version, path: LakePath | None, state: str | None = None
    ) -> PutBack:
        """Without a path the whole version, as one unit. What stands there goes to the trash.

        With the `state` in which it was listed, a call that is sent again after its answer was lost
        does not take back what the first one did. Raises `ChangedMeanwhile` then; `NothingThere`,
        `NotAllowed`, `PathConflict`, `Refused`, `LakeFull`, `LakeFault`.
        """
        caller.check_may_change()
        if path is not None and state is not None:
            raise InvalidParam("state is that of a whole version: leave it out beside a path")
        # What a failing disk cut off lies in no version any more; who asks again is told its end.
        gone_on = self._back.go_on().get(version)
        if gone_on is not None and path is None:
            self._check_may_see(caller, version)
            return gone_on
        self._check_is_there(version)
        job = self._job(version)
        if job is not None and job.sync_status is SyncStatus.SYNCING:
            raise Refused(
                f"sync {version.sync_id} still runs: end or abort it, then put back what it"
                " replaced"
            )
        if path is None:
            self._check_may_see(caller, version)
            replaced = self._folder_replaced(version, job)
            if replaced is not None:  # as after a full sync: what it takes away need not be there
                self._origins.note_arranged([str(replaced)], self._clock())
            done = self._back.version(version, replaced, state)
        else:
            caller.check_may_see(path)
            if not self._trashed.is_there(version, path):
                raise NothingThere(f"{path} is not in this version")
            done = self._back.path(version, path)
        _log.info("sync %d: version %d was put back", version.sync_id, version.number)
        return done

    def _folder_replaced(self, version: Version, job: SyncJob | None) -> LakePath | None:
        """The folder that comes back whole: a full sync replaced all of it."""
        if job is None or job.sync_type is not SyncType.FULL:
            return None
        path = LakePath.parse(job.path)
        return path if self._trashed.is_there(version, path) else None

    def purge(self, older_than_ms: int | None, max_bytes: int | None) -> Purged:
        """For good: what has lain there so long, then the oldest until the rest is small enough.

        Raises `LakeFull`, `LakeFault`; what was removed by then stays removed.
        """
        now_ms = self._clock()
        oldest_ms = None if older_than_ms is None else now_ms - older_than_ms
        found: list[tuple[TrashedVersion, Version | str]] = []
        for version in self._trashed.versions():
            with suppress(NothingThere):  # put back, or purged by somebody else
                found.append((self._trashed.measured(version), version))
        for name in self._trashed.left_overs():
            with suppress(NothingThere):
                found.append((self._trashed.measured_left_over(name), name))
        found.sort(key=lambda it: it[0].replaced_at_ms)
        left_bytes = sum(it.size_bytes for it, _ in found)
        gone: list[TrashedVersion] = []
        for measured, it in found:
            is_old = oldest_ms is not None and min(measured.replaced_at_ms, now_ms) <= oldest_ms
            is_too_much = max_bytes is not None and left_bytes > max_bytes
            if not (is_old or is_too_much):
                continue
            if isinstance(it, Version):
                self._trashed.remove(it)
            else:
                self._trashed.remove_left_over(it)
            left_bytes -= measured.size_bytes
            gone.append(measured)
        purged = Purged(len(gone), sum(it.files for it in gone), sum(it.size_bytes for it in gone))
        if gone:
            _log.info("purged %d versions, %d bytes", purged.versions, purged.size_bytes)
        return purged

    # -- whose a version is ------------------------------------------------------------------

    def _check_is_there(self, version: Version) -> None:
        if not self._trashed.is_there(version):
            raise NothingThere(
                f"version {version.number} of sync {version.sync_id} is not in the trash"
            )

    def _check_may_see(self, caller: Caller, version: Version) -> None:
        top = self._top_of(version)
        if top is not None:
            caller.check_may_see(top)
        elif caller.path is not None:
            raise NothingThere("this version is not at this key's path")

    def _top_of(self, version: Version) -> LakePath | None:
        """The sync's path, or what the disk tells where no sync is known; None: all of the lake."""
        job = self._job(version)
        if job is not None:
            return LakePath.parse(job.path)
        try:
            return LakePath.parse(self._trashed.top(version))
        except (InvalidParam, NothingThere):
            return None

    def _job(self, version: Version) -> SyncJob | None:
        if version.sync_id == BY_HAND:
            return None
        return next(iter(self._catalog.sync_jobs(version.sync_id - 1, 1)), None)


def _holds(path: LakePath, top: LakePath | None) -> bool:
    return top is not None and path.holds(top)

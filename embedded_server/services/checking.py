"""Compares what lies on the disk with what the catalog says, and mends the catalog."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.entries import Entry, EntryKind, Origin
from embedded_server.domain.errors import InvalidParam, NothingThere, Refused, SyncNotFound
from embedded_server.domain.known import ExpectedFile, KnownFile, Replacements
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Browsing, Catalog, Clock, Origins
from embedded_server.domain.sync import Sync

MISSING, CHANGED, EXTRA = "missing", "changed", "extra"
ADOPTED, LEFT_OUT = "adopted", "left out"
_AT_ONCE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is one of the words above, or empty for a file that is as it should be."""

    what: str
    path: str
    why: str = ""


class Checking:
    """On a lake that nobody is writing to."""

    def __init__(
        self, catalog: Catalog, browsing: Browsing, origins: Origins, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._browsing = browsing
        self._origins = origins
        self._clock = clock

    # -- verify ------------------------------------------------------------------------------

    def verify(self) -> Iterator[Finding]:
        """Every published file is read anew. Raises `LakeFault`."""
        for folder, entry in self._browsing.walk(None):
            yield self._verified(folder, entry)
        for gone in self._gone():
            yield Finding(MISSING, f"{gone.folder}/{gone.file_name}", "it was published")

    def _verified(self, folder: tuple[str, ...], entry: Entry) -> Finding:
        text = _text(folder)
        path = f"{text}/{entry.name}"
        [origin] = self._origins.of(text, [entry])
        if origin is None:
            if self._origins.is_known_place(text, entry.name):
                return Finding(CHANGED, path, "size or time is not that of any upload")
            return Finding(EXTRA, path, "no upload brought it")
        return self._digest_checked(folder, entry.name, path, origin.sha256)

    def _digest_checked(
        self, folder: tuple[str, ...], name: str, path: str, sha256: str
    ) -> Finding:
        try:
            _, found = self._browsing.digested(folder, name)
        except NothingThere:
            return Finding(MISSING, path, "it is not there any more")
        except Refused as error:
            return Finding(CHANGED, path, error.message)
        if sha256 and found != sha256:
            return Finding(CHANGED, path, "its bytes do not have the digest that was noted")
        return Finding("", path)

    def verify_sync(self, sync_id: int) -> Iterator[Finding]:
        """Every file that a sync brought; for a full sync also what else is at its path.

        Raises `SyncNotFound`, `Refused` for a full sync that is not in sight, `LakeFault`.
        """
        sync = self._finished(sync_id)
        return self._sync_verified(sync)

    def _finished(self, sync_id: int) -> Sync:
        sync = self._catalog.find_sync(sync_id)
        if sync is None:
            raise SyncNotFound(sync_id)
        if sync.is_full and sync.status is not SyncStatus.FINISHED:
            raise Refused(f"sync {sync_id} has not put anything into sight: it is {sync.status}")
        return sync

    def _sync_verified(self, sync: Sync) -> Iterator[Finding]:
        for rows in self._origins.manifest(sync.sync_id):
            for row in rows:
                *above, name = row.path[1:].split("/")
                yield self._digest_checked(tuple(above), name, row.path, row.sha256)
        if sync.sync_type is SyncType.FULL:
            try:
                yield from self._not_brought(sync)
            except NothingThere:
                return  # all that it brought was told as missing

    def _not_brought(self, sync: Sync) -> Iterator[Finding]:
        walked = self._browsing.walk(sync.path)
        for folder, files in itertools.groupby(walked, key=lambda it: it[0]):
            text = _text(folder)
            for some in _some_at_a_time(entry.name for _, entry in files):
                brought = self._origins.brought(sync.sync_id, text, some)
                for name in some:
                    if name not in brought:
                        yield Finding(EXTRA, f"{text}/{name}", "this sync did not bring it")

    # -- rescan ------------------------------------------------------------------------------

    def rescan(self) -> Iterator[Finding]:
        """Notes every file as it is now, and that what is gone is gone. Raises `LakeFault`."""
        waiting: list[KnownFile] = []
        for folder, entry in self._browsing.walk(None):
            found = self._rescanned(folder, entry, waiting)
            if found is not None:
                yield found
            if len(waiting) >= _AT_ONCE:
                self._origins.note_files(waiting)
                waiting.clear()
        self._origins.note_files(waiting)
        for gone in _some_at_a_time(f"{it.folder}/{it.file_name}" for it in self._gone()):
            self._origins.note_arranged(gone, self._clock())
            for path in gone:
                yield Finding(MISSING, path)

    def _rescanned(
        self, folder: tuple[str, ...], entry: Entry, waiting: list[KnownFile]
    ) -> Finding | None:
        text = _text(folder)
        path = f"{text}/{entry.name}"
        if self._origins.of(text, [entry])[0] is not None:
            return None
        try:
            LakePath.parse(path)
            seen, sha256 = self._browsing.digested(folder, entry.name)
        except InvalidParam as error:
            return Finding(LEFT_OUT, path, error.message)
        except Refused as error:
            return Finding(LEFT_OUT, path, error.message)
        except NothingThere:
            return None
        waiting.append(KnownFile(text, seen, Origin(0, 0, sha256, "", self._clock())))
        is_known = self._origins.is_known_place(text, entry.name)
        return Finding(CHANGED if is_known else ADOPTED, path)

    def _gone(self) -> Iterator[ExpectedFile]:
        """What is not there although nothing explains it, by path; however many, none is kept."""
        replacements = Replacements(self._origins.replacements())
        expected = self._origins.expected()
        for folder, files in itertools.groupby(expected, key=lambda it: it.folder):
            is_folder = self._is_folder(folder)
            for _, of_place in itertools.groupby(files, key=lambda it: it.file_name):
                it = max(of_place, key=lambda it: it.at_ms)
                is_there = is_folder and self._is_there(it)
                if not is_there and not replacements.explain(it):
                    yield it

    def _is_folder(self, folder: str) -> bool:
        try:
            path = LakePath(tuple(folder.split("/")[1:]))
            return not folder or self._browsing.entry(path).kind is EntryKind.FOLDER
        except NothingThere:
            return False

    def _is_there(self, expected: ExpectedFile) -> bool:
        try:
            # Not parsed: a file may lie deeper by one than a folder may.
            *segments, name = [*expected.folder.split("/")[1:], expected.file_name]
            found = self._browsing.entry(LakePath((*segments, name)))
        except NothingThere:
            return False
        return found.kind is EntryKind.FILE


def _some_at_a_time(names: Iterator[str]) -> Iterator[list[str]]:
    while some := list(itertools.islice(names, _AT_ONCE)):
        yield some


def _text(folder: tuple[str, ...]) -> str:
    return "".join(f"/{segment}" for segment in folder)

"""What is in the lake: shown, read, arranged by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from embedded_server.contract import LakeUsage
from embedded_server.domain.caller import Caller
from embedded_server.domain.entries import Entry, EntryKind, KnownEntry
from embedded_server.domain.errors import NotAllowed
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Arranging, Browsing, Lake, Origins, ReadFile
from embedded_server.domain.trash import Version

_log = logging.getLogger(__name__)


class BrowseService:
    def __init__(
        self, lake: Lake, browsing: Browsing, arranging: Arranging, origins: Origins
    ) -> None:
        self._lake = lake
        self._browsing = browsing
        self._arranging = arranging
        self._origins = origins

    def entries(
        self, caller: Caller, path: LakePath | None, offset: int, limit: int
    ) -> tuple[int, Sequence[KnownEntry]]:
        """(how many there are, a page by name). Raises `NothingThere`, `NotAllowed`."""
        if path is not None:
            caller.check_may_see(path)
        elif caller.path is not None:
            raise NotAllowed(f"this key is bound to {caller.path}: ask for that path")
        total, found = self._browsing.entries(path, offset, limit)
        return total, self._known("" if path is None else str(path), found)

    def entry(self, caller: Caller, path: LakePath) -> tuple[KnownEntry, LakeUsage | None]:
        """One path; of a folder also what is in it."""
        caller.check_may_see(path)
        found = self._browsing.entry(path)
        folder = "/".join(("", *path.segments[:-1]))
        [known] = self._known(folder, [found])
        return known, self._lake.usage(path) if found.kind is EntryKind.FOLDER else None

    def _known(self, folder: str, found: Sequence[Entry]) -> list[KnownEntry]:
        files = [entry for entry in found if entry.kind is EntryKind.FILE]
        origins = dict(zip((it.name for it in files), self._origins.of(folder, files), strict=True))
        return [KnownEntry(entry, origins.get(entry.name)) for entry in found]

    def open(self, caller: Caller, path: LakePath) -> ReadFile:
        caller.check_may_see(path)
        return self._browsing.open(path)

    def zipped(self, caller: Caller, path: LakePath) -> Iterator[bytes]:
        caller.check_may_see(path)
        return self._browsing.zipped(path)

    def make_folder(self, caller: Caller, path: LakePath) -> bool:
        caller.check_may_write(path)
        return self._arranging.make_folder(path)

    def delete(self, caller: Caller, path: LakePath) -> Version:
        caller.check_may_write(path)
        version = self._arranging.delete(path)
        _log.info("deleted into version %d of the trash", version.number)
        return version

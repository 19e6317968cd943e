"""What is in the lake: shown, read, arranged by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from embedded_server.contract import LakeUsage
from embedded_server.domain.caller import Caller
from embedded_server.domain.entries import Entry, EntryKind, KnownEntry
from embedded_server.domain.errors import NotAllowed
from embedded_server.domain.known import KnownFile
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Arranging, Browsing, Clock, Lake, Origins, ReadFile
from embedded_server.domain.trash import Version

_NOTED_AT_ONCE = 500

_log = logging.getLogger(__name__)


class BrowseService:
    def __init__(
        self,
        lake: Lake,
        browsing: Browsing,
        arranging: Arranging,
        origins: Origins,
        clock: Clock,
    ) -> None:
        self._lake = lake
        self._browsing = browsing
        self._arranging = arranging
        self._origins = origins
        self._clock = clock

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
        self._browsing.entry(path)  # before a note of what is not there
        self._origins.note_arranged([str(path)], self._clock())
        version = self._arranging.delete(path)
        _log.info("deleted into version %d of the trash", version.number)
        return version

    def rename(self, caller: Caller, path: LakePath, to: LakePath) -> None:
        """The catalog goes along: each file is still known by what brought it.

        What is noted before the move describes what will be there; where the move fails it
        describes nothing, and nobody meets it.
        """
        caller.check_may_write(path)
        caller.check_may_write(to)
        if self._browsing.entry(path).kind is EntryKind.FILE:
            self._note_moved([(path.segments[:-1], self._browsing.entry(path))], path, to)
        else:
            self._note_moved(self._browsing.walk(path), path, to)
        self._origins.note_arranged([str(path)], self._clock())
        self._arranging.rename(path, to)

    def _note_moved(
        self, files: Iterable[tuple[tuple[str, ...], Entry]], path: LakePath, to: LakePath
    ) -> None:
        waiting: list[KnownFile] = []
        for folder, entry in files:
            [origin] = self._origins.of(_text(folder), [entry])
            if origin is not None:
                *new_folder, name = (*to.segments, *(*folder, entry.name)[len(path.segments) :])
                waiting.append(KnownFile(_text(new_folder), replace(entry, name=name), origin))
            if len(waiting) >= _NOTED_AT_ONCE:
                self._origins.note_files(waiting)
                waiting.clear()
        self._origins.note_files(waiting)


def _text(folder: Sequence[str]) -> str:
    return "".join(f"/{segment}" for segment in folder)

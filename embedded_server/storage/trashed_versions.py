"""Reads the trash as it lies on the disk, and takes versions out of it for good.

    trash/<sync_id>/<number>/<lake path>     a version: what a sync replaced (0: deleted by hand)
    trash/staged-<number>/                   what a sync had staged when it lost its place

Nothing is remembered about it anywhere else, so a lake that was copied, or whose catalog was lost,
still has its trash. Links in it are neither followed nor counted.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from embedded_server.domain.errors import NothingThere
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.trash import BY_HAND, InTrash, TrashedFile, TrashedVersion, Version
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.layout import Layout
from embedded_server.storage.shared_lock import SharedLock

_LEFT_OVER = "staged-"


class TrashedVersions:
    def __init__(
        self, disk: Disk, layout: Layout, folders: DurableFolders, swap_lock: SharedLock
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._swap_lock = swap_lock

    def versions(self) -> list[Version]:
        """Of the newest sync first, and of each its latest number first."""
        found = []
        with translated():
            for sync_id in self._numbers_in(self._layout.all_trash):
                of_sync = os.path.join(self._layout.all_trash, str(sync_id))
                found += [Version(sync_id, number) for number in self._numbers_in(of_sync)]
        return sorted(found, reverse=True)

    def _numbers_in(self, folder: str) -> list[int]:
        try:
            names = self._disk.names_in(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        # Only as this program writes them: "007" would be looked for at "7".
        return [int(name) for name in names if name.isdecimal() and str(int(name)) == name]

    def is_there(self, version: Version, path: LakePath | None = None) -> bool:
        """By whole folders: no part of the way to `path` may be a link."""
        place = self._place(version)
        with translated():
            for segment in () if path is None else path.segments:
                if self._disk.kind(place) is not Kind.FOLDER:
                    return False
                place = os.path.join(place, segment)
            wanted = (Kind.FOLDER,) if path is None else (Kind.FOLDER, Kind.FILE)
            return self._disk.kind(place) in wanted

    def measured(self, version: Version) -> TrashedVersion:
        """With its size and its age, for which all of it is looked at."""
        with _reading():
            return _measured(version, self._place(version))

    def top(self, version: Version) -> str:
        with _reading():
            return _top_of(self._place(version))

    def files(self, version: Version) -> Iterator[TrashedFile]:
        """All of them, by their paths: a folder's names in order, each folder where its name is."""
        with _reading():
            yield from _files_below(self._place(version), "")

    def left_overs(self) -> list[str]:
        """Names of what was set aside for syncs that lost their place."""
        with translated():
            names = self._disk.names_in(self._layout.all_trash)
        return sorted(name for name in names if name.startswith(_LEFT_OVER))

    def measured_left_over(self, name: str) -> TrashedVersion:
        with _reading():
            return _measured(Version(BY_HAND, 0), os.path.join(self._layout.all_trash, name))

    def everything(self) -> list[InTrash]:
        found = []
        named: dict[str, Version | None] = dict.fromkeys(self.left_overs())
        named |= {it.name: it for it in self.versions()}
        for name, version in named.items():
            with suppress(NothingThere), _reading():  # put back or purged meanwhile
                found.append(InTrash(name, version, *mark_of(self._lies_at(name))))
        return found

    def size_bytes_of(self, it: InTrash) -> int:
        with _reading():
            return _measured(Version(BY_HAND, 0), self._lies_at(it.name)).size_bytes

    def remove_marked(self, it: InTrash) -> bool:
        with suppress(NothingThere):
            return self._remove(self._lies_at(it.name), it.mark)
        return False

    def _lies_at(self, name: str) -> str:
        return os.path.join(self._layout.all_trash, *name.split("/"))

    def remove(self, version: Version) -> None:
        """For good. Cut off at any step, it is there, or gone once the server has started."""
        self._remove(self._place(version))

    def remove_left_over(self, name: str) -> None:
        self._remove(os.path.join(self._layout.all_trash, name))

    def _remove(self, place: str, mark: str | None = None) -> bool:
        """False where nothing lies there, or not what has the `mark` any more."""
        # Out of the trash in one step, then file by file: a start finds the rest in `incoming`.
        gone = os.path.join(self._layout.incoming, uuid.uuid4().hex)
        with translated():
            with self._swap_lock.exclusive():  # nobody is half-way through keeping something there
                try:
                    if mark is not None and mark_of(place)[0] != mark:
                        return False
                    self._disk.rename(place, gone)
                except FileNotFoundError:
                    return False  # another purge was quicker
                self._folders.forget()
                above = os.path.dirname(place)
                # Before any of its files goes: a power cut may keep what comes later and lose this,
                # and half a version in the trash would be put back for all of it.
                try:
                    self._disk.fsync_folder(self._layout.incoming)
                    self._disk.fsync_folder(above)
                except OSError:
                    with suppress(OSError):
                        self._disk.rename(gone, place)
                    raise
                if above != self._layout.all_trash:
                    with suppress(OSError):  # holds other versions
                        os.rmdir(above)
            self._disk.remove_tree(gone)
        return True

    def _place(self, version: Version) -> str:
        return self._layout.trash_number(version.sync_id, version.number)


@contextmanager
def _reading() -> Iterator[None]:
    """Raises `NothingThere` for what was purged or put back meanwhile."""
    with translated():
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as cause:
            raise NothingThere("this version is not in the trash any more") from cause


def _top_of(place: str) -> str:
    """As far down as folders hold one folder and nothing else."""
    segments: list[str] = []
    while True:
        with os.scandir(place) as entries:
            inside = list(entries)
        if len(inside) != 1 or not inside[0].is_dir(follow_symlinks=False):
            return "/" + "/".join(segments)
        segments.append(inside[0].name)
        place = inside[0].path


def mark_of(place: str) -> tuple[str, int]:
    """(what changes when something else comes to lie here, the newest time in ms).

    Of the folders down to the first one that holds more than a folder: what a full sync replaced is
    exchanged there or above. What is deeper changes only while a sync runs.
    """
    newest_ns = folders = 0
    below = place
    for segment in ("", *_top_of(place).split("/")[1:]):
        below = os.path.join(below, segment) if segment else below
        found = os.lstat(below)
        newest_ns = max(newest_ns, found.st_mtime_ns)
        folders += found.st_ino
    return f"{newest_ns:x}-{folders:x}", newest_ns // 1_000_000


def _measured(version: Version, place: str) -> TrashedVersion:
    files = size_bytes = 0
    # Of the folders, not of the files: those keep the time at which they were published.
    newest_ns = os.lstat(place).st_mtime_ns
    waiting = [place]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    newest_ns = max(newest_ns, entry.stat(follow_symlinks=False).st_mtime_ns)
                elif entry.is_file(follow_symlinks=False):
                    files += 1
                    size_bytes += entry.stat(follow_symlinks=False).st_size
    newest_ms, state = newest_ns // 1_000_000, mark_of(place)[0]
    return TrashedVersion(version, _top_of(place), files, size_bytes, newest_ms, state=state)


def _files_below(place: str, path: str) -> Iterator[TrashedFile]:
    with os.scandir(place) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path, f"{path}/{entry.name}")
        elif entry.is_file(follow_symlinks=False):
            found = entry.stat(follow_symlinks=False)
            yield TrashedFile(f"{path}/{entry.name}", found.st_size, found.st_mtime_ns)

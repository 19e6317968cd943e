"""New folders, names and places for what is published, and the way into the trash."""

from __future__ import annotations

import os
from collections.abc import Callable

from embedded_server.domain.errors import NothingThere, PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.trash import BY_HAND, Version
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.layout import Layout
from embedded_server.storage.shared_lock import SharedLock


class Arranging:
    """Durable when it returns. Each is one step: cut off, it is done or not begun."""

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        folders: DurableFolders,
        swap_lock: SharedLock,
        unique_number: Callable[[], int],
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._swap_lock = swap_lock
        self._unique_number = unique_number

    def make_folder(self, path: LakePath) -> bool:
        """False where it is there already. Raises `PathConflict`, `LakeFull`, `LakeFault`."""
        with self._swap_lock.shared(), translated():
            is_new = self._disk.kind(self._layout.published(path)) is Kind.NOTHING
            self._folders.make(self._layout.files, path.segments)
            return is_new

    def delete(self, path: LakePath) -> Version:
        """To the trash, whole; returns the version that puts it back.

        Raises `NothingThere`, `PathConflict` for a link, `LakeFull`, `LakeFault`.
        """
        with self._swap_lock.exclusive(), translated():
            target = self._place(path)
            version = Version(BY_HAND, self._unique_number())
            above = [str(version.sync_id), str(version.number), *path.segments[:-1]]
            folder = self._folders.make(self._layout.all_trash, above)
            self._disk.rename(target, os.path.join(folder, path.segments[-1]))
            self._folders.forget()
            self._disk.fsync_folder(folder)
            self._disk.fsync_folder(os.path.dirname(target))
            return version

    def rename(self, path: LakePath, to: LakePath) -> None:
        """Never over something else.

        Raises `NothingThere`, `PathConflict`, `LakeFull`, `LakeFault`.
        """
        if path.holds(to):
            raise PathConflict(f"{path} cannot be moved into itself")
        with self._swap_lock.exclusive(), translated():
            source, target = self._place(path), self._layout.published(to)
            self._folders.make(self._layout.files, to.segments[:-1])
            if self._disk.kind(target) is not Kind.NOTHING:
                raise PathConflict(f"something is at {to} already")
            self._disk.rename(source, target)
            self._folders.forget()
            self._disk.fsync_folder(os.path.dirname(target))
            self._disk.fsync_folder(os.path.dirname(source))

    def _place(self, path: LakePath) -> str:
        """By whole folders, to a file or a folder."""
        place = self._layout.files
        for segment in path.segments[:-1]:
            place = os.path.join(place, segment)
            if self._disk.kind(place) is not Kind.FOLDER:
                raise NothingThere(f"{path} is not there")
        place = os.path.join(place, path.segments[-1])
        kind = self._disk.kind(place)
        if kind is Kind.NOTHING:
            raise NothingThere(f"{path} is not there")
        if kind is Kind.OTHER:
            raise PathConflict(f"{kind.value} stands at {path}: it is not the lake's")
        return place

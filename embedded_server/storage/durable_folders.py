"""Makes chains of folders whose entries survive a power cut, without paying for it every time."""

from __future__ import annotations

import os
from collections.abc import Sequence

from embedded_server.domain.errors import PathConflict
from embedded_server.storage.disk import Disk, Kind

_MAX_REMEMBERED = 20_000


class DurableFolders:
    """Remembers which folders' own entries were fsynced in this run.

    A folder that merely exists proves nothing: another thread, or a run that was killed, may have
    made it a moment ago and not yet fsynced its parent.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._durable: set[str] = set()

    def forget(self) -> None:
        """Folders were moved: what was known of their paths no longer holds."""
        self._durable.clear()

    def known(self, base: str, segments: Sequence[str]) -> str | None:
        """The folder where it stands and is known to be durable: no wait for the disk."""
        path = base
        for segment in segments:
            path = f"{path}{os.sep}{segment}"
            if path not in self._durable or self._disk.kind(path) is not Kind.FOLDER:
                return None
        return path

    def make(self, base: str, segments: Sequence[str]) -> str:
        """Returns the folder `base/segments…`, made and durable; `base` exists and is durable.

        Raises `PathConflict` where a component is no real folder, before anything is made.
        """
        path = base
        for segment in segments:
            parent, path = path, f"{path}{os.sep}{segment}"
            kind = self._disk.kind(path)
            if kind is Kind.NOTHING:
                try:
                    self._disk.make_folder(path)
                except FileExistsError:  # another upload was quicker
                    kind = self._disk.kind(path)
            elif kind is Kind.FOLDER and path in self._durable:
                continue
            if kind not in (Kind.NOTHING, Kind.FOLDER):
                raise PathConflict(f"{kind.value} stands where the folder {segment!r} is needed")
            self._disk.fsync_folder(parent)
            if len(self._durable) >= _MAX_REMEMBERED:
                self._durable.clear()
            self._durable.add(path)
        return path

"""A folder of the lake, held open: links are never followed, and a swap does not mix old and new.

What is opened below it is what it holds, whatever stands at its path by then. On systems that
cannot open by folder (Windows) each part of a path is looked at before it is used instead.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from types import TracebackType

from embedded_server.domain.entries import Entry, EntryKind

_BY_FOLDER = os.open in os.supports_dir_fd and os.listdir in os.supports_fd
_FOLDER_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
# Not blocking: a pipe that somebody put there must not hold the server.
_FILE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class OpenedFolder:
    """All methods raise `OSError`; `FileNotFoundError` and `NotADirectoryError` also for links."""

    def __init__(self, path: str, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def at(cls, top: str, segments: Sequence[str]) -> OpenedFolder:
        """`top` itself may lie behind a link; nothing below it may."""
        descriptor = os.open(os.path.realpath(top), _FOLDER_FLAGS) if _BY_FOLDER else None
        folder = cls(top, descriptor)
        for segment in segments:
            with folder:
                folder = folder.folder(segment)
        return folder

    def names(self) -> list[str]:
        """In order."""
        return sorted(os.listdir(self._path if self._descriptor is None else self._descriptor))

    def each_name(self) -> Iterator[str]:
        """In the order of the disk, a few at a time: of a folder that may hold a million."""
        if self._descriptor is None:
            place: str | int = self._path
        elif os.scandir in os.supports_fd:
            place = self._descriptor
        else:
            yield from os.listdir(self._descriptor)
            return
        with os.scandir(place) as found:
            for entry in found:
                yield entry.name

    def entry(self, name: str) -> Entry:
        if self._descriptor is None:
            found = os.lstat(os.path.join(self._path, name))
        else:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            return Entry(name, EntryKind.FILE, found.st_size, found.st_mtime_ns)
        kind = EntryKind.FOLDER if stat.S_ISDIR(found.st_mode) else EntryKind.OTHER
        return Entry(name, kind, 0, found.st_mtime_ns)

    def folder(self, name: str) -> OpenedFolder:
        path = os.path.join(self._path, name)
        if self.entry(name).kind is not EntryKind.FOLDER:
            raise NotADirectoryError(20, "is not a folder", path)
        if self._descriptor is None:
            return OpenedFolder(path, None)
        return OpenedFolder(path, os.open(name, _FOLDER_FLAGS, dir_fd=self._descriptor))

    def file(self, name: str) -> int:
        """A descriptor of a regular file, which the caller closes."""
        path = os.path.join(self._path, name)
        if self.entry(name).kind is not EntryKind.FILE:
            raise FileNotFoundError(2, "is not a file", path)
        if self._descriptor is None:
            descriptor = os.open(path, _FILE_FLAGS)
        else:
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=self._descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it came into the way just now
            os.close(descriptor)
            raise FileNotFoundError(2, "is not a file", path)
        return descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._path = ""

    def __enter__(self) -> OpenedFolder:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

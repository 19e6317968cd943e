"""Reads what is published: folders, files, and a folder as a zip stream. Follows no link."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from embedded_server.domain.entries import Entry, EntryKind
from embedded_server.domain.errors import NothingThere, Refused
from embedded_server.domain.lake_path import LakePath
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.layout import Layout
from embedded_server.storage.name_pages import page_of
from embedded_server.storage.opened_folder import OpenedFolder
from embedded_server.storage.zip_stream import PIECE_BYTES, zipped


class ReadFile:
    """A published file, held open: a replacement does not change what is read. Close it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        self.size_bytes = found.st_size
        self.mtime_ns = found.st_mtime_ns
        self._is_open = True

    def read(self, offset: int, most: int) -> bytes:
        with translated():
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, most)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)


class Browsing:
    """Raises `NothingThere` for what is not there, or behind a link; `LakeFault`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def entries(self, path: LakePath | None, offset: int, limit: int) -> tuple[int, list[Entry]]:
        """(how many there are, a page of them by name); None is the lake's root."""
        with _found(path), self._opened(path) as folder:
            total, names = page_of(folder.each_name, offset, limit)
            found = []
            for name in names:
                with suppress(FileNotFoundError):  # a moment ago it was there
                    found.append(folder.entry(name))
            return total, found

    def entry(self, path: LakePath) -> Entry:
        with _found(path), self._above(path) as folder:
            return folder.entry(path.segments[-1])

    def open(self, path: LakePath) -> ReadFile:
        with _found(path), self._above(path) as folder:
            return ReadFile(folder.file(path.segments[-1]))

    def walk(self, path: LakePath | None) -> Iterator[tuple[tuple[str, ...], Entry]]:
        """Every file at and below a folder: (segments of its own folder, itself), in order."""
        with _found(path), self._opened(path) as folder:
            yield from _walk(folder, () if path is None else path.segments)

    def digested(self, folder: tuple[str, ...], name: str) -> tuple[Entry, str]:
        """A file as it is and its SHA-256; raises `Refused` where it changes meanwhile."""
        with _found(None), OpenedFolder.at(self._layout.files, folder) as opened:
            before = opened.entry(name)
            digest = hashlib.sha256()
            with os.fdopen(opened.file(name), "rb", buffering=0) as file:
                while piece := file.read(PIECE_BYTES):
                    digest.update(piece)
                after = os.fstat(file.fileno())
        if (before.size_bytes, before.mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Refused(f"{name!r:.300} is being written: come back when that is over")
        return before, digest.hexdigest()

    def zipped(self, path: LakePath) -> Iterator[bytes]:
        """The folder as a zip archive, piece by piece; raises before the first where none is."""
        with _found(path):
            folder = self._opened(path)
        return zipped(folder, path.segments[-1], self._layout.incoming)

    def _opened(self, path: LakePath | None) -> OpenedFolder:
        return OpenedFolder.at(self._layout.files, () if path is None else path.segments)

    def _above(self, path: LakePath) -> OpenedFolder:
        return OpenedFolder.at(self._layout.files, path.segments[:-1])


@contextmanager
def _found(path: LakePath | None) -> Iterator[None]:
    with translated():
        try:
            yield
        except OSError as cause:
            if cause.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                what = "the lake" if path is None else str(path)
                raise NothingThere(f"{what} is not there, or is not what was asked for") from cause
            raise


def _walk(
    folder: OpenedFolder, segments: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Entry]]:
    for name in folder.names():
        try:
            entry = folder.entry(name)
            below = folder.folder(name) if entry.kind is EntryKind.FOLDER else None
        except (FileNotFoundError, NotADirectoryError):
            continue
        if below is not None:
            with below:
                yield from _walk(below, (*segments, name))
        elif entry.kind is EntryKind.FILE:
            yield segments, entry

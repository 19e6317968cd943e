"""A folder as a zip archive, made while it is sent: `zipfile` writes, and nothing piles up.

`zipfile` would keep an object of half a KiB for each member until the end, and then write the
archive's directory in one go. Both go through temporary files of the lake's own disk instead, so a
folder of a million files takes no more memory than one of ten.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from typing import IO

from embedded_server.domain.entries import EntryKind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.opened_folder import OpenedFolder

PIECE_BYTES = 1 << 20
_FIRST_YEAR = (1980, 1, 1, 0, 0, 0)
_LAST_YEAR = (2107, 12, 31, 23, 59, 58)
_FILE_MODE = 0o100644 << 16


def zipped(folder: OpenedFolder, name: str, temporary: str) -> Iterator[bytes]:
    """Takes the open folder over. `temporary`: a folder for what nobody but this needs."""
    # Stored, not compressed: data files mostly are already, and the disk is to be the limit.
    with (
        folder,
        translated(),
        tempfile.TemporaryFile(dir=temporary) as members,
        tempfile.TemporaryFile(dir=temporary) as directory,
    ):
        pieces = _Pieces()
        with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.filelist = _Members(members)
            archive.NameToInfo = _Forgotten()
            yield from _folder(archive, pieces, folder, f"{name}/")
            yield from pieces.taken()
            pieces.go_into(directory)
        directory.seek(0)
        while piece := directory.read(PIECE_BYTES):
            yield piece


class _Members(list[zipfile.ZipInfo]):
    """What `zipfile` has to know of each member to write the directory, on the disk."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._count = 0

    def append(self, member: zipfile.ZipInfo) -> None:
        told = (
            member.filename,
            member.date_time,
            member.CRC,
            member.file_size,
            member.header_offset,
            member.flag_bits,
            member.external_attr,
        )
        self._file.write(json.dumps(told).encode("ascii") + b"\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        self._file.seek(0)
        for line in self._file:
            name, at, crc, size_bytes, offset, flags, attributes = json.loads(line)
            member = zipfile.ZipInfo(name, tuple(at))
            member.CRC, member.file_size, member.compress_size = crc, size_bytes, size_bytes
            member.header_offset, member.flag_bits = offset, flags
            member.external_attr = attributes
            yield member


class _Forgotten(dict[str, zipfile.ZipInfo]):
    """Names by which `zipfile` would look for members that are there twice: a folder has none."""

    def __setitem__(self, _: str, __: zipfile.ZipInfo) -> None:
        pass


class _Pieces:
    """What `zipfile` writes to: it only moves forward."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._into: IO[bytes] | None = None

    def write(self, data: bytes) -> int:
        if self._into is not None:
            return self._into.write(data)
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self, at_least: int = 1) -> Iterator[bytes]:
        if len(self._waiting) >= at_least:
            piece, self._waiting = bytes(self._waiting), bytearray()
            yield piece

    def go_into(self, file: IO[bytes]) -> None:
        """From now on."""
        self._into = file


def _folder(
    archive: zipfile.ZipFile, pieces: _Pieces, folder: OpenedFolder, path: str
) -> Iterator[bytes]:
    names = folder.names()
    if not names:
        archive.writestr(zipfile.ZipInfo(_name(path), _FIRST_YEAR), b"")
    for name in names:
        try:
            entry = folder.entry(name)
            if entry.kind is EntryKind.FOLDER:
                with folder.folder(name) as below:
                    yield from _folder(archive, pieces, below, f"{path}{name}/")
                continue
            if entry.kind is not EntryKind.FILE:
                continue
            descriptor = folder.file(name)
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted a moment ago
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            told = zipfile.ZipInfo(_name(path + name), _time(entry.mtime_ns))
            told.external_attr = _FILE_MODE
            with archive.open(told, "w", force_zip64=True) as into:
                while data := file.read(PIECE_BYTES):
                    into.write(data)
                    yield from pieces.taken(PIECE_BYTES)
        yield from pieces.taken(PIECE_BYTES)


def _name(path: str) -> str:
    """Names that are no text (put there by hand) are spelt with marks where bytes are odd."""
    return os.fsencode(path).decode("utf-8", "replace")


def _time(mtime_ns: int) -> tuple[int, int, int, int, int, int]:
    at = time.gmtime(max(mtime_ns, 0) // 1_000_000_000)
    wanted = (at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec)
    return min(max(wanted, _FIRST_YEAR), _LAST_YEAR)

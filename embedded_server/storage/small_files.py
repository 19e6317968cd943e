"""Many small files at a time: written and made durable, then moved to where nothing stands yet.

    `store`: create, write … → start writing back, all → fsync, each
    `place`: look, rename …  → fsync of each folder

Starting the write-back of all before the first fsync is what makes it quick: that one commits the
file system's journal for all of them, and the others find their bytes on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from embedded_server.storage.disk import Disk, Kind

ToStore = tuple[str, Sequence[bytes]]  # the path of a new file, and its bytes in pieces
ToPlace = tuple[str, str]  # the path of a durable file, and the one it is to have
Stored = int | OSError  # the file's mtime in ns
Placed = Kind | OSError  # what stands at the target; `Kind.NOTHING` where the file was moved there


class SmallFiles(Protocol):
    """Any thread may call it. One outcome a file, in order; of one that failed nothing stays."""

    def store(self, files: Sequence[ToStore]) -> list[Stored]: ...

    def place(self, moves: Sequence[ToPlace]) -> list[Placed]:
        """The targets all differ, and their folders are durable."""


class InThisProcess:
    """See `SmallFiles`."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def store(self, files: Sequence[ToStore]) -> list[Stored]:
        outcomes: list[Stored] = [0] * len(files)
        written: list[tuple[int, int]] = []
        for index, (path, pieces) in enumerate(files):
            try:
                descriptor, outcomes[index] = self._write(path, pieces)
            except OSError as cause:
                outcomes[index] = cause
            else:
                written.append((index, descriptor))
        if len(written) > 1:  # a single one is fsynced at once
            for index, descriptor in written:
                size_bytes = sum(map(len, files[index][1]))
                self._disk.start_write_back(descriptor, 0, size_bytes)
        for index, descriptor in written:
            try:
                self._fsync_and_close(descriptor)
            except OSError as cause:
                outcomes[index] = cause
                self._remove(files[index][0])
        return outcomes

    def _write(self, path: str, pieces: Sequence[bytes]) -> tuple[int, int]:
        descriptor = self._disk.create_file(path)
        try:
            for piece in pieces:
                self._disk.write(descriptor, piece)
            return descriptor, self._disk.written_at_ns(descriptor)
        except OSError:
            self._disk.close(descriptor)
            self._remove(path)
            raise

    def _fsync_and_close(self, descriptor: int) -> None:
        # After a failure the bytes may be gone from memory too: never again on this descriptor,
        # the kernel may have marked the pages clean.
        try:
            self._disk.fsync_file(descriptor)
        finally:
            self._disk.close(descriptor)

    def _remove(self, path: str) -> None:
        with suppress(OSError):  # the first failure is the one to tell; a start removes the rest
            self._disk.unlink(path)

    def place(self, moves: Sequence[ToPlace]) -> list[Placed]:
        outcomes: list[Placed] = [Kind.NOTHING] * len(moves)
        folders: dict[str, list[int]] = {}
        with self._disk.holding({os.path.dirname(target) for _, target in moves}):
            for index, (source, target) in enumerate(moves):
                try:
                    outcomes[index] = kind = self._disk.kind(target)
                    if kind is Kind.NOTHING:
                        self._disk.replace(source, target)
                        folders.setdefault(os.path.dirname(target), []).append(index)
                except OSError as cause:
                    outcomes[index] = cause
        for folder, indices in folders.items():
            try:
                self._disk.fsync_folder(folder)
            except OSError as cause:
                for index in indices:
                    outcomes[index] = cause
        return outcomes

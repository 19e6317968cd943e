"""Many small files at a time: written and made durable, then moved to where nothing stands yet.

    `store`: create, write … → start writing back, all → fsync, each
    `place`: look, rename …  → fsync of each folder
    `put`:   create, write … → look → all of them into the log, fsynced → rename …

Starting the write-back of all before the first fsync is what makes `store` quick: that one commits
the file system's journal for all of them, and the others find their bytes on the disk. What was
`put` is durable by the log alone until `sync` has made the files durable themselves.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.intake_log import LoggedFact, Segment

# Files that are held open at a time by `sync`.
_MOST_OPEN = 256

ToStore = tuple[
    str, Sequence[bytes | memoryview]
]  # the path of a new file, and its bytes in pieces
ToPlace = tuple[str, str]  # the path of a durable file, and the one it is to have
Stored = int | OSError  # the file's mtime in ns
Placed = Kind | OSError  # what stands at the target; `Kind.NOTHING` where the file was moved there
# The file's mtime in ns where it is in its place; what stands there, and then the file, durable,
# still has its temporary name.
PutOutcome = int | Kind | OSError


class ToPut(NamedTuple):
    temporary: str
    target: str
    pieces: Sequence[bytes | memoryview]
    below_root: str  # the target, for the log: a lake may be moved
    row: tuple[Any, ...]  # what the catalog is to know of it


class LogPlace(NamedTuple):
    """Where in the log there is room; nobody else writes to this segment meanwhile."""

    segment: str
    run: int
    offset: int


class SmallFiles(Protocol):
    """Any thread may call it. One outcome a file, in order; of one that failed nothing stays."""

    def store(self, files: Sequence[ToStore]) -> list[Stored]: ...

    def place(self, moves: Sequence[ToPlace]) -> list[Placed]:
        """The targets all differ, and their folders are durable."""

    def put(self, files: Sequence[ToPut], at: LogPlace) -> tuple[list[PutOutcome], int]:
        """As `place`; and the offset behind the record."""

    def put_soon(
        self, files: Sequence[ToPut], at: LogPlace
    ) -> Awaitable[tuple[list[PutOutcome], int]] | None:
        """As `put`, begun already; called by an event loop, which does not wait. None, and nothing
        is begun, where that cannot be. However often it is cancelled, it comes to its end."""

    def sync(self, paths: Sequence[str]) -> list[OSError | None]:
        """Makes files durable, and the folders they lie in; one that is gone is no failure."""


class InThisProcess:
    """See `SmallFiles`."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._segments: dict[str, Segment] = {}

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

    def _write(self, path: str, pieces: Sequence[bytes | memoryview]) -> tuple[int, int]:
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

    def put(self, files: Sequence[ToPut], at: LogPlace) -> tuple[list[PutOutcome], int]:
        outcomes: list[PutOutcome] = [0] * len(files)
        standing: list[int] = []
        free: list[int] = []
        end = at.offset
        for index, file in enumerate(files):
            try:
                descriptor, outcomes[index] = self._write(file.temporary, file.pieces)
                self._disk.close(descriptor)
                kind = self._disk.kind(file.target)
            except OSError as cause:
                outcomes[index] = cause
                continue
            if kind is Kind.NOTHING:
                free.append(index)
            else:
                outcomes[index] = kind
                standing.append(index)
        durable = self._sync_files([files[index].temporary for index in standing])
        failed = {i: it for i, it in zip(standing, durable, strict=True) if it is not None}
        try:
            end = self._log([files[index] for index in free], [outcomes[i] for i in free], at)
        except OSError as cause:
            failed |= dict.fromkeys(free, cause)
        with self._disk.holding({os.path.dirname(files[index].target) for index in free}):
            for index in free:
                if index not in failed:
                    try:
                        self._disk.replace(files[index].temporary, files[index].target)
                    except OSError as cause:
                        failed[index] = cause
        for index, error in failed.items():
            outcomes[index] = error
            self._remove(files[index].temporary)
        return outcomes, end

    def put_soon(
        self, files: Sequence[ToPut], at: LogPlace
    ) -> Awaitable[tuple[list[PutOutcome], int]] | None:
        return None  # it would be a wait

    def _log(self, files: Sequence[ToPut], mtimes: Sequence[Any], at: LogPlace) -> int:
        """The offset behind the record. Raises `OSError`."""
        if not files:
            return at.offset
        facts = [
            LoggedFact(file.below_root, sum(map(len, file.pieces)), mtime_ns, file.row)
            for file, mtime_ns in zip(files, mtimes, strict=True)
        ]
        segment = self._segments.get(at.segment)
        if segment is None:
            segment = self._segments[at.segment] = Segment(self._disk, at.segment)
        pieces = [piece for file in files for piece in file.pieces]
        return segment.append(at.run, at.offset, facts, pieces)

    def sync(self, paths: Sequence[str]) -> list[OSError | None]:
        outcomes = self._sync_files(paths)
        for index, error in enumerate(self._sync_folders_of(paths)):
            outcomes[index] = outcomes[index] or error
        return outcomes

    def _sync_files(self, paths: Sequence[str]) -> list[OSError | None]:
        outcomes: list[OSError | None] = []
        for begin in range(0, len(paths), _MOST_OPEN):
            outcomes += self._sync_few(paths[begin : begin + _MOST_OPEN])
        return outcomes

    def _sync_few(self, paths: Sequence[str]) -> list[OSError | None]:
        outcomes: list[OSError | None] = [None] * len(paths)
        opened: list[tuple[int, int]] = []
        with self._disk.holding({os.path.dirname(path) for path in paths}):
            for index, path in enumerate(paths):
                try:
                    descriptor = self._disk.open_published(path)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # taken away by somebody else
                except OSError as cause:
                    outcomes[index] = cause
                else:
                    self._disk.start_write_back(descriptor, 0, 0)
                    opened.append((index, descriptor))
        for index, descriptor in opened:
            try:
                self._fsync_and_close(descriptor)
            except OSError as cause:
                outcomes[index] = cause
        return outcomes

    def _sync_folders_of(self, paths: Sequence[str]) -> list[OSError | None]:
        outcomes: dict[str, OSError | None] = {}
        for folder in dict.fromkeys(os.path.dirname(path) for path in paths):
            try:
                self._disk.fsync_folder(folder)
                outcomes[folder] = None
            except (FileNotFoundError, NotADirectoryError):
                outcomes[folder] = None
            except OSError as cause:
                outcomes[folder] = cause
        return [outcomes[os.path.dirname(path)] for path in paths]

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

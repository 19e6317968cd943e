"""The log of small files: one write and one wait for the disk make many of them durable together.

A segment is a file of records, one after the other, each at a multiple of 4 KiB (what was durable
is never written again, so a torn write harms nothing but what nobody was told of):

    head: magic, the segment's run, lengths, CRC of head and facts
    facts: of each file its place in the lake, its size, its mtime, and what the catalog is to know
    bytes: of all of them

A run begins at offset 0 whenever all of a segment's files stand by themselves; its number is
chance, so what is left of an older run behind it is told from it. What the bytes are worth is told
by the SHA-256 of each file, not by another sum over all of them.
"""

from __future__ import annotations

import marshal
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from embedded_server.storage.disk import Disk

SEGMENT_BYTES = 32 << 20

_BLOCK_BYTES = 4096
_FIRST_GROWTH_BYTES = 1 << 20
_HEAD = struct.Struct("<8sQIQI")
_MAGIC = b"LDintake"
_MOST_FACTS_BYTES = 8 << 20


class LoggedFact(NamedTuple):
    """What a record says of one file; plain values, so that any process can read it."""

    target: str  # below the lake's root
    size_bytes: int
    mtime_ns: int
    row: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LoggedFile:
    fact: LoggedFact
    data: bytes


def room_needed_bytes(sizes: Sequence[int], texts: Sequence[int]) -> int:
    """At most, for files of these sizes whose facts hold paths of these lengths."""
    # Four bytes for a character at most; digest, numbers and the name of a key beside them.
    return sum(sizes) + 4 * sum(texts) + 1024 * len(sizes) + 2 * _BLOCK_BYTES


class Segment:
    """One file of the log, written by one process at a time."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self.path = path
        self._descriptor = -1
        self._grown_bytes = 0

    def append(
        self, run: int, offset: int, facts: Sequence[LoggedFact], pieces: Sequence[Any]
    ) -> int:
        """Durable when it returns the offset behind it. Raises `OSError`."""
        told = marshal.dumps([tuple(fact) for fact in facts])
        head = _HEAD.pack(_MAGIC, run, len(told), sum(map(len, pieces)), 0)
        head = head[:-4] + struct.pack("<I", zlib.crc32(told, zlib.crc32(head)))
        end = offset + len(head) + len(told) + sum(map(len, pieces))
        self._open()
        self._grow_to(end)
        self._disk.write_at(self._descriptor, offset, [head, told, *pieces])
        self._disk.fsync_data(self._descriptor)
        return -(-end // _BLOCK_BYTES) * _BLOCK_BYTES

    def forget(self) -> None:
        """Nothing in it is to be done any more; durable when it returns. Raises `OSError`."""
        if self._descriptor < 0 and not os.path.exists(self.path):
            return
        self._open()
        self._disk.write_at(self._descriptor, 0, [bytes(_BLOCK_BYTES)])
        self._disk.fsync_data(self._descriptor)

    def remove(self) -> None:
        """Once it is forgotten: a lake at rest keeps no room for it."""
        self.close()
        with suppress(OSError):  # it holds nothing
            self._disk.unlink(self.path)

    def close(self) -> None:
        if self._descriptor >= 0:
            self._disk.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        if self._descriptor < 0:
            self._descriptor = self._disk.open_log(self.path)
            self._grown_bytes = self._disk.size_bytes(self.path)

    def _grow_to(self, end: int) -> None:
        """Blocks that were written before are written again without a commit of the journal."""
        if self._grown_bytes >= end:
            return
        grown_bytes = self._disk.size_bytes(self.path)  # another process may have done it
        wanted_bytes = max(grown_bytes, _FIRST_GROWTH_BYTES)
        while wanted_bytes < end:
            wanted_bytes *= 2
        try:
            more = bytes(wanted_bytes - grown_bytes)
            self._disk.write_at(self._descriptor, grown_bytes, [more])
            self._grown_bytes = wanted_bytes
        except OSError:  # no room for more than what is to be written, if for that
            self._disk.truncate(self._descriptor, max(grown_bytes, end))


def logged_files(path: str) -> Iterator[LoggedFile]:
    """What the run of a segment holds, in order, as far as it is whole. Raises `OSError`.

    The bytes may be torn: only the SHA-256 in the row says what they are worth.
    """
    with open(path, "rb", buffering=0) as file:
        offset = 0
        first_run = None
        while len(raw := os.pread(file.fileno(), _HEAD.size, offset)) == _HEAD.size:
            magic, run, facts_bytes, data_bytes, crc = _HEAD.unpack(raw)
            if magic != _MAGIC or run != (run if first_run is None else first_run):
                return
            if facts_bytes > _MOST_FACTS_BYTES:
                return
            told = os.pread(file.fileno(), facts_bytes, offset + _HEAD.size)
            head = raw[:-4] + bytes(4)
            if len(told) != facts_bytes or zlib.crc32(told, zlib.crc32(head)) != crc:
                return
            first_run = run
            position = offset + _HEAD.size + facts_bytes
            end = position + data_bytes
            for values in marshal.loads(told):  # noqa: S302  # of our own, and its sum is right
                fact = LoggedFact(*values)
                yield LoggedFile(fact, os.pread(file.fileno(), fact.size_bytes, position))
                position += fact.size_bytes
            offset = -(-end // _BLOCK_BYTES) * _BLOCK_BYTES

"""The steps that a disk in memory remembers, and how a power cut is told."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from enum import StrEnum

SECTOR_BYTES = 512
ROOT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one folder; `inode` None: it goes."""

    folder: int
    name: str
    inode: int | None


@dataclass(frozen=True, slots=True)
class Entries:
    """`is_one_step`: all or nothing survives. Otherwise in order, each only with those before."""

    entries: tuple[Entry, ...]
    is_one_step: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class Written:
    inode: int
    offset: int
    data: bytes
    grows_to: int  # the file's size afterwards
    at_ns: int


@dataclass(frozen=True, slots=True)
class Resized:
    inode: int
    size_bytes: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Marked:
    inode: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Synced:
    inode: int


Step = Entries | Written | Resized | Marked | Synced


class Kept(StrEnum):
    """What survives of that which was not synced."""

    ALL = "all"  # the process was killed, the power stayed
    NOTHING = "nothing"
    NAMES = "names"  # entries, and no bytes: as file systems that write metadata first
    UP_TO_A_STEP = "up to a step"  # as a journal keeps it
    ANY = "any"  # each step by chance: reordered
    TORN = "torn"  # the same, and writes by sectors, sizes without their bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes after `steps` of the log. The same cut and log leave the same disk."""

    steps: int
    kept: Kept
    seed: int


@dataclass(slots=True)
class Inode:
    number: int
    mode: int
    mtime_ns: int
    data: bytearray = field(default_factory=bytearray)
    entries: dict[str, int] = field(default_factory=dict)
    names: int = 0

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        resize(data, offset)
    data[offset : offset + len(piece)] = piece


def resize(data: bytearray, size_bytes: int) -> None:
    if size_bytes < len(data):
        del data[size_bytes:]
    else:
        data.extend(bytes(size_bytes - len(data)))

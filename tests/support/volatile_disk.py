"""A disk in memory that knows what a power cut may take away: a log of all that was done to it.

What is certain after a cut, and all that is (as POSIX has it, not as one file system happens to
do it):
- the bytes, size and time stamp of a file as of its last fsync;
- the entries of a folder as of that folder's last fsync; a file's own fsync says nothing of them;
- a rename within one folder is one step; a file's rename into another folder is two, an entry that
  comes (certain once its folder is synced) and one that goes, and the second is never kept without
  the first; the rename of a folder, and an exchange, is one step, certain once both folders are.

Of everything else any part may survive: see `Cut`. Not modelled: errors of the medium, sectors that
are damaged rather than old or new, and a disk that lies about fsync.
"""

from __future__ import annotations

import errno
import os
import random
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

SECTOR_BYTES = 512
ROOT = 1


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name of one folder; `inode` None: it goes."""

    folder: int
    name: str
    inode: int | None


@dataclass(frozen=True, slots=True)
class _Entries:
    """`is_one_step`: all or nothing survives. Otherwise in order, each only with those before."""

    entries: tuple[_Entry, ...]
    is_one_step: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class _Written:
    inode: int
    offset: int
    data: bytes
    grows_to: int  # the file's size afterwards
    at_ns: int


@dataclass(frozen=True, slots=True)
class _Resized:
    inode: int
    size_bytes: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class _Marked:
    inode: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class _Synced:
    inode: int


_Step = _Entries | _Written | _Resized | _Marked | _Synced


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


class VolatileDisk:
    """Not safe for threads: the caller serves one call at a time. Raises `OSError`."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._log: list[_Step] = []
        self._modes: dict[int, int] = {}
        self.inodes: dict[int, Inode] = {}
        self._add_inode(stat.S_IFDIR | 0o700)

    def _add_inode(self, mode: int) -> Inode:
        inode = Inode(len(self._modes) + 1, mode, self._clock_ns())
        self.inodes[inode.number] = inode
        self._modes[inode.number] = mode
        return inode

    @property
    def steps(self) -> int:
        return len(self._log)

    def renames(self) -> list[int]:
        """How many steps there were right after each rename."""
        return [
            number
            for number, step in enumerate(self._log, 1)
            if isinstance(step, _Entries) and len(step.entries) == 2
        ]

    # -- what a process asks for ---------------------------------------------------------------

    def find(self, path: str) -> Inode:
        inode = self.inodes[ROOT]
        for name in path.split("/"):
            if name:
                if not inode.is_folder:
                    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                number = inode.entries.get(name)
                if number is None:
                    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
                inode = self.inodes[number]
        return inode

    def _place(self, path: str) -> tuple[Inode, str]:
        above, _, name = path.rpartition("/")
        return self.find(above), name

    def make(self, path: str, mode: int) -> Inode:
        folder, name = self._place(path)
        if name in folder.entries:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        inode = self._add_inode(mode)
        self._change(_Entry(folder.number, name, inode.number))
        return inode

    def link(self, source: str, target: str) -> None:
        folder, name = self._place(target)
        if name in folder.entries:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._change(_Entry(folder.number, name, self.find(source).number))

    def remove(self, path: str, *, is_folder: bool) -> None:
        inode = self.find(path)
        if inode.is_folder != is_folder:
            code = errno.ENOTDIR if is_folder else errno.EISDIR
            raise OSError(code, os.strerror(code))
        if inode.entries:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        folder, name = self._place(path)
        self._change(_Entry(folder.number, name, None))

    def rename(self, source: str, target: str, *, may_replace: bool = True) -> None:
        moved = self.find(source)
        old_folder, old_name = self._place(source)
        new_folder, new_name = self._place(target)
        number = new_folder.entries.get(new_name)
        if number == moved.number:
            return
        if number is not None:
            there = self.inodes[number]
            if not may_replace:
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
            if there.is_folder != moved.is_folder:
                code = errno.EISDIR if there.is_folder else errno.ENOTDIR
                raise OSError(code, os.strerror(code))
            if there.entries:
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        self._change(
            _Entry(new_folder.number, new_name, moved.number),
            _Entry(old_folder.number, old_name, None),
            is_one_step=moved.is_folder or old_folder is new_folder,
        )

    def exchange(self, one: str, other: str) -> None:
        first, second = self.find(one), self.find(other)
        (one_folder, one_name), (other_folder, other_name) = self._place(one), self._place(other)
        self._change(
            _Entry(one_folder.number, one_name, second.number),
            _Entry(other_folder.number, other_name, first.number),
            is_one_step=True,
        )

    def _change(self, *entries: _Entry, is_one_step: bool = False) -> None:
        step = _Entries(entries, is_one_step, self._clock_ns())
        self._log.append(step)
        for entry in entries:
            folder = self.inodes[entry.folder]
            before = folder.entries.pop(entry.name, None)
            if before is not None:
                self.inodes[before].names -= 1
            if entry.inode is not None:
                folder.entries[entry.name] = entry.inode
                self.inodes[entry.inode].names += 1
            folder.mtime_ns = step.at_ns

    def write(self, number: int, offset: int, data: bytes) -> None:
        inode = self.inodes[number]
        end = max(len(inode.data), offset + len(data))
        _put(inode.data, offset, data)
        inode.mtime_ns = self._clock_ns()
        self._log.append(_Written(number, offset, data, end, inode.mtime_ns))

    def resize(self, number: int, size_bytes: int) -> None:
        inode = self.inodes[number]
        _resize(inode.data, size_bytes)
        inode.mtime_ns = self._clock_ns()
        self._log.append(_Resized(number, size_bytes, inode.mtime_ns))

    def mark(self, number: int, mtime_ns: int) -> None:
        self.inodes[number].mtime_ns = mtime_ns
        self._log.append(_Marked(number, mtime_ns))

    def set_mode(self, number: int, mode: int) -> None:
        inode = self.inodes[number]
        inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(mode)
        self._modes[number] = inode.mode

    def fsync(self, number: int) -> None:
        self._log.append(_Synced(number))

    # -- what is left --------------------------------------------------------------------------

    def load(self, folder: Path) -> None:
        """Everything below a folder of the real disk, as if it had been synced long ago."""
        known: dict[int, str] = {}
        made = [ROOT]
        for path in sorted(folder.rglob("*")):  # parents come before what they hold
            place = f"/{path.relative_to(folder).as_posix()}"
            facts = path.lstat()
            if facts.st_ino in known:
                self.link(known[facts.st_ino], place)
                continue
            inode = self.make(place, facts.st_mode)
            made.append(inode.number)
            if path.is_file():
                known[facts.st_ino] = place
                self.write(inode.number, 0, path.read_bytes())
        for path in sorted(folder.rglob("*"), reverse=True):
            place = f"/{path.relative_to(folder).as_posix()}"
            self.mark(self.find(place).number, path.lstat().st_mtime_ns)
        for number in made:
            self.fsync(number)

    def leave(self, cut: Cut, into: Path) -> None:
        """Writes what survives the cut into an empty folder of the real disk."""
        survivors = _Survivors(self._modes)
        for step in _surviving(self._log[: cut.steps], cut):
            survivors.take(step)
        survivors.write_out(into)


def _surviving(log: list[_Step], cut: Cut) -> Iterator[_Step]:
    """The steps, or parts of steps, that the cut leaves, in order."""
    chance = random.Random(f"{cut.kept}-{cut.seed}")
    last_sync: dict[int, int] = {}
    for number, step in enumerate(log):
        if isinstance(step, _Synced):
            last_sync[step.inode] = number
    share = chance.random()
    up_to = chance.randrange(len(log) + 1)

    def survives_by_chance(number: int) -> bool:
        match cut.kept:
            case Kept.NAMES:
                return isinstance(log[number], _Entries)
            case Kept.ALL:
                return True
            case Kept.NOTHING:
                return False
            case Kept.UP_TO_A_STEP:
                return number < up_to
        return chance.random() < share

    def is_synced(number: int, inode: int) -> bool:
        return number < last_sync.get(inode, -1)

    for number, step in enumerate(log):
        match step:
            case _Synced():
                continue
            case _Entries():
                yield from _surviving_entries(step, number, is_synced, survives_by_chance)
            case _:
                if is_synced(number, step.inode) or survives_by_chance(number):
                    yield step
                elif isinstance(step, _Written) and cut.kept in (Kept.TORN, Kept.NAMES):
                    if chance.random() < 0.5:
                        yield _Resized(step.inode, step.grows_to, step.at_ns)
                    if cut.kept is Kept.TORN:
                        yield from _torn(step, chance)


def _surviving_entries(
    step: _Entries,
    number: int,
    is_synced: Callable[[int, int], bool],
    survives_by_chance: Callable[[int], bool],
) -> Iterator[_Step]:
    certain = [is_synced(number, entry.folder) for entry in step.entries]
    if step.is_one_step:
        if all(certain) or survives_by_chance(number):
            yield step
        return
    # The last certain entry brings those before it: what goes, goes only where what came is there.
    kept = len(certain) - certain[::-1].index(True) if any(certain) else 0
    while kept < len(certain) and survives_by_chance(number):
        kept += 1
    if kept:
        yield _Entries(step.entries[:kept], step.is_one_step, step.at_ns)


def _torn(step: _Written, chance: random.Random) -> Iterator[_Step]:
    """Some sectors of a write."""
    start = 0
    while start < len(step.data):
        end = start + SECTOR_BYTES - (step.offset + start) % SECTOR_BYTES
        if chance.random() < 0.5:
            piece = step.data[start:end]
            yield _Written(step.inode, step.offset + start, piece, 0, step.at_ns)
        start = end


class _Survivors:
    """The disk that comes into being when the surviving steps are done to an empty one."""

    def __init__(self, modes: dict[int, int]) -> None:
        self._modes = modes
        self._inodes: dict[int, Inode] = {}

    def _inode(self, number: int) -> Inode:
        inode = self._inodes.get(number)
        if inode is None:
            inode = self._inodes[number] = Inode(number, self._modes[number], 0)
        return inode

    def take(self, step: _Step) -> None:
        match step:
            case _Entries():
                for entry in step.entries:
                    folder = self._inode(entry.folder)
                    folder.mtime_ns = step.at_ns
                    if entry.inode is None:
                        folder.entries.pop(entry.name, None)
                    else:
                        folder.entries[entry.name] = entry.inode
            case _Written():
                inode = self._inode(step.inode)
                _put(inode.data, step.offset, step.data)
                inode.mtime_ns = step.at_ns
            case _Resized():
                inode = self._inode(step.inode)
                _resize(inode.data, step.size_bytes)
                inode.mtime_ns = step.at_ns
            case _Marked():
                self._inode(step.inode).mtime_ns = step.mtime_ns

    def write_out(self, into: Path) -> None:
        written: dict[int, Path] = {}
        self._write_folder(self._inode(ROOT), into, written)
        for number, path in reversed(written.items()):
            mtime_ns = self._inode(number).mtime_ns
            os.utime(path, ns=(mtime_ns, mtime_ns))

    def _write_folder(self, folder: Inode, into: Path, written: dict[int, Path]) -> None:
        written[folder.number] = into
        for name, number in folder.entries.items():
            inode, path = self._inode(number), into / name
            if inode.is_folder:
                if number not in written:  # two names of one folder: a check of the disk drops one
                    path.mkdir(0o700)
                    self._write_folder(inode, path, written)
            elif number in written:
                path.hardlink_to(written[number])
            else:
                path.write_bytes(inode.data)
                path.chmod(stat.S_IMODE(inode.mode))
                written[number] = path


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        _resize(data, offset)
    data[offset : offset + len(piece)] = piece


def _resize(data: bytearray, size_bytes: int) -> None:
    if size_bytes < len(data):
        del data[size_bytes:]
    else:
        data.extend(bytes(size_bytes - len(data)))

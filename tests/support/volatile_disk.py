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
import stat
import time
from collections.abc import Callable
from pathlib import Path

from tests.support import surviving_disk
from tests.support.disk_steps import (
    ROOT,
    Cut,
    Entries,
    Entry,
    Inode,
    Marked,
    Resized,
    Step,
    Synced,
    Written,
    put,
    resize,
)


class VolatileDisk:
    """Not safe for threads: the caller serves one call at a time. Raises `OSError`."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._log: list[Step] = []
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
            if isinstance(step, Entries) and len(step.entries) == 2
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
        self._change(Entry(folder.number, name, inode.number))
        return inode

    def link(self, source: str, target: str) -> None:
        folder, name = self._place(target)
        if name in folder.entries:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._change(Entry(folder.number, name, self.find(source).number))

    def remove(self, path: str, *, is_folder: bool) -> None:
        inode = self.find(path)
        if inode.is_folder != is_folder:
            code = errno.ENOTDIR if is_folder else errno.EISDIR
            raise OSError(code, os.strerror(code))
        if inode.entries:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        folder, name = self._place(path)
        self._change(Entry(folder.number, name, None))

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
            Entry(new_folder.number, new_name, moved.number),
            Entry(old_folder.number, old_name, None),
            is_one_step=moved.is_folder or old_folder is new_folder,
        )

    def exchange(self, one: str, other: str) -> None:
        first, second = self.find(one), self.find(other)
        (one_folder, one_name), (other_folder, other_name) = self._place(one), self._place(other)
        self._change(
            Entry(one_folder.number, one_name, second.number),
            Entry(other_folder.number, other_name, first.number),
            is_one_step=True,
        )

    def _change(self, *entries: Entry, is_one_step: bool = False) -> None:
        step = Entries(entries, is_one_step, self._clock_ns())
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
        put(inode.data, offset, data)
        inode.mtime_ns = self._clock_ns()
        self._log.append(Written(number, offset, data, end, inode.mtime_ns))

    def resize(self, number: int, size_bytes: int) -> None:
        inode = self.inodes[number]
        resize(inode.data, size_bytes)
        inode.mtime_ns = self._clock_ns()
        self._log.append(Resized(number, size_bytes, inode.mtime_ns))

    def mark(self, number: int, mtime_ns: int) -> None:
        self.inodes[number].mtime_ns = mtime_ns
        self._log.append(Marked(number, mtime_ns))

    def set_mode(self, number: int, mode: int) -> None:
        inode = self.inodes[number]
        inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(mode)
        self._modes[number] = inode.mode

    def fsync(self, number: int) -> None:
        self._log.append(Synced(number))

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
        surviving_disk.leave(self._log, self._modes, cut, into)

"""What a power cut leaves of a disk in memory, written out as a folder of the real disk.

The rules are those of `volatile_disk`.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.disk_steps import (
    ROOT,
    SECTOR_BYTES,
    Cut,
    Entries,
    Inode,
    Kept,
    Marked,
    Resized,
    Step,
    Synced,
    Written,
    put,
    resize,
)


def leave(log: list[Step], modes: dict[int, int], cut: Cut, into: Path) -> None:
    """Writes what survives the cut into an empty folder."""
    survivors = _Survivors(modes)
    for step in _surviving(log[: cut.steps], cut):
        survivors.take(step)
    survivors.write_out(into)


def _surviving(log: list[Step], cut: Cut) -> Iterator[Step]:
    """The steps, or parts of steps, that the cut leaves, in order."""
    chance = random.Random(f"{cut.kept}-{cut.seed}")
    last_sync: dict[int, int] = {}
    for number, step in enumerate(log):
        if isinstance(step, Synced):
            last_sync[step.inode] = number
    share = chance.random()
    up_to = chance.randrange(len(log) + 1)

    def survives_by_chance(number: int) -> bool:
        match cut.kept:
            case Kept.NAMES:
                return isinstance(log[number], Entries)
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
            case Synced():
                continue
            case Entries():
                yield from _surviving_entries(step, number, is_synced, survives_by_chance)
            case _:
                if is_synced(number, step.inode) or survives_by_chance(number):
                    yield step
                elif isinstance(step, Written) and cut.kept in (Kept.TORN, Kept.NAMES):
                    if chance.random() < 0.5:
                        yield Resized(step.inode, step.grows_to, step.at_ns)
                    if cut.kept is Kept.TORN:
                        yield from _torn(step, chance)


def _surviving_entries(
    step: Entries,
    number: int,
    is_synced: Callable[[int, int], bool],
    survives_by_chance: Callable[[int], bool],
) -> Iterator[Step]:
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
        yield Entries(step.entries[:kept], step.is_one_step, step.at_ns)


def _torn(step: Written, chance: random.Random) -> Iterator[Step]:
    """Some sectors of a write."""
    start = 0
    while start < len(step.data):
        end = start + SECTOR_BYTES - (step.offset + start) % SECTOR_BYTES
        if chance.random() < 0.5:
            piece = step.data[start:end]
            yield Written(step.inode, step.offset + start, piece, 0, step.at_ns)
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

    def take(self, step: Step) -> None:
        match step:
            case Entries():
                for entry in step.entries:
                    folder = self._inode(entry.folder)
                    folder.mtime_ns = step.at_ns
                    if entry.inode is None:
                        folder.entries.pop(entry.name, None)
                    else:
                        folder.entries[entry.name] = entry.inode
            case Written():
                inode = self._inode(step.inode)
                put(inode.data, step.offset, step.data)
                inode.mtime_ns = step.at_ns
            case Resized():
                inode = self._inode(step.inode)
                resize(inode.data, step.size_bytes)
                inode.mtime_ns = step.at_ns
            case Marked():
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

"""strace on a running server: which system calls it makes in its lake, and faults put into them.

strace counts `when=N` in each thread by itself, from the moment it is attached. So does `nth` here.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.needs import needs_tool

# What changes a disk or makes it durable. Reading calls and sockets are left out.
MUTATING = (
    "openat",
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "mkdir",
    "linkat",
    "unlink",
    "utimensat",
)
_LINE = re.compile(r"(\d+) +(\w+)\((.*)")


@dataclass(frozen=True, slots=True)
class Point:
    """The nth call of this name in a thread, which is how strace finds it again."""

    call: str
    nth: int


@dataclass(frozen=True, slots=True)
class Call:
    thread: int
    point: Point
    text: str

    def is_in(self, folder: Path) -> bool:
        return str(folder) in self.text

    @property
    def is_injected(self) -> bool:
        return "(INJECTED)" in self.text

    @property
    def changes_nothing(self) -> bool:
        return self.point.call == "openat" and "O_CREAT" not in self.text


@contextmanager
def strace(pid: int, folder: Path, inject: str = "", *, to_its_end: bool = False) -> Iterator[Path]:
    """Looks on, inside; `calls_of` reads the log afterwards, which lies in `folder`.

    `inject` as in `strace -e inject=`: `fsync:error=EIO:when=2`. With `to_its_end` the process has
    been killed when the block is left: strace then ends by itself, and must not be asked to let go
    of a process that is dying, which it would wait for without end.
    """
    log = folder / "strace.log"
    command = [needs_tool("strace"), "-f", "-y", "-s", "0", "-o", str(log), "-p", str(pid)]
    command += ["-e", f"trace={','.join(MUTATING)}", "-e", "signal=none"]
    if inject:
        command += ["-e", f"inject={inject}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        if "attached" not in said:
            pytest.fail(f"strace cannot look at process {pid}: {said}")
        yield log
    finally:
        if not to_its_end:
            process.send_signal(signal.SIGINT)  # it lets go, and the server goes on
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def calls_of(log: Path) -> list[Call]:
    """All finished and unfinished calls, in the order in which they began."""
    counts: dict[tuple[int, str], int] = {}
    calls = []
    for line in log.read_text("utf-8", "replace").splitlines():
        found = _LINE.match(line)
        if found is None or " resumed>" in line:
            continue
        thread, name = int(found[1]), found[2]
        nth = counts[thread, name] = counts.get((thread, name), 0) + 1
        calls.append(Call(thread, Point(name, nth), found[3]))
    return calls


def points_in(log: Path, folder: Path) -> list[Point]:
    """Every point at which something in this folder is changed or synced, without repetition."""
    calls = (call for call in calls_of(log) if call.is_in(folder) and not call.changes_nothing)
    return list(dict.fromkeys(call.point for call in calls))


def first_middle_and_last(calls: Sequence[Call], name: str) -> list[Point]:
    points = [made.point for made in calls if made.point.call == name]
    if not points:
        return []
    return list(dict.fromkeys([points[0], points[len(points) // 2], points[-1]]))

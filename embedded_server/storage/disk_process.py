"""Processes beside the server's that write small files: Python's one lock is not in their way.

A call that keeps the kernel busy for 20 µs is over before another thread has woken up and taken
the lock: threads that write small files and the one that receives them never work side by side. A
process that was forked while the server had one thread does: it takes a whole group of files in
one message, their bytes in memory that both see, and answers what became of each.

It decides nothing and knows nothing between two messages. It holds the lake's lock as its server
does (one lock, two holders), so no other server begins while it still moves files for one that
was killed; and it ends with its server. Linux only: elsewhere, and once it has died, the server
does the same by itself.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import marshal
import mmap
import os
import queue
import signal
import socket
import struct
import sys
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from embedded_server.domain.measures import Measures
from embedded_server.domain.undisturbed import undisturbed
from embedded_server.storage import native_calls
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.small_files import (
    InThisProcess,
    LogPlace,
    Placed,
    PutOutcome,
    SmallFiles,
    Stored,
    ToPlace,
    ToPut,
    ToStore,
)

_AREA_BYTES = 4 << 20
# Fewer are done sooner than they are told.
_WORTH_A_MESSAGE = 8
# While one waits for the disk, another writes; more stand in each other's way on two processors.
_PROCESSES = 2
_LENGTH = struct.Struct("<I")

_log = logging.getLogger(__name__)


class DiskProcess:
    """One process; used by one thread at a time."""

    def __init__(self, disk: Disk, measures: Measures, older: Sequence[DiskProcess]) -> None:
        """Forks: the caller has no other thread. `older` ones are none of its business."""
        self._measures = measures
        self._area = mmap.mmap(-1, _AREA_BYTES)
        self._socket, theirs = socket.socketpair()
        self.is_gone = False
        parent = os.getpid()
        try:
            self.pid = os.fork()
        except OSError:
            self._socket.close()
            theirs.close()
            self._area.close()
            raise
        if self.pid == 0:
            status = 1
            try:
                for process in (*older, self):
                    process._socket.close()
                if _ends_with(parent):
                    _serve(disk, measures, theirs, self._area)
                status = 0
            except BaseException:  # noqa: BLE001  # the server's own way out is none for a copy of it
                _log.exception("a process that writes small files failed")
            finally:
                os._exit(status)
        theirs.close()

    def store(self, files: Sequence[ToStore]) -> list[Stored]:
        """Together they have at most `_AREA_BYTES`."""
        asked = []
        end = 0
        for path, pieces in files:
            begin, end = end, self._shared(end, pieces)
            asked.append((path, begin, end))
        return self._ask("store", asked, len(asked))

    def place(self, moves: Sequence[ToPlace]) -> list[Placed]:
        return self._ask("place", list(moves), len(moves))

    def put(self, files: Sequence[ToPut], at: LogPlace) -> tuple[list[PutOutcome], int]:
        """Together they have at most `_AREA_BYTES`."""
        return _put_told(self._ask("put", self._to_put(files, at), len(files) + 1), at)

    async def put_soon(self, files: Sequence[ToPut], at: LogPlace) -> tuple[list[PutOutcome], int]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._tell("put", self._to_put(files, at))

        def on_answer() -> None:
            loop.remove_reader(self._socket)
            self._socket.settimeout(None)  # libuv has made it one that does not wait
            answer.set_result(None)

        loop.add_reader(self._socket, on_answer)
        await undisturbed(answer)
        return _put_told(self._told(len(files) + 1), at)

    def _to_put(self, files: Sequence[ToPut], at: LogPlace) -> Any:
        asked = []
        end = 0
        for file in files:
            begin, end = end, self._shared(end, file.pieces)
            asked.append((file.temporary, file.target, begin, end, file.below_root, file.row))
        return asked, tuple(at)

    def sync(self, paths: Sequence[str]) -> list[OSError | None]:
        return self._ask("sync", list(paths), len(paths))

    def _shared(self, position: int, pieces: Sequence[bytes | memoryview]) -> int:
        for piece in pieces:
            start, position = position, position + len(piece)
            self._area[start:position] = piece
        return position

    def _ask(self, what: str, given: Any, answers: int) -> list[Any]:
        self._tell(what, given)
        return self._told(answers)

    def _tell(self, what: str, given: Any) -> None:
        with suppress(OSError):  # then there will be no answer
            _send(self._socket, (what, given))

    def _told(self, answers: int) -> list[Any]:
        try:
            answer = _receive(self._socket)
        except OSError:
            answer = None
        if answer is None:
            self.is_gone = True
            _log.error("the process %d that writes small files has died", self.pid)
            # Which of them it had done is not known.
            return [OSError(errno.EIO, "the process that writes small files died")] * answers
        outcomes, (counts, total_s) = answer
        self._measures.fsync_s.add(counts, total_s)
        return [_decoded(told) for told in outcomes]

    def close(self) -> None:
        self._socket.close()
        os.waitpid(self.pid, 0)
        self._area.close()


class DiskProcesses:
    """`SmallFiles` by processes for many at a time; for few, and without processes, by itself."""

    def __init__(self, disk: Disk, processes: Sequence[DiskProcess]) -> None:
        self._here = InThisProcess(disk)
        self._processes = processes
        self._free: queue.SimpleQueue[DiskProcess] = queue.SimpleQueue()
        for process in processes:
            self._free.put(process)

    def store(self, files: Sequence[ToStore]) -> list[Stored]:
        outcomes: list[Stored] = []
        for group in _fitting(files):
            with self._whoever_is_free_for(group) as writer:
                outcomes += writer.store(group)
        return outcomes

    def place(self, moves: Sequence[ToPlace]) -> list[Placed]:
        with self._whoever_is_free_for(moves) as writer:
            return writer.place(moves)

    def put(self, files: Sequence[ToPut], at: LogPlace) -> tuple[list[PutOutcome], int]:
        """Together they have at most `MOST_LOGGED_BYTES`."""
        with self._whoever_is_free_for(files) as writer:
            return writer.put(files, at)

    def put_soon(
        self, files: Sequence[ToPut], at: LogPlace
    ) -> Awaitable[tuple[list[PutOutcome], int]] | None:
        try:
            process = self._free.get_nowait()
        except queue.Empty:
            return None
        if process.is_gone:
            self._free.put(process)
            return None
        return self._put_soon(process, files, at)

    async def _put_soon(
        self, process: DiskProcess, files: Sequence[ToPut], at: LogPlace
    ) -> tuple[list[PutOutcome], int]:
        try:
            return await process.put_soon(files, at)
        finally:
            self._free.put(process)

    def sync(self, paths: Sequence[str]) -> list[OSError | None]:
        with self._whoever_is_free_for(paths) as writer:
            return writer.sync(paths)

    @contextmanager
    def _whoever_is_free_for(self, items: Sequence[Any]) -> Iterator[SmallFiles]:
        if len(items) < _WORTH_A_MESSAGE or not self._processes:
            yield self._here
            return
        process = self._free.get()
        try:
            yield self._here if process.is_gone else process
        finally:
            self._free.put(process)


def _fitting(files: Sequence[ToStore]) -> Iterator[Sequence[ToStore]]:
    group: list[ToStore] = []
    in_group = 0
    for file in files:
        size_bytes = sum(map(len, file[1]))
        if group and in_group + size_bytes > _AREA_BYTES:
            yield group
            group, in_group = [], 0
        group.append(file)
        in_group += size_bytes
    if group:
        yield group


@contextmanager
def small_files_writer(disk: Disk, measures: Measures) -> Iterator[SmallFiles]:
    """Forks where that helps: the caller has no other thread yet. Holds the lake's lock."""
    processes: list[DiskProcess] = []
    try:
        if sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1:
            try:
                for _ in range(_PROCESSES):
                    processes.append(DiskProcess(disk, measures, processes))
            except OSError as cause:  # as many processes, or as much memory, as there may be
                _log.warning("small files are written without processes of their own: %s", cause)
        yield DiskProcesses(disk, processes)
    finally:
        for process in processes:
            process.close()


# -- in the process ------------------------------------------------------------------------------


def _ends_with(parent: int) -> bool:
    """False when the server has died already."""
    native_calls.end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # told to a whole group; it ends after its server
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    gc.freeze()  # pages that are not written to stay the server's
    return os.getppid() == parent


def _serve(disk: Disk, measures: Measures, asked: socket.socket, area: mmap.mmap) -> None:
    here = InThisProcess(disk)
    measures.fsync_s.taken()
    whole = memoryview(area)
    while (request := _receive(asked)) is not None:
        what, given = request
        outcomes: Sequence[Any]
        if what == "store":
            outcomes = here.store([(path, [whole[begin:end]]) for path, begin, end in given])
        elif what == "place":
            outcomes = here.place(given)
        elif what == "sync":
            outcomes = here.sync(given)
        else:
            files, at = given
            puts = [
                ToPut(temporary, target, [whole[begin:end]], below_root, row)
                for temporary, target, begin, end, below_root, row in files
            ]
            done, behind = here.put(puts, LogPlace(*at))
            outcomes = [*done, behind]
        _send(asked, ([_encoded(it) for it in outcomes], measures.fsync_s.taken()))


# -- what goes between the two -------------------------------------------------------------------


def _put_told(told: list[Any], at: LogPlace) -> tuple[list[PutOutcome], int]:
    [*outcomes, behind] = told
    return outcomes, at.offset if isinstance(behind, OSError) else behind


def _encoded(outcome: Stored | Placed | None) -> Any:
    if isinstance(outcome, OSError):
        return outcome.errno, outcome.strerror, outcome.filename
    return outcome.value if isinstance(outcome, Kind) else outcome


def _decoded(told: Any) -> Any:
    if isinstance(told, str):
        return Kind(told)
    return OSError(*told) if isinstance(told, tuple) else told


def _send(to: socket.socket, message: Any) -> None:
    data = marshal.dumps(message)
    to.sendall(_LENGTH.pack(len(data)) + data)


def _receive(source: socket.socket) -> Any:
    """None when nobody is left to send."""
    head = _exactly(source, _LENGTH.size)
    data = None if head is None else _exactly(source, *_LENGTH.unpack(head))
    return None if data is None else marshal.loads(data)  # noqa: S302  # of our own


def _exactly(source: socket.socket, size_bytes: int) -> bytes | None:
    pieces = []
    while size_bytes:
        piece = source.recv(size_bytes)
        if not piece:
            return None
        pieces.append(piece)
        size_bytes -= len(piece)
    return b"".join(pieces)

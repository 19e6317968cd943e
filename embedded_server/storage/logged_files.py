"""Which small files are durable by the log alone, and the steps that make them so by themselves.

    put ──────> in its place, and in a segment of the log
    settled:    is settling → files and folders fsynced → rows of the catalog too → forgotten

Whatever moves, replaces or removes what is published settles first: nothing of the log may ever be
done again after that. Else a thread of its own settles what has become old, or many.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from embedded_server.domain.errors import LakeError
from embedded_server.domain.undisturbed import undisturbed
from embedded_server.storage.disk import CAN_LOG, Disk
from embedded_server.storage.disk_errors import as_lake_error
from embedded_server.storage.intake_log import (
    SEGMENT_BYTES,
    Segment,
    logged_files,
    room_needed_bytes,
)
from embedded_server.storage.layout import Layout
from embedded_server.storage.replay import Replay
from embedded_server.storage.small_files import LogPlace, PutOutcome, SmallFiles, ToPut

# What is put together at a time; more is no worse off without the log.
MOST_LOGGED_BYTES = 4 << 20

_SEGMENTS = 4
# From here on it is settled soon, while others are filled.
_FULL_BYTES = SEGMENT_BYTES - MOST_LOGGED_BYTES
_OLD_S = 3.0
_AGAIN_S = 5.0  # after a failure

_log = logging.getLogger(__name__)


class _Filling:
    """A segment, as this process knows it; `lock` is held by whoever puts or settles."""

    def __init__(self, disk: Disk, path: str) -> None:
        self.lock = threading.Lock()
        self.file = Segment(disk, path)
        self.targets: set[str] = set()  # what is pending
        self.adding: set[str] = set()  # of it, what is being put
        self.is_settling = False
        self.begin_anew()

    def begin_anew(self) -> None:
        self.targets.clear()
        self.offset = 0
        self.is_used = False
        self.is_bad = False  # it could not be settled
        self.run = int.from_bytes(os.urandom(8), "little")
        self.since_s = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """What keeps a file that was put durable."""

    _segment: _Filling
    _run: int

    def is_held(self) -> bool:
        """Asked by the thread that writes to the catalog, before it writes the file's row.

        Once this is False, settling may be past the rows: the row must be durable by itself.
        """
        return not self._segment.is_settling and self._segment.run == self._run


class LoggedFiles:
    """Any thread may call it."""

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        small_files: SmallFiles,
        replay: Replay,
        rows_to_disk: Callable[[], None] | None,
    ) -> None:
        """`rows_to_disk` makes all rows durable that were written before; without it no log."""
        self._small_files = small_files
        self._replay = replay
        self._rows_to_disk = rows_to_disk
        self.is_on = rows_to_disk is not None and CAN_LOG
        self._segments = [_Filling(disk, layout.log_segment(number)) for number in range(_SEGMENTS)]
        self._changed = threading.Condition()
        self._is_closed = False
        self._settler: threading.Thread | None = None

    def takes(self, size_bytes: int) -> bool:
        return self.is_on and size_bytes <= MOST_LOGGED_BYTES

    def put(self, files: Sequence[ToPut]) -> tuple[list[PutOutcome], Held]:
        """See `SmallFiles.put`, and what keeps those durable that are in their places."""
        segment = self._taken(_room_for(files))
        try:
            outcomes, behind = self._small_files.put(files, self._begin(segment, files))
            held = self._end(segment, files, outcomes, behind)
            if _has_failed(outcomes):
                self._settle_now(segment)
        finally:
            segment.lock.release()
        self._wake_settler(segment)
        return outcomes, held

    def put_soon(self, files: Sequence[ToPut]) -> Awaitable[tuple[list[PutOutcome], Held]] | None:
        """As `put`, begun already, for an event loop; None, and nothing is begun, where it would
        have to wait. However often it is cancelled, it comes to its end."""
        segment = self._taken_now(_room_for(files))
        if segment is None:
            return None
        begun = self._small_files.put_soon(files, self._begin(segment, files))
        if begun is None:
            segment.lock.release()
            return None
        return self._put_soon(segment, files, begun)

    async def _put_soon(
        self,
        segment: _Filling,
        files: Sequence[ToPut],
        begun: Awaitable[tuple[list[PutOutcome], int]],
    ) -> tuple[list[PutOutcome], Held]:
        try:
            outcomes, behind = await begun
            held = self._end(segment, files, outcomes, behind)
            if _has_failed(outcomes):
                loop = asyncio.get_running_loop()
                await undisturbed(loop.run_in_executor(None, self._settle_now, segment))
        finally:
            segment.lock.release()
        self._wake_settler(segment)
        return outcomes, held

    def _begin(self, segment: _Filling, files: Sequence[ToPut]) -> LogPlace:
        # Before anything of it can be in sight: who asks whether it is pending must be told.
        segment.adding = {file.target for file in files} - segment.targets
        segment.targets |= segment.adding
        return LogPlace(segment.file.path, segment.run, segment.offset)

    def _end(
        self,
        segment: _Filling,
        files: Sequence[ToPut],
        outcomes: Sequence[PutOutcome],
        behind: int,
    ) -> Held:
        told = zip(files, outcomes, strict=True)
        failed = {file.target for file, outcome in told if not isinstance(outcome, int)}
        segment.targets -= segment.adding & failed  # one that stood there is pending still
        segment.since_s = segment.since_s or time.monotonic()
        segment.is_used = True
        segment.offset = behind
        return Held(segment, segment.run)

    def _settle_now(self, segment: _Filling) -> None:
        """What was told as failed must not be done when the log is read again."""
        with suppress(LakeError):  # tried again, and told, by whoever settles next
            self._settle(segment)

    def _taken_now(self, room_bytes: int) -> _Filling | None:
        """With its lock held, and room in it."""
        for segment in sorted(self._segments, key=lambda it: it.offset, reverse=True):
            if segment.lock.acquire(blocking=False):
                if segment.offset + room_bytes <= SEGMENT_BYTES:
                    return segment
                segment.lock.release()
        return None

    def _taken(self, room_bytes: int) -> _Filling:
        segment = self._taken_now(room_bytes)
        if segment is not None:
            return segment
        segment = max(self._segments, key=lambda it: it.offset)
        segment.lock.acquire()
        if segment.offset + room_bytes > SEGMENT_BYTES:
            try:
                self._settle(segment)
            except BaseException:
                segment.lock.release()
                raise
        return segment

    def is_pending(self, target: str) -> bool:
        return any(target in segment.targets for segment in self._segments)

    def settle(self) -> None:
        """All that was put before stands by itself. Raises `LakeFull`, `LakeFault`."""
        for segment in self._segments:
            with segment.lock:
                self._settle(segment)

    def _settle(self, segment: _Filling) -> None:
        if not segment.is_used:
            return
        assert self._rows_to_disk is not None
        segment.is_settling = True
        try:
            if segment.is_bad:
                # An fsync that failed tells nothing about the next one: other blocks are written.
                self._put_anew(segment)
            segment.is_bad = True  # until all is well
            for error in self._small_files.sync(sorted(segment.targets)):
                if error is not None:
                    raise error
            self._rows_to_disk()
            segment.file.forget()
            segment.begin_anew()
        except OSError as cause:
            raise as_lake_error(cause) from cause
        finally:
            segment.is_settling = False

    def _put_anew(self, segment: _Filling) -> None:
        for logged in logged_files(segment.file.path):
            if self._replay.target_of(logged) in segment.targets:
                self._replay.bring(logged, anew=True)

    # -- the thread that settles what is old, or many ----------------------------------------

    def _wake_settler(self, segment: _Filling) -> None:
        with self._changed:
            if self._settler is None and not self._is_closed:
                self._settler = threading.Thread(
                    target=self._keep_settling, name="log-settler", daemon=True
                )
                self._settler.start()
            elif segment.offset > _FULL_BYTES:
                self._changed.notify()

    def _keep_settling(self) -> None:
        wait_s = _OLD_S
        while True:
            with self._changed:
                if not self._is_closed:
                    self._changed.wait(wait_s)
                if self._is_closed:
                    return
            wait_s = _OLD_S
            for segment in self._segments:
                if segment.is_used and self._is_due(segment):
                    try:
                        with segment.lock:
                            self._settle(segment)
                    except LakeError as error:
                        _log.error("small files stay in the log for now: %s", error.message)
                        wait_s = _AGAIN_S

    def _is_due(self, segment: _Filling) -> bool:
        return segment.offset > _FULL_BYTES or time.monotonic() - segment.since_s >= _OLD_S

    def close(self) -> None:
        """Nobody puts any more. What cannot be settled now is, by the next start."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if not self.is_on:
            return
        if self._settler is not None:
            self._settler.join()
        try:
            self.settle()
        except LakeError as error:
            _log.error("small files stay in the log until the next start: %s", error.message)
            for segment in self._segments:
                segment.file.close()
        else:
            for segment in self._segments:
                segment.file.remove()


def _room_for(files: Sequence[ToPut]) -> int:
    sizes = [sum(map(len, file.pieces)) for file in files]
    # A row names folder, file and key once more.
    return room_needed_bytes(sizes, [2 * len(file.below_root) for file in files])


def _has_failed(outcomes: Sequence[PutOutcome]) -> bool:
    return any(isinstance(it, OSError) for it in outcomes)

"""The engine behind its local socket: commands in, answers and coalesced changes out.

A screen that stalls never stalls the engine: each has its own threads, and what it has not read
yet is one pending snapshot a job, not a queue.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener, answer_challenge, deliver_challenge
from multiprocessing.connection import Connection as Channel
from typing import Any

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import RUNNING, JobState
from app.link.protocol import MAX_FRAME_BYTES, decode, encode, error_to_wire

log = logging.getLogger(__name__)

Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_PUSH_EVERY_S = 0.1
_ACCEPT_AGAIN_S = 0.05
_KNOCK_WITHIN_S = 10.0  # a screen proves itself at once; a loaded machine may take its time
_SOCKET_ENDED = (EOFError, OSError)


class EngineService:
    """Accepts screens and answers them until `stop`, or until nobody needs the engine any more."""

    def __init__(
        self,
        listener: Listener,
        auth_key: bytes,
        commands: Mapping[str, Command],
        snapshot: Callable[[int], JobSnapshot],
        version: Callable[[int], int],
        shown_jobs: Callable[[], Sequence[int]],
        is_busy: Callable[[], bool],
        linger_s: float,
    ) -> None:
        self._listener = listener
        self._auth_key = auth_key
        self._commands = commands
        self._look = _Look(snapshot, version, shown_jobs)
        self._is_busy = is_busy
        self._linger_s = linger_s
        self._lock = threading.Lock()
        self._screens: set[_Screen] = set()
        self._knocking: dict[int, float] = {}  # since when, on the clock that nobody can set
        self._left = threading.Event()  # somebody left, or a job came to rest: look again
        self._stopping = threading.Event()

    def serve(self) -> None:
        """Returns when the engine should end."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()
        while not self._stopping.is_set():
            self._left.clear()  # before looking: what changes from here on is seen
            wait_s = self._idle_wait_s()
            looked_again = self._left.wait(wait_s)
            if wait_s is not None and not looked_again and not self._is_busy():
                self._stop_unless_needed()
        self._wake_acceptor()
        self._listener.close()
        with self._lock:
            screens = list(self._screens)
        for screen in screens:
            screen.close()

    def _idle_wait_s(self) -> float | None:
        """How long nobody must come before the engine ends; None while somebody needs it."""
        is_busy = self._is_busy()
        with self._lock:
            if self._screens or is_busy:
                return None
            return max(self._linger_s, _KNOCK_WITHIN_S) if self._knocking else self._linger_s

    def _stop_unless_needed(self) -> None:
        """Decided where screens are taken in, so that none is taken in and then left alone.

        Who knocks is on the way in, however slow this machine is; one that stays silent is not.
        """
        silent_since_s = time.monotonic() - _KNOCK_WITHIN_S
        with self._lock:
            if not self._screens and all(it <= silent_since_s for it in self._knocking.values()):
                self._stopping.set()

    def _wake_acceptor(self) -> None:
        """Closing a listener does not wake the thread that waits at it; a caller does."""
        with suppress(*_SOCKET_ENDED):
            Client(self._listener.address).close()

    def stop(self) -> None:
        self._stopping.set()
        self._left.set()

    def job_changed(self, job_id: int) -> None:
        """A job moved to another state, or is gone: its watchers are told at once."""
        with self._lock:
            screens = list(self._screens)
        for screen in screens:
            screen.wake(job_id)
        self._left.set()

    # -- screens -----------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                channel = self._listener.accept()
            except _SOCKET_ENDED:
                # A screen that left while it knocked; or too many open files, which may pass.
                self._stopping.wait(_ACCEPT_AGAIN_S)
                continue
            with self._lock:
                is_over = self._stopping.is_set()
                self._knocking[id(channel)] = time.monotonic()
            if is_over:
                channel.close()
                return
            self._left.set()
            threading.Thread(
                target=self._attend, args=(channel,), name="screen", daemon=True
            ).start()

    def _attend(self, channel: Channel[Any, Any]) -> None:
        screen = self._let_in(channel)
        self._left.set()
        if screen is None:
            return
        try:
            screen.attend()
        finally:
            with self._lock:
                self._screens.discard(screen)
            self._left.set()

    def _let_in(self, channel: Channel[Any, Any]) -> _Screen | None:
        try:
            # Here and not in the listener, so that a silent caller holds up nobody else.
            deliver_challenge(channel, self._auth_key)
            answer_challenge(channel, self._auth_key)
        except (AuthenticationError, AssertionError, *_SOCKET_ENDED):
            log.warning("a caller could not prove that it knows the engine's key")
            with self._lock:
                del self._knocking[id(channel)]
            channel.close()
            return None
        screen = _Screen(channel, self._commands, self._look, self.stop)
        with self._lock:
            del self._knocking[id(channel)]
            if not self._stopping.is_set():
                self._screens.add(screen)
                return screen
        screen.close()
        return None


@dataclass(frozen=True, slots=True)
class _Look:
    """How a job is looked at; the first two raise `WrongUse` for one that there is not."""

    snapshot: Callable[[int], JobSnapshot]
    version: Callable[[int], int]
    shown_jobs: Callable[[], Sequence[int]]

    def at(self, job_id: int) -> _Sighted:
        version = self.version(job_id)  # before the snapshot, so that nothing is missed
        return _Sighted(version, self.snapshot(job_id))


@dataclass(frozen=True, slots=True)
class _Sighted:
    version: int
    job: JobSnapshot


class _Screen:
    """One attached window or command line."""

    def __init__(
        self,
        channel: Channel[Any, Any],
        commands: Mapping[str, Command],
        look: _Look,
        stop: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._stop = stop
        self._commands = commands
        self._look = look
        self._sending = threading.Lock()
        self._watching = threading.Lock()  # guards the next four
        self._watched: dict[int, int] = {}  # job → version last told
        self._moving: set[int] = set()  # of these, those that change without a word
        self._woken: set[int] = set()  # jobs of which somebody said that they changed
        self._watches_all = False
        self._wake = threading.Event()
        self._closed = threading.Event()

    def attend(self) -> None:
        """Reads requests until the screen leaves; each is answered on a thread of its own."""
        pusher = threading.Thread(target=self._push, name="push", daemon=True)
        pusher.start()
        with ThreadPoolExecutor(max_workers=16, thread_name_prefix="command") as pool:
            try:
                while True:
                    request = decode(self._channel.recv_bytes(MAX_FRAME_BYTES))
                    pool.submit(self._answer, request)
            except _SOCKET_ENDED:
                log.debug("a screen left")
            except (ValueError, TypeError):
                log.warning("a screen sent what is no message; closed")
            finally:
                self.close()

    def wake(self, job_id: int) -> None:
        with self._watching:
            if not self._watches_all and job_id not in self._watched:
                return
            self._woken.add(job_id)
        self._wake.set()

    def close(self) -> None:
        self._closed.set()
        self._wake.set()
        _hang_up(self._channel)

    def _answer(self, request: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": request.get("id")}
        name, args = request.get("command"), request.get("args")
        watched: list[_Sighted] = []
        try:
            if name == "watch":
                watched = [self._look_at(args)]
                answer["result"] = watched[0].job.to_wire()
            elif name == "watch_jobs":
                watched = self._look_at_all()
                answer["result"] = {"jobs": [sighted.job.to_wire() for sighted in watched]}
            else:
                answer["result"] = self._run(name, args if isinstance(args, dict) else {})
        except LakeDropError as error:
            answer["error"] = error_to_wire(error)
        except Exception:
            log.critical("command %s met a fault of LakeDrop's own", name, exc_info=True)
            fault = LakeDropError("LakeDrop met a fault of its own; its log has the details.")
            answer["error"] = error_to_wire(fault)
        self._send(answer)
        if "result" in answer and name in ("watch", "watch_jobs"):
            # Only now: an event must never overtake the answer, which would pass for the newer one.
            self._watch(watched, all_jobs=name == "watch_jobs")
        if name == "stop":
            self._stop()  # only now, too: it hangs up

    def _look_at(self, args: object) -> _Sighted:
        try:
            job_id = int(args["job_id"]) if isinstance(args, dict) else -1
        except (KeyError, TypeError, ValueError) as cause:
            raise WrongUse(f"The command 'watch' was called wrongly: {cause}.") from cause
        return self._look.at(job_id)

    def _look_at_all(self) -> list[_Sighted]:
        found = []
        for job_id in self._look.shown_jobs():
            with suppress(WrongUse):  # removed at this very moment
                found.append(self._look.at(job_id))
        return found

    def _watch(self, watched: list[_Sighted], *, all_jobs: bool) -> None:
        with self._watching:
            for sighted in watched:
                self._told(sighted)
                self._woken.add(sighted.job.job_id)  # it may have changed, or gone, meanwhile
            if all_jobs:
                self._watches_all = True
                self._woken.update(self._look.shown_jobs())  # or come
        self._wake.set()

    def _told(self, sighted: _Sighted) -> None:
        job = sighted.job
        self._watched[job.job_id] = sighted.version
        if job.state in RUNNING or _is_looking_for_files(job):
            self._moving.add(job.job_id)
        else:
            self._moving.discard(job.job_id)

    def _run(self, name: object, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if name == "stop":
            return {}
        command = self._commands.get(str(name))
        if command is None:
            raise WrongUse(f"This engine has no command {name!r}. Is it an older LakeDrop?")
        try:
            return command(args)
        except (KeyError, TypeError, ValueError) as cause:
            log.warning("command %s was called wrongly", name, exc_info=True)
            raise WrongUse(f"The command {name!r} was called wrongly: {cause}.") from cause

    def _push(self) -> None:
        """Looks only at jobs that move, and at those that somebody said something of."""
        while not self._closed.is_set():
            with self._watching:
                # New ones are listed for a window only.
                shown = set(self._look.shown_jobs()) if self._woken and self._watches_all else set()
                looked_at = {
                    job_id: self._watched.get(job_id)
                    for job_id in self._woken | self._moving
                    if job_id in self._watched or job_id in shown
                }
                self._woken.clear()
            gone = [job_id for job_id, told in looked_at.items() if not self._tell(job_id, told)]
            if gone:
                self._forget(gone)
            # At rest nothing changes unless somebody says so through `wake`.
            if self._wake.wait(_PUSH_EVERY_S if self._moving else None):
                self._wake.clear()

    def _tell(self, job_id: int, told: int | None) -> bool:
        """Sends the job where it is another than was told; False when it is gone."""
        try:
            if self._look.version(job_id) == told:
                return True
            sighted = self._look.at(job_id)
        except WrongUse:
            return False
        except LakeDropError as error:
            log.warning("job %s cannot be looked at: %s", job_id, error.message)
            return True
        with self._watching:
            self._told(sighted)
        self._send({"event": "job", "job": sighted.job.to_wire()})
        return True

    def _forget(self, job_ids: list[int]) -> None:
        with self._watching:
            for job_id in job_ids:
                self._watched.pop(job_id, None)
                self._moving.discard(job_id)
        if self._watches_all:
            self._send({"event": "gone", "job_ids": job_ids})

    def _send(self, message: Mapping[str, Any]) -> None:
        frame = encode(message)
        try:
            with self._sending:
                self._channel.send_bytes(frame)
        except (*_SOCKET_ENDED, TypeError):  # TypeError: closed between two pieces of the frame
            self._closed.set()


def _is_looking_for_files(snapshot: JobSnapshot) -> bool:
    return snapshot.state is JobState.DRAFT and not snapshot.intake_done


def _hang_up(channel: Channel[Any, Any]) -> None:
    """Ends a socket for good, also for threads that are just reading from it or writing to it.

    Closing alone does not wake them on POSIX; on Windows it does.
    """
    with suppress(OSError):
        if sys.platform != "win32":
            with socket.socket(fileno=os.dup(channel.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        channel.close()

"""The engine behind its local socket: commands in, answers and coalesced changes out.

A screen that stalls never stalls the engine: each has its own threads, and what it has not read
yet is one pending snapshot a job, not a queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection as Channel
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge
from typing import Any

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import RUNNING
from app.link.protocol import MAX_FRAME_BYTES, decode, encode, error_to_wire

log = logging.getLogger(__name__)

Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_PUSH_EVERY_S = 0.1
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
        is_busy: Callable[[], bool],
        linger_s: float,
    ) -> None:
        self._listener = listener
        self._auth_key = auth_key
        self._commands = commands
        self._snapshot = snapshot
        self._version = version
        self._is_busy = is_busy
        self._linger_s = linger_s
        self._lock = threading.Lock()
        self._screens: set[_Screen] = set()
        self._left = threading.Event()  # somebody left, or a job came to rest: look again
        self._stopping = threading.Event()

    def serve(self) -> None:
        """Returns when the engine should end."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()
        while not self._stopping.is_set():
            idle = not self._screens and not self._is_busy()
            self._left.clear()
            looked_again = self._left.wait(self._linger_s if idle else None)
            if idle and not looked_again and not self._screens and not self._is_busy():
                break
        self._stopping.set()
        self._listener.close()
        with self._lock:
            screens = list(self._screens)
        for screen in screens:
            screen.close()

    def stop(self) -> None:
        self._stopping.set()
        self._left.set()

    def job_changed(self, job_id: int) -> None:
        """A job moved to another state: its watchers are told at once."""
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
                continue  # a screen that left while it knocked, or our own close
            threading.Thread(
                target=self._attend, args=(channel,), name="screen", daemon=True
            ).start()

    def _attend(self, channel: Channel[Any, Any]) -> None:
        try:
            # Here and not in the listener, so that a silent caller holds up nobody else.
            deliver_challenge(channel, self._auth_key)
            answer_challenge(channel, self._auth_key)
        except (AuthenticationError, *_SOCKET_ENDED):
            log.warning("a caller could not prove that it knows the engine's key")
            channel.close()
            return
        screen = _Screen(channel, self._commands, self._snapshot, self._version)
        with self._lock:
            self._screens.add(screen)
        self._left.set()
        try:
            screen.attend()
        finally:
            with self._lock:
                self._screens.discard(screen)
            self._left.set()


class _Screen:
    """One attached window or command line."""

    def __init__(
        self,
        channel: Channel[Any, Any],
        commands: Mapping[str, Command],
        snapshot: Callable[[int], JobSnapshot],
        version: Callable[[int], int],
    ) -> None:
        self._channel = channel
        self._commands = commands
        self._snapshot = snapshot
        self._version = version
        self._sending = threading.Lock()
        self._watched: dict[int, int] = {}  # job → version last told
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
            except ValueError:
                log.warning("a screen sent what is no message; closed")
            finally:
                self.close()

    def wake(self, job_id: int) -> None:
        if job_id in self._watched:
            self._wake.set()

    def close(self) -> None:
        self._closed.set()
        self._wake.set()
        try:
            self._channel.close()
        except OSError:
            log.debug("a screen's socket was closed already")

    def _answer(self, request: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": request.get("id")}
        name, args = request.get("command"), request.get("args")
        try:
            answer["result"] = self._run(name, args if isinstance(args, dict) else {})
        except LakeDropError as error:
            answer["error"] = error_to_wire(error)
        except Exception:
            log.critical("command %s met a fault of LakeDrop's own", name, exc_info=True)
            fault = LakeDropError("LakeDrop met a fault of its own; its log has the details.")
            answer["error"] = error_to_wire(fault)
        self._send(answer)

    def _run(self, name: object, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if name == "watch":
            job_id = int(args["job_id"])
            version = self._version(job_id)
            snapshot = self._snapshot(job_id)
            self._watched[job_id] = version
            self._wake.set()
            return snapshot.to_wire()
        command = self._commands.get(str(name))
        if command is None:
            raise WrongUse(f"This engine has no command {name!r}. Is it an older LakeDrop?")
        try:
            return command(args)
        except (KeyError, TypeError, ValueError) as cause:
            log.warning("command %s was called wrongly", name, exc_info=True)
            raise WrongUse(f"The command {name!r} was called wrongly: {cause}.") from cause

    def _push(self) -> None:
        while not self._closed.is_set():
            running = False
            for job_id, told in list(self._watched.items()):
                version = self._version(job_id)
                snapshot = self._snapshot(job_id)
                running = running or snapshot.state in RUNNING or not snapshot.intake_done
                if version != told:
                    self._watched[job_id] = version
                    self._send({"event": "job", "job": snapshot.to_wire()})
            # At rest nothing changes unless somebody says so through `wake`.
            if self._wake.wait(_PUSH_EVERY_S if running else None):
                self._wake.clear()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            with self._sending:
                self._channel.send_bytes(encode(message))
        except _SOCKET_ENDED:
            self._closed.set()

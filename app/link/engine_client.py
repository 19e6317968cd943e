"""A screen's end of the engine's socket: requests out, answers and job changes in.

One thread reads; any thread may ask. Of a job's changes only the newest is kept until somebody
looks, so a slow screen never makes the queue grow and never holds the engine up.
"""

from __future__ import annotations

import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from types import TracebackType
from typing import Any

from app.domain.errors import error_from_kind
from app.domain.snapshots import JobSnapshot
from app.link.engine_errors import EngineGone, EngineSilent
from app.link.protocol import MAX_FRAME_BYTES, RuntimeFile, decode, encode

# Waits are cut into slices, because an endless wait for a lock cannot be interrupted on Windows.
_SLICE_S = 0.25

_CLOSED = (
    "The upload engine ended or closed the connection. Its queue is kept; run the command again."
)


class EngineClient:
    """A connected screen. Every call may raise `EngineGone`; close it, or use it in a `with`."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._news = threading.Condition()  # guards all below
        self._next_id = 1
        self._waiting: dict[int, int | None] = {}  # request id → the job it begins to watch
        self._answers: dict[int, dict[str, Any]] = {}
        self._newest: dict[int, JobSnapshot] = {}
        self._gone: str | None = None
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    @classmethod
    def connect(cls, runtime: RuntimeFile, timeout_s: float = 10.0) -> EngineClient:
        """Raises `EngineGone` when nobody listens there or not the one who wrote the file,
        `EngineSilent` when the one who listens does not answer."""
        return cls(_connected(runtime, timeout_s))

    def request(self, command: str, timeout_s: float | None = None, **args: Any) -> dict[str, Any]:
        """The engine's answer. Raises the `LakeDropError` it answers with, or `EngineGone`.

        `timeout_s` None waits as long as the engine lives.
        """
        with self._news:
            request_id = self._next_id
            self._next_id += 1
            self._waiting[request_id] = args["job_id"] if command == "watch" else None
        try:
            self._send({"id": request_id, "command": command, "args": args})
            answer = self._answer(request_id, command, timeout_s)
        finally:
            with self._news:
                self._waiting.pop(request_id, None)
                self._answers.pop(request_id, None)
        if "error" in answer:
            error = answer["error"]
            raise error_from_kind(str(error.get("kind", "")), str(error.get("message", "")))
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    def watch(self, job_id: int) -> JobWatch:
        """The job now, and from then on its changes."""
        now = JobSnapshot.from_wire(self.request("watch", job_id=job_id))
        return JobWatch(self, job_id, now)

    def next_change(self, job_id: int, timeout_s: float) -> JobSnapshot | None:
        """The newest change of a watched job that nobody took yet; None when none came."""
        deadline_s = time.monotonic() + timeout_s
        with self._news:
            while job_id not in self._newest:
                self._raise_if_gone()
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                self._news.wait(min(left_s, _SLICE_S))
            return self._newest.pop(job_id)

    def close(self) -> None:
        """No more calls; the reader closes the socket within a moment."""
        self._lose("This screen closed its connection to the upload engine.")

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, message: dict[str, Any]) -> None:
        frame = encode(message)
        with self._sending:
            with self._news:
                self._raise_if_gone()
            try:
                self._connection.send_bytes(frame)
            except (OSError, ValueError) as cause:
                self._lose(_CLOSED)
                raise EngineGone(_CLOSED) from cause

    def _answer(self, request_id: int, command: str, timeout_s: float | None) -> dict[str, Any]:
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._news:
            while request_id not in self._answers:
                self._raise_if_gone()
                slice_s = _SLICE_S
                if deadline_s is not None:
                    slice_s = min(slice_s, deadline_s - time.monotonic())
                    if slice_s <= 0:
                        raise EngineSilent(
                            f"The upload engine did not answer {command!r} within {timeout_s:g} "
                            "seconds. Try again."
                        )
                self._news.wait(slice_s)
            return self._answers.pop(request_id)

    def _raise_if_gone(self) -> None:
        if self._gone is not None:
            raise EngineGone(self._gone)

    def _lose(self, why: str) -> None:
        with self._news:
            if self._gone is None:
                self._gone = why
            self._news.notify_all()

    def _read(self) -> None:
        why = _CLOSED
        try:
            # Polling in slices, since closing a socket does not wake a thread that reads it.
            while self._gone is None:
                if self._connection.poll(_SLICE_S):
                    self._take(decode(self._connection.recv_bytes(MAX_FRAME_BYTES)))
        except (EOFError, OSError):
            pass  # the engine left; `_lose` below tells everybody who waits
        except (ValueError, KeyError, TypeError):
            why = "The upload engine sent something this version does not understand."
        self._lose(why)
        with self._sending:
            self._connection.close()

    def _take(self, message: dict[str, Any]) -> None:
        with self._news:
            if message.get("event") == "job":
                snapshot = JobSnapshot.from_wire(message["job"])
                self._newest[snapshot.job_id] = snapshot
            elif message["id"] in self._waiting:
                self._answers[message["id"]] = message
                watched = self._waiting[message["id"]]
                if watched is not None:
                    self._newest.pop(watched, None)  # the answer is newer than what came before
            self._news.notify_all()


class JobWatch:
    """One job's changes; `now` is the newest that was taken."""

    def __init__(self, client: EngineClient, job_id: int, now: JobSnapshot) -> None:
        self._client = client
        self._job_id = job_id
        self.now = now

    def wait(self, timeout_s: float) -> bool:
        """Whether `now` is a newer one than before. Raises `EngineGone`."""
        change = self._client.next_change(self._job_id, timeout_s)
        if change is None:
            return False
        self.now = change
        return True


def _connected(runtime: RuntimeFile, timeout_s: float) -> Connection[Any, Any]:
    """The handshake in a thread of its own: the library has no time-out for it, and a process
    that is stopped still takes connections."""
    lock = threading.Lock()
    abandoned = False
    made: list[Connection[Any, Any]] = []
    failures: list[BaseException] = []

    def shake_hands() -> None:
        try:
            connection = Client(runtime.address, authkey=bytes.fromhex(runtime.auth_key_hex))
        except (OSError, EOFError, ValueError, AuthenticationError) as cause:
            failures.append(cause)
            return
        with lock:
            if not abandoned:
                made.append(connection)
                return
        connection.close()

    thread = threading.Thread(target=shake_hands, name="engine-handshake", daemon=True)
    thread.start()
    thread.join(timeout_s)
    with lock:
        if made:
            return made[0]
        abandoned = True
    if failures:
        raise EngineGone("No upload engine listens at its address.") from failures[0]
    raise EngineSilent(
        f"The upload engine (process {runtime.pid}) does not answer. If it hangs, end it and "
        "run the command again; its queue is kept."
    )

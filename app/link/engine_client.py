"""A screen's end of the engine's socket: requests out, answers and job changes in.

One thread reads; any thread may ask. Of a watched job's changes only the newest is kept until
somebody looks, so a slow screen never makes the queue grow and never holds the engine up. Who asks
either waits (`request`) or is called back (`post`, `watch_jobs`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from types import TracebackType
from typing import Any

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.link.engine_errors import EngineGone, EngineSilent
from app.link.outbox import Answer, OnAnswer, Outbox, answer_of
from app.link.protocol import MAX_FRAME_BYTES, RuntimeFile, decode, encode

log = logging.getLogger(__name__)

OnNews = Callable[[dict[int, JobSnapshot], list[int]], None]
"""Called with the jobs that changed, by number, and the numbers of those that were removed."""

# Waits are cut into slices, because an endless wait for a lock cannot be interrupted on Windows.
_SLICE_S = 0.25

_CLOSED = (
    "The upload engine ended or closed the connection. Its queue is kept; run the command again."
)
_NONSENSE = "The upload engine sent something this version does not understand."

__all__ = ["Answer", "EngineClient", "JobWatch", "OnAnswer", "OnNews"]


class EngineClient:
    """A connected screen. Every call may raise `EngineGone`; close it, or use it in a `with`."""

    def __init__(self, connection: Connection[Any, Any], notice: str = "") -> None:
        self.notice = notice  # what the engine wants its user to be told
        self._connection = connection
        self._sending = threading.Lock()
        self._news = threading.Condition()  # guards all below
        self._next_id = 1
        self._waiting: dict[int, int | None] = {}  # request id → the job it begins to watch
        self._answers: dict[int, dict[str, Any]] = {}
        self._watched: set[int] = set()
        self._newest: dict[int, JobSnapshot] = {}
        self._jobs_listener: _JobsListener | None = None
        self._gone: str | None = None
        self._outbox = Outbox(self._send)
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    @classmethod
    def connect(cls, runtime: RuntimeFile, timeout_s: float = 10.0) -> EngineClient:
        """Raises `EngineGone` when nobody listens there or not the one who wrote the file,
        `EngineSilent` when the one who listens does not answer."""
        return cls(_connected(runtime, timeout_s), runtime.notice)

    def request(self, command: str, timeout_s: float | None = None, **args: Any) -> dict[str, Any]:
        """The engine's answer. Raises the `LakeDropError` it answers with, or `EngineGone`.

        `timeout_s` None waits as long as the engine lives.
        """
        with self._news:
            request_id = self._next_id
            self._next_id += 1
            self._waiting[request_id] = args["job_id"] if command == "watch" else None
            if command == "watch":
                self._watched.add(args["job_id"])
        try:
            self._send(encode({"id": request_id, "command": command, "args": args}))
            answer = self._answer(request_id, command, timeout_s)
        finally:
            with self._news:
                self._waiting.pop(request_id, None)
                self._answers.pop(request_id, None)
        told = answer_of(answer)
        if told.error is not None:
            raise told.error
        return told.result or {}

    def post(self, command: str, on_answer: OnAnswer, /, **args: Any) -> None:
        """Asks and returns at once; encoding and sending happen on a thread of their own.

        `on_answer` is called exactly once, with `EngineGone` also when the engine goes away or this
        client is closed; on the reading or the sending thread, so it must return soon: store and
        signal. Requests are sent in the order they were posted, and answered in any. `args` are
        not to be changed afterwards.
        """
        with self._news:
            request_id = self._next_id
            self._next_id += 1
        self._outbox.post(request_id, command, args, on_answer)

    def watch_jobs(self, on_news: OnNews, on_lost: Callable[[LakeDropError], None]) -> None:
        """Tells all jobs, by the first call of `on_news`, and from then on what happens to them.

        `on_lost` is called once, when the connection ends (also by `close`) or the engine refuses.
        Both are called on the thread that reads: they must only store and signal. While they take
        their time nothing is read and nothing piles up here; the engine then tells the newest
        state alone. Only once for a client, else `WrongUse`.
        """
        listener = _JobsListener(on_news, on_lost)
        with self._news:
            if self._jobs_listener is not None:
                raise WrongUse("The jobs are watched already.")
            self._jobs_listener = listener
        self.post("watch_jobs", listener.begin)

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

    def _send(self, frame: bytes) -> None:
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
            why = _NONSENSE
        self._lose(why)
        with self._news:
            error, listener = EngineGone(self._gone or why), self._jobs_listener
        self._outbox.end(error)
        if listener is not None:
            listener.lose(error)
        with self._sending:
            self._connection.close()

    def _take(self, message: dict[str, Any]) -> None:
        match message.get("event"):
            case "job":
                snapshot = JobSnapshot.from_wire(message["job"])
                self._take_news({snapshot.job_id: snapshot}, [])
            case "gone":
                self._take_news({}, [int(job_id) for job_id in message["job_ids"]])
            case _:
                request_id = message["id"]
                if not self._outbox.answer(request_id, message):
                    self._take_answer(request_id, message)

    def _take_news(self, changed: dict[int, JobSnapshot], removed: list[int]) -> None:
        with self._news:
            for job_id, snapshot in changed.items():
                if job_id in self._watched:
                    self._newest[job_id] = snapshot
            listener = self._jobs_listener
            self._news.notify_all()
        if listener is not None:  # without the lock: it may ask for more
            listener.hear(changed, removed)

    def _take_answer(self, request_id: int, message: dict[str, Any]) -> None:
        with self._news:
            if request_id in self._waiting:
                self._answers[request_id] = message
                watched = self._waiting[request_id]
                if watched is not None:
                    self._newest.pop(watched, None)  # the answer is newer than what came before
            self._news.notify_all()


class _JobsListener:
    """Who is told of all jobs. What comes before the answer is older than it, and left out."""

    def __init__(self, on_news: OnNews, on_lost: Callable[[LakeDropError], None]) -> None:
        self._on_news = on_news
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_lost = False

    def begin(self, answer: Answer) -> None:
        if answer.error is not None:
            self.lose(answer.error)
            return
        try:
            rows = (answer.result or {})["jobs"]
            jobs = [JobSnapshot.from_wire(row) for row in rows]
        except (KeyError, TypeError, ValueError):
            self.lose(EngineGone(_NONSENSE))
            return
        self._has_begun = True
        self.hear({job.job_id: job for job in jobs}, [])

    def hear(self, changed: dict[int, JobSnapshot], removed: list[int]) -> None:
        if not self._has_begun or self._is_lost:
            return
        try:
            self._on_news(changed, removed)
        except Exception:
            # The listener's own fault must not cost everybody else the connection.
            log.critical("a listener failed at news of jobs", exc_info=True)

    def lose(self, error: LakeDropError) -> None:
        with self._lock:
            if self._is_lost:
                return
            self._is_lost = True
        try:
            self._on_lost(error)
        except Exception:
            log.critical("a listener failed at the end of the connection", exc_info=True)


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

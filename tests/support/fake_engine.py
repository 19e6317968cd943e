"""An engine without an engine: a real listener that speaks the protocol from a script.

For tests of a screen, the window's too:

    with FakeEngine(tmp_path / "engine.json") as engine:
        engine.answers["connections"] = lambda args: {"keyring": True, "connections": []}
        engine.answers["start_job"] = refuse        # what raises a LakeDropError answers with it
        engine.show(snapshot(job_id=1))             # a job that `watch_jobs` tells of
        client = engine.client()                    # a real EngineClient attached to it
        engine.show(snapshot(JobState.UPLOADING, job_id=1, bytes_sent=10))  # an event
        engine.forget(1)                            # a job that was removed
        engine.push({"event": "job", "job": {…}})   # any event, word by word
        engine.drop_screens()                       # as if it had died
        engine.args_of("start_job")                 # what the screen sent

An answer is called on a thread of its own, so one that waits (for an Event) delays no other.
`watch_jobs` answers by itself with what was shown; events after it never overtake that answer.

`python -m tests.support.fake_engine RUNTIME_FILE [--error TEXT] [--silent] [--no-listen]` is one in
a process of its own, as the starter starts it; it says `hello` and ends on `stop`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Any

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.link.engine_client import EngineClient
from app.link.engine_starter import connect_running
from app.link.protocol import PROTOCOL_VERSION, RuntimeFile, decode, encode, error_to_wire
from embedded_server.contract import SyncType

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def snapshot(state: JobState = JobState.DRAFT, **changes: Any) -> JobSnapshot:
    """A job of two files with 30 bytes; `changes` are fields of it."""
    fields: dict[str, Any] = {
        "job_id": 1,
        "name": "nightly",
        "connection": "local",
        "destination": "/data/x",
        "mode": SyncType.INCREMENTAL,
        "state": state,
        "message": "",
        "intake_done": True,
        "sync_id": None,
        "plain_server": False,
        "files": 2,
        "bytes": 30,
        "files_arrived": 0,
        "files_verified": 0,
        "files_failed": 0,
        "files_cancelled": 0,
        "files_left_out": 0,
        "bytes_sent": 0,
        "speed_bytes_s": 0.0,
        "waiting_reason": "",
    }
    empty: dict[str, Any] = {"int": 0, "float": 0.0, "str": "", "bool": False}
    for field in dataclasses.fields(JobSnapshot):
        if field.name not in fields and field.default is dataclasses.MISSING:
            fields[field.name] = empty.get(str(field.type))
    return JobSnapshot(**(fields | changes))


class FakeEngine:
    """Answers each command by `answers[command](args)`; a `LakeDropError` raised there is sent."""

    def __init__(
        self, runtime_file: Path, protocol: int = PROTOCOL_VERSION, notice: str = ""
    ) -> None:
        self.runtime_file = runtime_file
        self.answers: dict[str, Answer] = {"hello": lambda _: {"version": "0", "pid": os.getpid()}}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.stopped = threading.Event()
        self.jobs: dict[int, JobSnapshot] = {}
        self._key = os.urandom(16)
        # A folder of its own: a Unix socket's path may hold some 100 bytes only.
        self._folder = tempfile.TemporaryDirectory(prefix="fake-engine-")
        address = str(Path(self._folder.name) / "s")
        self._listener = Listener(address, authkey=self._key)
        self._open: list[Connection[Any, Any]] = []
        self._lock = threading.Lock()
        self._closing = False
        self._threads: list[threading.Thread] = []
        runtime = RuntimeFile(address, self._key.hex(), os.getpid(), protocol, notice)
        runtime_file.parent.mkdir(parents=True, exist_ok=True)
        # A file that is seen is whole: others look for it while it is written.
        torn = runtime_file.with_name(f"{runtime_file.name}.{os.getpid()}")
        torn.write_text(runtime.to_json(), encoding="utf-8")
        torn.replace(runtime_file)
        self._begin(self._accept)

    def commands(self) -> list[str]:
        return [command for command, _ in self.requests]

    def args_of(self, command: str) -> dict[str, Any]:
        """Of the last such request."""
        return [args for name, args in self.requests if name == command][-1]

    def client(self) -> EngineClient:
        """A screen's end, attached."""
        runtime = RuntimeFile.read(self.runtime_file)
        assert runtime is not None
        return EngineClient.connect(runtime)

    def show(self, *jobs: JobSnapshot) -> None:
        """These jobs are there now, and as they stand here: every screen is told."""
        with self._lock:
            self.jobs |= {job.job_id: job for job in jobs}
            for job in jobs:
                self._tell({"event": "job", "job": job.to_wire()})

    def forget(self, *job_ids: int) -> None:
        """These jobs were removed: every screen is told."""
        with self._lock:
            for job_id in job_ids:
                self.jobs.pop(job_id, None)
            self._tell({"event": "gone", "job_ids": list(job_ids)})

    def push(self, event: JobSnapshot | Mapping[str, Any]) -> None:
        """Sends the event, or the change of a job, to every screen."""
        if isinstance(event, JobSnapshot):
            event = {"event": "job", "job": event.to_wire()}
        with self._lock:
            self._tell(event)

    def _tell(self, event: Mapping[str, Any]) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):  # the screen left
                connection.send_bytes(encode(event))

    def send_raw(self, frame: bytes) -> None:
        with self._lock:
            for connection in self._open:
                connection.send_bytes(frame)

    def drop_screens(self) -> None:
        """Closes every screen's connection, as an engine's death does, and listens on."""
        with self._lock:
            self._open.clear()  # the thread that reads a connection is the one that closes it

    def close(self) -> None:
        """Stops listening; the runtime file stays behind, as after a kill."""
        self._closing = True
        # Wakes the accepting thread if it waits. Without the handshake: nobody answers one if the
        # thread has seen `_closing` by itself.
        with contextlib.suppress(OSError):
            Client(self._listener.address).close()
        self._listener.close()
        self.drop_screens()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10)
        self._folder.cleanup()

    def __enter__(self) -> FakeEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, AuthenticationError):
                continue
            with self._lock:
                self._open.append(connection)
            self._begin(self._serve, connection)

    def _serve(self, connection: Connection[Any, Any]) -> None:
        with contextlib.suppress(OSError, EOFError):  # the screen left
            # In slices: closing a socket in another thread does not wake the one that reads it.
            while connection in self._open:
                if connection.poll(0.02):
                    self._begin(self._answer, connection, decode(connection.recv_bytes()))
        with self._lock:
            if connection in self._open:
                self._open.remove(connection)
            connection.close()

    def _answer(self, connection: Connection[Any, Any], message: dict[str, Any]) -> None:
        command, args = message["command"], message["args"]
        self.requests.append((command, args))
        reply: dict[str, Any] = {"id": message["id"]}
        try:
            if command == "stop":
                self.stopped.set()
                reply["result"] = {}
            elif command == "watch_jobs" and command not in self.answers:
                self._answer_watch_jobs(connection, reply)
                return
            elif command in self.answers:
                reply["result"] = self.answers[command](args)
            else:
                raise WrongUse(f"the fake engine has no answer for {command}")
        except LakeDropError as error:
            reply["error"] = error_to_wire(error)
        with self._lock, contextlib.suppress(OSError):  # the screen left
            if connection in self._open:
                connection.send_bytes(encode(reply))

    def _answer_watch_jobs(self, connection: Connection[Any, Any], reply: dict[str, Any]) -> None:
        # In one go: what is shown from here on comes as an event, after the answer.
        with self._lock, contextlib.suppress(OSError):  # the screen left
            reply["result"] = {"jobs": [job.to_wire() for job in self.jobs.values()]}
            if connection in self._open:
                connection.send_bytes(encode(reply))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime_file", type=Path)
    parser.add_argument("--error")
    parser.add_argument("--silent", action="store_true")
    options = parser.parse_args()
    if options.error:
        print(json.dumps({"error": options.error}), flush=True)
        return
    if options.silent:
        return
    place = options.runtime_file.with_name("engine.lock")
    try:
        place.touch(exist_ok=False)
    except FileExistsError:  # as the real one: the loser points at the winner
        while (winner := connect_running(options.runtime_file)) is None:
            threading.Event().wait(0.01)
        winner.close()
        print(json.dumps({"ready": True}), flush=True)
        return
    with FakeEngine(options.runtime_file) as engine:
        engine.answers["hello"] = lambda _: {
            "version": os.environ.get("LAKEDROP_API_KEY", "no key"),
            "pid": os.getpid(),
        }
        print(json.dumps({"ready": True}), flush=True)
        sys.stdout.close()
        engine.stopped.wait(60)
    place.unlink()


if __name__ == "__main__":
    main()

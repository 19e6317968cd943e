"""An engine without an engine: a real listener that speaks the protocol from a script.

`python -m tests.support.fake_engine RUNTIME_FILE [--error TEXT] [--silent] [--no-listen]` is one in
a process of its own, as the starter starts it; it says `hello` and ends on `stop`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Any

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
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
    return JobSnapshot(**(fields | changes))


class FakeEngine:
    """Answers each command by `answers[command](args)`; a `LakeDropError` raised there is sent."""

    def __init__(self, runtime_file: Path, protocol: int = PROTOCOL_VERSION) -> None:
        self.runtime_file = runtime_file
        self.answers: dict[str, Answer] = {"hello": lambda _: {"version": "0", "pid": os.getpid()}}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.stopped = threading.Event()
        self._key = os.urandom(16)
        # A folder of its own: a Unix socket's path may hold some 100 bytes only.
        self._folder = tempfile.TemporaryDirectory(prefix="fake-engine-")
        address = str(Path(self._folder.name) / "s")
        self._listener = Listener(address, authkey=self._key)
        self._open: list[Connection[Any, Any]] = []
        self._lock = threading.Lock()
        self._closing = False
        self._threads: list[threading.Thread] = []
        runtime = RuntimeFile(address, self._key.hex(), os.getpid(), protocol)
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

    def push(self, job: JobSnapshot) -> None:
        """Sends the change to every screen."""
        with self._lock:
            for connection in self._open:
                connection.send_bytes(encode({"event": "job", "job": job.to_wire()}))

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
            elif command in self.answers:
                reply["result"] = self.answers[command](args)
            else:
                raise WrongUse(f"the fake engine has no answer for {command}")
        except LakeDropError as error:
            reply["error"] = error_to_wire(error)
        with self._lock, contextlib.suppress(OSError):  # the screen left
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

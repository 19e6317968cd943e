"""The local lake's server as a child of the engine: started when needed, ended with the engine.

The child gets a nonce and a key of this run on its standard input and answers with its address
and the nonce's HMAC, so nothing is ever sent to a stranger that happens to hold the port. The end
of its standard input tells it that the engine is gone. A server that somebody started by hand on
the same lake is found by the lake's lock, and used with the lake's own key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from app.domain import sentences
from app.domain.errors import LocalLakeFailed

log = logging.getLogger(__name__)

KEY_VARIABLE = "LAKEDROP_API_KEY"
SERVER_COMMAND = (sys.executable, "-m", "embedded_server", "--managed", "--port", "0", "--lake")
# On Windows the engine has no console, and a child of it would open one.
_NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class LakeAddress:
    base_url: str
    api_key: str

    def __repr__(self) -> str:  # the key must not reach a log through a repr
        return f"LakeAddress({self.base_url!r})"


class LocalLakeServer:
    """`ensure` starts the child, or starts it again when it has died; safe from any thread.

    The lake's folder is the command's last argument.
    """

    def __init__(
        self,
        lake: Path,
        log_file: IO[bytes] | int | None = None,
        command: Sequence[str] = SERVER_COMMAND,
    ) -> None:
        self._command = command
        self._lake = lake
        self._log_file = log_file
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._address: LakeAddress | None = None
        self._somebody: str | None = None  # address of a server that was started by hand

    @property
    def files_folder(self) -> Path:
        return self._lake / "files"

    @property
    def lake_folder(self) -> Path:
        return self._lake

    def ensure(self, key_of_somebody: str | None = None) -> LakeAddress:
        """The address of the running server; raises `LocalLakeFailed`.

        `key_of_somebody` is for a server that was started by hand with a key of its own.
        """
        with self._lock:
            if self._address and self._child and self._child.poll() is None:
                return self._address
            if self._somebody and self._is_held() and self._told_address() == self._somebody:
                return LakeAddress(self._somebody, self._key_for_somebody(key_of_somebody))
            if self._child:
                log.warning("the local lake's server ended with %s", self._child.poll())
                self._reap()
            return self._start(key_of_somebody)

    def stop(self) -> None:
        """Lets the server finish what it holds, then ends it."""
        with self._lock:
            child = self._child
            if child is None:
                return
            _close(child.stdin)
            try:
                child.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
            self._reap()

    def _reap(self) -> None:
        if self._child:
            self._child.wait()
            _close(self._child.stdin)
            _close(self._child.stdout)
        self._child, self._address = None, None

    def _start(self, key_of_somebody: str | None) -> LakeAddress:
        nonce, key = secrets.token_bytes(32), secrets.token_hex(24)
        environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
        try:
            child = subprocess.Popen(  # noqa: S603  our own program
                [*self._command, str(self._lake)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log_file,
                env=environment,
                creationflags=_NO_CONSOLE,
            )
        except OSError as cause:
            raise LocalLakeFailed(f"The lake server cannot be started: {cause}.") from cause
        self._child = child
        answer = self._greet(child, nonce, key)
        if answer.get("error") == "lake_in_use":
            self._reap()
            return self._server_of_somebody(key_of_somebody)
        address = answer.get("listening")
        if not isinstance(address, str):
            self._reap()
            raise LocalLakeFailed(str(answer.get("message") or "The lake server did not start."))
        proof = hmac.new(nonce, address.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof, str(answer.get("proof"))):
            child.kill()
            self._reap()
            raise LocalLakeFailed("What answered is not the lake server that was started.")
        self._address = LakeAddress(address, key)
        return self._address

    @staticmethod
    def _greet(child: subprocess.Popen[bytes], nonce: bytes, key: str) -> dict[str, object]:
        if child.stdin is None or child.stdout is None:
            raise LocalLakeFailed("The lake server was started without its pipes.")
        # A server that hangs at its start is ended, which ends the reading below too.
        guard = threading.Timer(_START_TIMEOUT_S, child.kill)
        guard.start()
        try:
            greeting = json.dumps({"nonce": nonce.hex(), "api_key": key})
            child.stdin.write(greeting.encode() + b"\n")
            child.stdin.flush()
            line = child.stdout.readline()
            answer = json.loads(line) if line else {}
        except (OSError, ValueError) as cause:
            child.kill()
            raise LocalLakeFailed(sentences.SERVER_NOT_STARTED()) from cause
        finally:
            guard.cancel()
        return answer if isinstance(answer, dict) else {}

    # -- a server that somebody started by hand on the same lake -------------------------------

    def _server_of_somebody(self, key: str | None) -> LakeAddress:
        address = self._told_address()
        if address is None:
            raise LocalLakeFailed(
                f"Another program holds the lake {self._lake} but does not say where it listens. "
                "Try again in a moment, or stop that program."
            )
        self._somebody = address
        return LakeAddress(address, self._key_for_somebody(key))

    def _is_held(self) -> bool:
        """Whether the lake's lock is held; a stale address of a killed server is not."""
        lock = FileLock(self._lake / ".lakedrop" / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return False

    def _record(self) -> dict[str, object]:
        """What the server that holds the lake tells of itself; empty where it has not."""
        try:
            told = json.loads((self._lake / ".lakedrop" / "server.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _told_address(self) -> str | None:
        address = self._record().get("address")
        return address if isinstance(address, str) else None

    def _key_for_somebody(self, key: str | None) -> str:
        if key:
            return key
        try:
            if not self._record().get("key_is_in_lake"):
                raise FileNotFoundError("the server was given a key of its own")
            return (self._lake / ".lakedrop" / "api-key").read_text(encoding="utf-8").strip()
        except OSError as cause:
            raise LocalLakeFailed(
                f"Another program serves the lake {self._lake} at {self._somebody}, with a key "
                "that is not kept in the lake. Upload to that address with --server and the key in "
                "LAKEDROP_API_KEY, or stop that program."
            ) from cause


def _close(pipe: IO[bytes] | None) -> None:
    """What a child that is gone did not take is dropped."""
    if pipe:
        with suppress(OSError):
            pipe.close()

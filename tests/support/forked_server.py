"""Real servers that start in milliseconds: forked from a process that has imported everything.

Each is a process of its own that runs the server's `main`, so kill -9, strace and open files are
those of `lakedrop serve`; only the imports are shared. For POSIX.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.support import server_zygote
from tests.support.broken_builds import SOUND
from tests.support.real_server import SAMPLE_KEY, ServerDidNotStart

_FIRST_LINE = re.compile(r"listening on (http://\S+)\n")
_REPOSITORY = Path(__file__).resolve().parents[2]
# No bar: how long a loaded machine may take before the test calls it hung.
HUNG_S = 60.0


class ForkedServer:
    """A running server, as `RealServer` is one.

    `on_forked` is called with the process id before the server does anything at all.
    Raises `ServerDidNotStart` when it ended before it listened, whatever ended it.
    """

    def __init__(
        self,
        servers: ForkedServers,
        lake: Path,
        *,
        api_key: str = SAMPLE_KEY,
        build: str = SOUND,
        environment: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        on_forked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.lake = lake
        self.api_key = api_key
        self.errors = lake.parent / f"{lake.name}.stderr"
        self._servers = servers
        self._ended: int | None = None
        arguments = ["--lake", str(lake), "--port", "0", *flags]
        gate, opens_gate = os.pipe()
        self._output, output = os.pipe()
        errors = os.open(self.errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        started = time.monotonic()
        try:
            order = {
                "arguments": arguments,
                "build": build,
                "environment": {**(environment or {}), "LAKEDROP_API_KEY": self.api_key},
            }
            self.pid = servers.ask(order, output, errors, gate)["pid"]
        finally:
            for descriptor in (gate, output, errors):
                os.close(descriptor)
        self._exit = os.pidfd_open(self.pid)
        try:
            on_forked(self.pid)
        finally:
            os.write(opens_gate, b"!")
            os.close(opens_gate)
        self.address = self._read_address()
        self.started_in_s = time.monotonic() - started

    def _read_address(self) -> str:
        said = b""
        while piece := os.read(self._output, 4096):  # its end, when the process ends
            said += piece
            if match := _FIRST_LINE.search(said.decode()):
                return match[1]
        status = self.wait()
        raise ServerDidNotStart(
            f"ended with {status} before it listened, said {said!r},"
            f" errors: {self.errors.read_text()[-4000:]}"
        )

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def files(self) -> Path:
        return self.lake / "files"

    @property
    def trash(self) -> Path:
        return self.lake / ".lakedrop" / "trash"

    @property
    def incoming(self) -> Path:
        return self.lake / ".lakedrop" / "incoming"

    def signal(self, number: signal.Signals) -> None:
        if self._ended is None:
            os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Asks without waiting; the process stays unreaped until `wait`."""
        return self._ended is not None or bool(select.select([self._exit], [], [], 0)[0])

    def wait(self) -> int:
        """Its exit status, or minus the number of the signal that ended it."""
        if self._ended is None:
            ready, _, _ = select.select([self._exit], [], [], HUNG_S)
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                select.select([self._exit], [], [])
            self._ended = self._servers.ask({"reap": self.pid})["status"]
            os.close(self._exit)
            os.close(self._output)
            assert ready, f"the server had to be killed: it did not end within {HUNG_S} s"
        return self._ended

    def kill(self) -> None:
        """As a crash does it: no goodbye."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> ForkedServer:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()


class ForkedServers:
    """The process they are forked from."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, server_zygote.__file__], stdin=theirs.fileno(), cwd=_REPOSITORY
            )

    def ask(self, order: Mapping[str, object], *descriptors: int) -> dict[str, int]:
        socket.send_fds(self._orders, [json.dumps(order).encode()], descriptors)
        answer = self._orders.recv(server_zygote.MAX_ORDER_BYTES)
        assert answer, "the process that servers are forked from has ended"
        told: dict[str, int] = json.loads(answer)
        return told

    def close(self) -> None:
        self._orders.close()
        self._process.wait(HUNG_S)


@contextmanager
def forked_servers() -> Iterator[ForkedServers]:
    servers = ForkedServers()
    try:
        yield servers
    finally:
        servers.close()

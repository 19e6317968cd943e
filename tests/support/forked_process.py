"""Processes that are forked from one that has imported their program; see `zygote`."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.zygote import MAX_ORDER_BYTES

_REPOSITORY = Path(__file__).resolve().parents[2]
# No bar: how long a loaded machine may take before the test calls it hung.
HUNG_S = 60.0


class Zygote:
    """The process they are forked from; `program` is its script."""

    def __init__(self, program: Path) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(program)], stdin=theirs.fileno(), cwd=_REPOSITORY
            )

    def ask(self, order: Mapping[str, object], *descriptors: int) -> dict[str, int]:
        socket.send_fds(self._orders, [json.dumps(order).encode()], descriptors)
        answer = self._orders.recv(MAX_ORDER_BYTES)
        assert answer, "the process that others are forked from has ended"
        told: dict[str, int] = json.loads(answer)
        return told

    def close(self) -> None:
        self._orders.close()
        self._process.wait(HUNG_S)


class ForkedProcess:
    """`order` is the zygote's; `on_forked` is called with the process id before it does anything.

    What it says on standard error is added to `errors`.
    """

    def __init__(
        self,
        zygote: Zygote,
        order: Mapping[str, object],
        errors: Path,
        on_forked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.errors = errors
        self._zygote = zygote
        self._ended: int | None = None
        gate, opens_gate = os.pipe()
        self._output, output = os.pipe()
        log = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.pid = zygote.ask(order, output, log, gate)["pid"]
        finally:
            for descriptor in (gate, output, log):
                os.close(descriptor)
        self._exit = os.pidfd_open(self.pid)
        try:
            on_forked(self.pid)
        finally:
            os.write(opens_gate, b"!")
            os.close(opens_gate)

    def read_until(self, pattern: re.Pattern[str]) -> re.Match[str] | str:
        """The match in its standard output, or all it said before it ended."""
        said = b""
        while piece := os.read(self._output, 4096):  # its end, when the process ends
            said += piece
            if match := pattern.search(said.decode()):
                return match
        return said.decode()

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
            self._ended = self._zygote.ask({"reap": self.pid})["status"]
            os.close(self._exit)
            os.close(self._output)
            assert ready, f"process {self.pid} had to be killed: it did not end in {HUNG_S} s"
        return self._ended

    def kill(self) -> None:
        """As a crash does it: no goodbye."""
        self.signal(signal.SIGKILL)
        self.wait()

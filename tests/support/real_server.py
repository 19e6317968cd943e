"""Starts the real lake server as a process of its own, as `lakedrop serve` does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

SAMPLE_KEY = "cccccccc-14a1-4eb1-8964-000000000000"  # the documentation's
_FIRST_LINE = re.compile(r"listening on (https?://\S+)$")
_REPOSITORY = Path(__file__).resolve().parents[2]


class ServerDidNotStart(AssertionError):
    """The process ended before it listened; the text holds what it said."""


class RealServer:
    """A running server: `with RealServer(lake) as server: httpx.get(server.address + …)`."""

    def __init__(
        self,
        lake: Path,
        *,
        api_key: str = SAMPLE_KEY,
        port: int = 0,
        program: Sequence[str] = ("-m", "embedded_server"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`program` lets a test start a server with a fault built in instead of the plain one."""
        self.lake = lake
        self.api_key = api_key
        self.errors = lake.parent / f"{lake.name}.stderr"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *program, "--lake", str(lake), "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=_REPOSITORY,
                env={**os.environ, **(environment or {}), "LAKEDROP_API_KEY": api_key},
                text=True,
            )
        self.address = self._read_address()

    def _read_address(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().rstrip("\n")  # returns at once if the process ends
        match = _FIRST_LINE.search(line)
        if match is None:
            self.kill()
            raise ServerDidNotStart(f"first line {line!r}, errors: {self.errors.read_text()}")
        return match[1]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def files(self) -> Path:
        return self.lake / "files"

    @property
    def trash(self) -> Path:
        return self.lake / ".lakedrop" / "trash"

    def kill(self) -> None:
        """As a crash does it: no goodbye."""
        self.process.kill()
        self._collect()

    def stop(self) -> int:
        """Asks it to stop; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._collect()

    def _collect(self) -> int:
        status = self.process.wait(timeout=60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def __enter__(self) -> RealServer:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        else:
            self._collect()

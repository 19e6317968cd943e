"""A LakeDrop of its own below one folder: its command line, its engine, its local lake."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from app.infra.places import Places
from app.link.protocol import RuntimeFile

_LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def places(self) -> Places:
        return Places.below(self.folder)

    @property
    def files(self) -> Path:
        """What is published on the local lake."""
        return self.places.lake / "files"

    @property
    def trash(self) -> Path:
        return self.places.lake / ".lakedrop" / "trash"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if name != "LAKEDROP_API_KEY"}
        return {
            **kept,
            "LAKEDROP_HOME": str(self.folder),
            "LAKEDROP_ENGINE_LINGER_S": "30",
            **more,
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.environment(**environment),
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command to its end; its exit code is the caller's to look at."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=_LONGEST_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def rows(self, *arguments: str, **environment: str) -> list[dict[str, Any]]:
        """What a command prints with --json; it must succeed."""
        done = self.run(*arguments, "--json", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def engine(self) -> psutil.Process:
        runtime = RuntimeFile.read(self.places.runtime_file)
        assert runtime is not None, "no engine is running"
        return psutil.Process(runtime.pid)

    def server(self) -> psutil.Process:
        """The local lake's server: the engine's child."""
        children = self.engine().children()
        return next(child for child in children if "embedded_server" in child.cmdline())

    def end_engine(self) -> None:
        """Ends the engine, if one runs, and waits until it has let go of everything."""
        runtime = RuntimeFile.read(self.places.runtime_file)
        if runtime is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(runtime.pid, signal.SIGTERM)
        if self.places.state.exists():
            with FileLock(self.places.engine_lock, timeout=60):
                pass


@contextlib.contextmanager
def own_home(folder: Path) -> Iterator[Home]:
    folder.mkdir(parents=True, exist_ok=True)
    home = Home(folder)
    try:
        yield home
    finally:
        home.end_engine()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder: relative path with slashes → bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

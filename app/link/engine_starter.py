"""Attaches to this user's engine, and starts one when none lives."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone, EngineNotStarted, EngineSilent
from app.link.protocol import PROTOCOL_VERSION, RuntimeFile

API_KEY_VARIABLE = "LAKEDROP_API_KEY"

_BEHIND_BY = 5  # steps of niceness: about a third of the processor while a screen wants all of it
_STARTS = 5  # an engine may end between its "ready" and our connecting; then once more


@dataclass(frozen=True, slots=True)
class EngineLaunch:
    """How to start an engine. `folder` is where it stands, so that it holds no user's folder."""

    command: tuple[str, ...]
    folder: Path
    log_file: Path


def attach(
    runtime_file: Path, launch: EngineLaunch, *, start_timeout_s: float = 60.0
) -> EngineClient:
    """The running engine, else a new one. Two who start at once end up at the same engine.

    Raises `EngineNotStarted` with the engine's own words, or for an engine of another version.
    """
    deadline_s = time.monotonic() + start_timeout_s
    for _ in range(_STARTS):
        client = connect_running(runtime_file)
        if client is not None:
            return client
        _start(launch, max(deadline_s - time.monotonic(), 1.0))
    client = connect_running(runtime_file)
    if client is not None:
        return client
    raise EngineNotStarted(
        f"The upload engine starts and ends again at once. Its log may say why: {launch.log_file}"
    )


def connect_running(runtime_file: Path) -> EngineClient | None:
    """The engine that lives, or None: no runtime file, or one that a dead engine left behind.

    Raises `EngineNotStarted` for an engine of another version, `EngineSilent` for one that hangs.
    """
    runtime = RuntimeFile.read(runtime_file)
    if runtime is None:
        return None
    try:
        client = EngineClient.connect(runtime)
    except EngineSilent:  # somebody holds the place: another engine could not take it
        raise
    except EngineGone:
        return None
    if runtime.protocol != PROTOCOL_VERSION:
        client.close()
        raise EngineNotStarted(
            f"An upload engine of another LakeDrop version is running (process {runtime.pid}). "
            "Let its uploads finish or end that process, then try again."
        )
    return client


def _start(launch: EngineLaunch, timeout_s: float) -> None:
    """Returns once an engine, this one or another, is ready."""
    environment = {name: text for name, text in os.environ.items() if name != API_KEY_VARIABLE}
    try:
        launch.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = os.open(launch.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as cause:
        raise EngineNotStarted(f"Its log cannot be written: {cause}") from cause
    try:
        process = subprocess.Popen(  # noqa: S603  our own interpreter and package
            launch.command,
            cwd=launch.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            **_detached(),
        )
    except OSError as cause:
        raise EngineNotStarted(f"It cannot be run: {cause}") from cause
    finally:
        os.close(log)
    _let_give_way(process.pid)
    first_line: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(
        target=_follow, args=(process, first_line), name="engine-process", daemon=True
    ).start()
    try:
        line = first_line.get(timeout=timeout_s)
    except queue.Empty as cause:
        process.kill()
        raise EngineNotStarted(
            f"It did not get ready within {timeout_s:.0f} seconds. Its log may say why: "
            f"{launch.log_file}"
        ) from cause
    _judge(line, launch.log_file)


def _follow(process: subprocess.Popen[bytes], first_line: queue.SimpleQueue[bytes]) -> None:
    """Takes the engine's one line, then waits for its end so that it never stays a zombie."""
    if process.stdout is not None:
        with process.stdout as stream:
            first_line.put(stream.readline())
    process.wait()


def _judge(line: bytes, log_file: Path) -> None:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.get("ready") is True:
        return
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        raise EngineNotStarted(said["error"])
    raise EngineNotStarted(f"It ended before it was ready. Its log may say why: {log_file}")


def _detached() -> dict[str, Any]:
    """Ctrl-C in the terminal, and the terminal's end, must not reach the engine."""
    if sys.platform == "win32":
        return {
            "creationflags": subprocess.DETACHED_PROCESS
            | subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        }
    return {"start_new_session": True}


def _let_give_way(pid: int) -> None:
    """The engine, and the lake's server as its child, work behind what a person looks at.

    Where Linux shares the processor among sessions first (autogroups), a priority counts only
    inside the engine's own; so that session as a whole is put behind as well.
    """
    if sys.platform == "win32":
        return  # told when it was made
    with suppress(OSError):  # it has ended already, or may not be changed: then it is as it was
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _BEHIND_BY)
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_BEHIND_BY), encoding="ascii")


def engine_command(arguments: Sequence[str] = ("engine",)) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", *arguments)

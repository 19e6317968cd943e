"""From starting the program to its window: mapped, and drawn; in turn with FileZilla's."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measuring import ROOT, environment, say
from tests.benchmarks.small_files import lakedrop_stop
from tests.benchmarks.window_sight import WindowSight, window_sight
from tests.support.window.x_session import XSession, x_session

_OURS, _PEER = "LakeDrop", "FileZilla"


@dataclass(frozen=True, slots=True)
class _Start:
    """Milliseconds since just before the program was started."""

    mapped_ms: float
    painted_ms: float


def run(scratch: Path, rounds: int) -> None:
    say("a window opens, warm: from starting the program to the window mapped, and drawn")
    missing = [tool for tool in ("Xvfb", "openbox", "xdotool") if shutil.which(tool) is None]
    if missing:
        say(f"  left out: {', '.join(missing)} is not installed (make setup-dev says how)")
        return
    peer = shutil.which("filezilla")
    if peer is None:
        say("  FileZilla is not installed (package filezilla): LakeDrop is measured alone")
    home = scratch / "window-start-home"
    with x_session(scratch / "window-start") as session, window_sight(session.display) as sight:
        starts: dict[str, list[_Start]] = {_OURS: [], _PEER: []}
        for number in range(rounds + 1):  # the first one warms up, and is not counted
            ours = _start_of_ours(session, sight, home)
            theirs = None if peer is None else _start_of_peer(session, sight, peer)
            if number:
                starts[_OURS].append(ours)
                starts[_PEER] += [] if theirs is None else [theirs]
    for name, series in starts.items():
        if series:
            _tell(name, series)


def _start_of_ours(session: XSession, sight: WindowSight, home: Path) -> _Start:
    environ = session.environment(environment(LAKEDROP_HOME=str(home)))
    try:
        return _start([sys.executable, "-m", "app"], environ, sight)
    finally:
        lakedrop_stop(home)  # the engine that the window started


def _start_of_peer(session: XSession, sight: WindowSight, program: str) -> _Start:
    return _start([program], session.environment(environment()), sight)


def _start(words: list[str], environ: dict[str, str], sight: WindowSight) -> _Start:
    sight.forget()
    began_s = time.perf_counter()
    program = subprocess.Popen(
        words,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen = sight.next_window()
    except TimeoutError as cause:
        raise SystemExit(f"{' '.join(words)}: {cause}") from cause
    finally:
        program.terminate()
        program.wait()
    return _Start((seen.mapped_s - began_s) * 1000, (seen.painted_s - began_s) * 1000)


def _tell(name: str, series: list[_Start]) -> None:
    told = []
    for what, times in (
        ("mapped", [start.mapped_ms for start in series]),
        ("drawn", [start.painted_ms for start in series]),
    ):
        told.append(
            f"{what} {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})"
        )
    say(f"  {name}: {', '.join(told)}, medians of {len(series)}")

"""100,000 files dropped on the real window: when rows are there, and how long it ever stands still.

A stall is the longest time between two beats of a timer of the window's own thread, less the beat.
The file manager has its list of URLs ready: what it takes to write one (some 30 ms for 100,000 by
Qt), while the window must wait for it inside Qt, is not the window's. X's transfer of it counts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.link.engine_starter import connect_running
from tests.benchmarks.measuring import environment, say
from tests.support.home import Home, own_home
from tests.support.window.real_window import FileManager, RealWindow, file_manager, real_window
from tests.support.window.waiting import until
from tests.support.window.x_session import XSession, x_session

FILES = 100_000
_FILES_A_FOLDER = 1_000
_CONTENT = b"id,amount\n1,100\n"
_NOTCHES = 60
_LONGEST_S = 900.0


def run(scratch: Path) -> None:
    say(f"{FILES:,} files dropped on the window, by real drags")
    missing = [tool for tool in ("Xvfb", "openbox", "xdotool") if shutil.which(tool) is None]
    if missing:
        say(f"  left out: {', '.join(missing)} is not installed (make setup-dev says how)")
        return
    folder = scratch / "window-rows" / "many files"
    paths = _make_files(folder)
    for name, dropped, uploads in (("one folder", [folder], True), ("as many URLs", paths, False)):
        here = scratch / "window-rows" / name
        with (
            own_home(here / "home") as home,
            x_session(here / "screen") as session,
            file_manager(session) as files,
        ):
            _measure(home, session, files, name, dropped, uploads=uploads)
        shutil.rmtree(here)


def _measure(
    home: Home,
    session: XSession,
    files: FileManager,
    name: str,
    dropped: Sequence[Path],
    *,
    uploads: bool,
) -> None:
    environ = home.environment() | environment(LAKEDROP_HOME=str(home.folder))
    with real_window(session, environ) as window:
        # The engine is up, as it is when a person has dropped something before.
        until(lambda: connect_running(home.places.runtime_file), "the engine is up")
        window.worst_stall_ms()
        files.drag(dropped, window.see("mainWindow").at)
        began_s = time.perf_counter()
        until(lambda: _count(window) > 0, "rows are in sight", within_s=_LONGEST_S)
        first_s = time.perf_counter() - began_s
        until(lambda: _count(window) == FILES, "all rows are there", within_s=_LONGEST_S)
        all_s = time.perf_counter() - began_s
        say(f"  {name}: first rows {first_s:.2f} s after the drop, all after {all_s:.1f} s")
        say(f"    worst stall while they are added: {window.worst_stall_ms():.0f} ms")
        _scroll(window)
        say(f"    worst stall while scrolling: {window.worst_stall_ms():.0f} ms")
        if uploads:
            window.see("upload.start", enabled=True, within_s=_LONGEST_S)
            _upload(home, window)


def _upload(home: Home, window: RealWindow) -> None:
    window.worst_stall_ms()
    began_s = time.perf_counter()
    window.click("upload.start")
    until(_looks_while_scrolling(home, window), "all files are in the lake", within_s=_LONGEST_S)
    took_s = time.perf_counter() - began_s
    say(
        f"    uploaded to the local lake, scrolling, in {took_s:.0f} s ({FILES / took_s:.0f} "
        f"files/s); worst stall: {window.worst_stall_ms():.0f} ms"
    )


def _looks_while_scrolling(home: Home, window: RealWindow) -> Callable[[], bool]:
    """Asks the engine, not the window: a question to that one would be work of its own."""
    engine = connect_running(home.places.runtime_file)
    if engine is None:
        raise SystemExit("the engine is gone")
    down = True

    def look() -> bool:
        nonlocal down
        window.hands.wheel(window.see("upload.table").at, _NOTCHES if down else -_NOTCHES)
        down = not down
        (job,) = engine.request("watch_jobs")["jobs"]
        return bool(job["state"] == "finished")

    return look


def _scroll(window: RealWindow) -> None:
    """By the wheel, then to the end and back by keys."""
    table = window.see("upload.table").at
    window.hands.wheel(table, _NOTCHES)
    window.hands.wheel(table, -_NOTCHES)
    window.hands.click(table)
    window.hands.keys("End", "Page_Up", "Page_Up", "Home", "Page_Down", "Page_Down", "Home")


def _count(window: RealWindow) -> int:
    return window.rows("upload.table", limit=0).count


def _make_files(folder: Path) -> list[Path]:
    paths = [
        folder / f"day {number // _FILES_A_FOLDER:03d}" / f"part-{number:06d}.csv"
        for number in range(FILES)
    ]
    for path in paths[::_FILES_A_FOLDER]:
        path.parent.mkdir(parents=True)
    for path in paths:
        path.write_bytes(_CONTENT)
    return paths

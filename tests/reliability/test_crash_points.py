"""The server is killed at a system call: in uploads, in *end*, and in the recovery after that.

strace kills it as the call begins. Per change a seeded choice of 20 points; in a soak every point,
and every point of the recovery of each state that these leave on disk (equal states once).
"""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.broken_builds import SOUND
from tests.support.counts import count, seeds
from tests.support.crash_points import Script, copy_of, state_of
from tests.support.crashed_lake import complaints_about_lake
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.needs import needs_tool
from tests.support.real_server import ServerDidNotStart
from tests.support.strace import Point, points_in, strace

_P = TypeVar("_P", Point, tuple[str, Point])
_ALL = 1_000_000
_UPLOADS, _RECOVERIES = count(14, _ALL), count(6, _ALL)

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("has_strace")]


@pytest.fixture(scope="module")
def has_strace() -> None:
    needs_tool("strace")


class _Crashes:
    """Kills servers of one build at points of a script, each on a fresh copy of the same lake."""

    def __init__(self, servers: ForkedServers, folder: Path, build: str = SOUND) -> None:
        self._servers = servers
        self._folder = folder
        self._build = build
        self._numbers = iter(range(_ALL))
        Script().prepare(servers, folder / "before")

    def _script(self) -> tuple[Script, Path]:
        """Ready to be played on a lake of its own."""
        script = Script()
        folder = self._folder / str(next(self._numbers))
        script.old.sent = script.old.acknowledged = {
            f"/data/replaced/{n % 2}/old{n}.bin" for n in range(3)
        }
        folder.mkdir()
        return script, copy_of(self._folder / "before", folder / "lake")

    def points(self) -> list[tuple[str, Point]]:
        """All of the script, with their phases, by a run in which nobody is killed."""
        script, lake = self._script()
        points: list[tuple[str, Point]] = []
        with ForkedServer(self._servers, lake, build=self._build) as server:

            @contextmanager
            def look_on(phase: str) -> Iterator[None]:
                with strace(server.pid, lake.parent) as log:
                    yield
                points.extend((phase, point) for point in points_in(log, lake))

            script.play(server, look_on)
        assert script.is_ended, "the script did not come to its end"
        return points

    def crash(self, phase: str, point: Point) -> tuple[Script, Path]:
        script, lake = self._script()
        inject = f"{point.call}:signal=KILL:when={point.nth}"
        with ForkedServer(self._servers, lake, build=self._build) as server:

            @contextmanager
            def kill(now: str) -> Iterator[None]:
                if now != phase:
                    yield
                    return
                with strace(server.pid, lake.parent, inject, to_its_end=True):
                    try:
                        yield
                    finally:
                        server.signal(signal.SIGKILL)  # should the point not come again

            script.play(server, kill)
        return script, lake

    def recovery_points(self, lake: Path) -> list[Point]:
        """All of what a start does in this lake."""
        copied = copy_of(lake, self._folder / str(next(self._numbers)) / "lake")
        with ExitStack() as stack:

            def look_on(pid: int) -> None:
                stack.enter_context(strace(pid, copied.parent, to_its_end=True))

            with ForkedServer(self._servers, copied, on_forked=look_on) as server:
                server.kill()
        found = points_in(copied.parent / "strace.log", copied)
        shutil.rmtree(copied.parent)
        return found

    def crash_in_recovery(self, lake: Path, point: Point) -> Path:
        copied = copy_of(lake, self._folder / str(next(self._numbers)) / "lake")
        inject = f"{point.call}:signal=KILL:when={point.nth}"
        with ExitStack() as stack:

            def look_on(pid: int) -> None:
                stack.enter_context(strace(pid, copied.parent, inject, to_its_end=True))

            try:
                with ForkedServer(self._servers, copied, on_forked=look_on) as server:
                    server.kill()  # recovery was through before that point
            except ServerDidNotStart:
                pass  # killed, as it was meant to be
        return copied


def chosen(points: Sequence[_P], number: int, chance: random.Random) -> list[_P]:
    """Calls of each name alike often: writes of the catalog are most of all points."""
    by_name: dict[str, list[_P]] = {}
    for point in chance.sample(points, len(points)):
        by_name.setdefault(_call_of(point), []).append(point)
    picked: list[_P] = []
    while len(picked) < min(number, len(points)):
        for of_one_name in by_name.values():
            if of_one_name:
                picked.append(of_one_name.pop())
    chance.shuffle(picked)
    return picked[:number]


def _call_of(point: Point | tuple[str, Point]) -> str:
    return point.call if isinstance(point, Point) else point[1].call


@pytest.mark.parametrize("seed", seeds(1, 1))
def test_a_crash_at_any_system_call_is_survived(
    servers: ForkedServers, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    crashes = _Crashes(servers, tmp_path)
    left: dict[str, tuple[Script, Path, Point]] = {}
    for phase, point in chosen(crashes.points(), _UPLOADS, chance):
        script, lake = crashes.crash(phase, point)
        looked_at = copy_of(lake, lake.parent / "looked at")
        complaints = complaints_about_lake(servers, script.progress(), looked_at)
        assert not complaints, f"seed {seed}, {phase}, {point}: {complaints[:20]}"
        shutil.rmtree(looked_at)
        left.setdefault(state_of(lake), (script, lake, point))
    recoveries = list(_points_of_recoveries(crashes, left, chance))
    for state, second in recoveries:
        script, lake, first = left[state]
        again = crashes.crash_in_recovery(lake, second)
        complaints = complaints_about_lake(servers, script.progress(), again)
        assert not complaints, f"seed {seed}, {first}, then {second}: {complaints[:20]}"
        shutil.rmtree(again.parent)
    print(f"\n{len(left)} states on disk, {len(recoveries)} crashes of their recovery")


def _points_of_recoveries(
    crashes: _Crashes, left: dict[str, tuple[Script, Path, Point]], chance: random.Random
) -> Iterator[tuple[str, Point]]:
    """Of each state as many, and no more than are wanted in all."""
    states = list(left)
    chance.shuffle(states)
    wanted = _RECOVERIES
    for number, state in enumerate(states):
        share = -(-wanted // (len(states) - number))
        points = crashes.recovery_points(left[state][1])
        for point in chosen(points, share, chance):
            yield state, point
            wanted -= 1
            if wanted == 0:
                return


@pytest.mark.parametrize(
    ("build", "call", "complaint"),
    [
        ("swap in two steps", "rename", "of the allowed generations"),
        ("no intent record", "rename", "of the allowed generations"),
        ("writes in place", "write", "is in sight with"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, tmp_path: Path, build: str, call: str, complaint: str
) -> None:
    """At one of the points of this call; what a kill cannot show is left to the power cut."""
    crashes = _Crashes(servers, tmp_path, build)
    told: list[str] = []
    for phase, point in reversed(crashes.points()):
        if point.call != call:
            continue
        script, lake = crashes.crash(phase, point)
        told += complaints_about_lake(servers, script.progress(), lake)
        if any(complaint in one for one in told):
            return
    pytest.fail(f"the server has {build}, and no crash showed it; but this was told: {told}")

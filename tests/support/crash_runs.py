"""Kills real servers at system calls of a scripted client, and again in their recovery.

strace kills a server as the call begins.
"""

from __future__ import annotations

import itertools
import random
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tests.support.broken_builds import SOUND
from tests.support.counts import piece
from tests.support.crash_points import copy_of, state_of
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.real_server import ServerDidNotStart
from tests.support.strace import Point, points_in, strace

_P = TypeVar("_P", Point, tuple[str, Point])
ALL = 1_000_000


class CrashScript(Protocol):
    """What a client does, phase by phase, until it is through or the server is gone."""

    @property
    def is_through(self) -> bool: ...

    def prepare(self, client: LakeConnection) -> None:
        """Makes the lake that each run begins with a copy of."""

    def begin(self, lake: Path) -> None:
        """Called on that copy, before its server runs."""

    def play(
        self, server: ForkedServer, around: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        """Each phase runs in `around`."""

    def complaints(self, servers: ForkedServers, lake: Path) -> list[str]:
        """What is wrong with the lake as far as it had come. Changes the lake."""


@dataclass(frozen=True, slots=True)
class Survived:
    states: int
    recoveries: int


class Crashes:
    """Kills servers of one build at points of a script, each on a fresh copy of the same lake."""

    def __init__(
        self,
        servers: ForkedServers,
        folder: Path,
        make: Callable[[], CrashScript],
        build: str = SOUND,
    ) -> None:
        self._servers = servers
        self._folder = folder
        self._make = make
        self._build = build
        self._numbers = itertools.count()
        with (
            ForkedServer(servers, folder / "before") as server,
            LakeConnection(server.port) as client,
        ):
            make().prepare(client)

    def _script(self) -> tuple[CrashScript, Path]:
        """Ready to be played on a lake of its own."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        lake = copy_of(self._folder / "before", folder / "lake")
        script = self._make()
        script.begin(lake)
        return script, lake

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
        assert script.is_through, "the script did not come to its end"
        return points

    def crash(self, phase: str, point: Point) -> tuple[CrashScript, Path]:
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


def survived_crashes(
    servers: ForkedServers, crashes: Crashes, number: int, recoveries: int, seed: int
) -> Survived:
    """So many kills in the script, then so many in recoveries of the states that these leave.

    Raises `AssertionError` at the first lake that is not as it must be.
    """
    chance = random.Random(seed)
    left: dict[str, tuple[CrashScript, Path, Point]] = {}
    for phase, point in piece(chosen(crashes.points(), number, chance)):
        script, lake = crashes.crash(phase, point)
        looked_at = copy_of(lake, lake.parent / "looked at")
        complaints = script.complaints(servers, looked_at)
        assert not complaints, f"seed {seed}, {phase}, {point}: {complaints[:20]}"
        shutil.rmtree(looked_at)
        state = state_of(lake)
        if state in left:
            shutil.rmtree(lake.parent)
        else:
            left[state] = script, lake, point
    seconds = list(_points_of_recoveries(crashes, left, recoveries, chance))
    for state, second in seconds:
        script, lake, first = left[state]
        again = crashes.crash_in_recovery(lake, second)
        complaints = script.complaints(servers, again)
        assert not complaints, f"seed {seed}, {first}, then {second}: {complaints[:20]}"
        shutil.rmtree(again.parent)
    return Survived(len(left), len(seconds))


def _points_of_recoveries(
    crashes: Crashes,
    left: dict[str, tuple[CrashScript, Path, Point]],
    wanted: int,
    chance: random.Random,
) -> Iterator[tuple[str, Point]]:
    """Of each state as many, and no more than are wanted in all."""
    states = list(left)
    chance.shuffle(states)
    for number, state in enumerate(states):
        share = -(-wanted // (len(states) - number))
        points = crashes.recovery_points(left[state][1])
        for point in chosen(points, share, chance):
            yield state, point
            wanted -= 1
            if wanted == 0:
                return

"""The script of calls by hand under a server that dies, and on a disk that loses its power."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.broken_builds import SOUND
from tests.support.by_hand import Operation, Standing, prepare, script
from tests.support.disk_steps import Cut, Kept
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.held import held
from tests.support.lake_connection import LOST, LakeConnection
from tests.support.power_cuts import MountedDisk


class HandScript:
    """See `crash_runs.CrashScript`. Each call is a phase."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._standing: Standing | None = None

    @property
    def is_through(self) -> bool:
        return self._standing == Standing(self._operations[-1].after)

    def prepare(self, client: LakeConnection) -> None:
        prepare(client)

    def begin(self, lake: Path) -> None:
        self._operations = script(held(lake))
        self._standing = Standing(self._operations[0].before)

    def play(
        self, server: ForkedServer, around: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        try:
            with LakeConnection(server.port) as client:
                for number, operation in enumerate(self._operations):
                    with around(f"{number} {operation.name}"):
                        self._standing = Standing(operation.before, operation)
                        answer = operation.send(client, server.lake)
                        assert answer.is_success, (operation.name, answer)
                        self._standing = Standing(operation.after)
        except LOST:
            pass

    def complaints(self, servers: ForkedServers, lake: Path) -> list[str]:
        assert self._standing is not None
        return self._standing.complaints(servers, lake)


@dataclass(slots=True)
class HandRun:
    """`sent_at` and `done_at`: numbers of the disk's steps, for each operation."""

    disk: MountedDisk
    operations: list[Operation] = field(default_factory=list)
    sent_at: list[int] = field(default_factory=list)
    done_at: list[int] = field(default_factory=list)

    def standing(self, steps: int) -> Standing:
        done = sum(steps >= at for at in self.done_at)
        sure = self.operations[done - 1].after if done else self.operations[0].before
        is_in_flight = done < len(self.operations) and steps > self.sent_at[done]
        in_flight = self.operations[done] if is_in_flight else None
        return Standing(sure, in_flight, after_power_cut=True)

    def steps_of(self, name: str) -> range:
        """Those of the first operation of this name."""
        number = [operation.name for operation in self.operations].index(name)
        return range(self.sent_at[number] + 1, self.done_at[number] + 1)

    def cuts(self, seed: int, of_each: int) -> list[tuple[str, Cut]]:
        """In each operation as many: at its end, right after a rename, or at any of its steps."""
        chance = random.Random(seed)
        renames = self.disk.renames()
        found = []
        for operation, first, last in zip(self.operations, self.sent_at, self.done_at, strict=True):
            steps = range(first + 1, last + 1)
            instants = [
                ([last], [Kept.NOTHING, Kept.TORN]),
                ([at for at in renames if at in steps] or steps, [Kept.NAMES, Kept.ANY]),
                (steps, [*Kept]),
            ]
            for _ in range(of_each):
                at, kinds = chance.choice(instants)
                cut = Cut(chance.choice(at), chance.choice(kinds), chance.randrange(1 << 30))
                found.append((operation.name, cut))
        return found


def make_hand_run(servers: ForkedServers, disk: MountedDisk, build: str = SOUND) -> HandRun:
    run = HandRun(disk)
    with (
        ForkedServer(servers, disk.lake, build=build) as server,
        LakeConnection(server.port) as client,
    ):
        prepare(client)
        run.operations = script(held(disk.lake))
        for operation in run.operations:
            run.sent_at.append(disk.steps())
            answer = operation.send(client, disk.lake)
            assert answer.is_success, (operation.name, answer)
            run.done_at.append(disk.steps())
        server.kill()
    return run

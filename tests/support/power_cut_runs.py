"""What a real server did on a disk whose power can be cut, and what each cut of it leaves.

A run is made once; any number of cuts of it are then looked at, each with a server of its own that
opens what survived. What counts as acknowledged at a cut is what the client had read before it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.broken_builds import SOUND
from tests.support.crashed_lake import Progress, complaints_about_lake
from tests.support.disk_steps import Cut, Kept
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection, LakeFile
from tests.support.lake_oracle import Generation
from tests.support.ledger import Received, Told, whole
from tests.support.power_cuts import MountedDisk, PowerCutMount
from tests.support.uploaders import Uploader, in_pieces, lake_file

ADDED_TO, REPLACED = "/data/added", "/data/replaced"


@dataclass(slots=True)
class Run:
    """`marks`: numbers of steps right after something was acknowledged."""

    disk: MountedDisk
    ledger: list[tuple[int, Received]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    old: Generation = field(default_factory=Generation)
    new: Generation = field(default_factory=Generation)
    full_sync_id: int = 0
    old_stands_from: int = 0
    end_sent_at: int | None = None
    end_acknowledged_at: int | None = None
    in_pieces: set[str] = field(default_factory=set)

    def progress(self, steps: int) -> Progress:
        """What a client knew when the disk had come so far."""
        received = [one for mark, one in self.ledger if mark <= steps]
        allowed: list[Generation] = []
        is_end_sent = self.end_sent_at is not None and steps >= self.end_sent_at
        is_ended = self.end_acknowledged_at is not None and steps >= self.end_acknowledged_at
        if steps >= self.old_stands_from:
            allowed = [self.old, self.new] if is_end_sent else [self.old]
        if is_ended:
            allowed = [self.new]
        return Progress(
            REPLACED,
            whole(received),
            allowed,
            self.full_sync_id if is_end_sent else None,
            [one for one in received if isinstance(one, Told)],
            frozenset(self.in_pieces),
        )

    def mark(self) -> int:
        now = self.disk.steps()
        self.marks.append(now)
        return now

    def note(self, received: Sequence[Received]) -> None:
        now = self.mark()
        self.ledger += [(now, one) for one in received]

    def note_names(self, uploader: Uploader, files: Sequence[LakeFile]) -> None:
        if uploader is in_pieces:
            self.in_pieces |= {file.name for file in files}


def make_run(
    servers: ForkedServers, disk: MountedDisk, uploader: Uploader, seed: int, build: str = SOUND
) -> Run:
    """Files into new folders and over old ones; then a full sync over an old generation."""
    run = Run(disk)
    chance = random.Random(seed)
    with (
        ForkedServer(servers, disk.lake, build=build) as server,
        LakeConnection(server.port) as lake,
    ):
        top = chance.choice(["", "/n1", "/n1/n2/n3"])
        names = [f"{ADDED_TO}{top}/{n % 3}/{n}.bin" for n in range(chance.randrange(6, 15))]
        _sync(run, lake, uploader, ADDED_TO, [lake_file(name) for name in names])
        changed = chance.sample(names, 3)
        _sync(run, lake, uploader, ADDED_TO, [lake_file(name, 1) for name in changed])
        _full_syncs(run, lake, uploader, chance)
        run.mark()
        server.kill()
    return run


def _sync(
    run: Run, lake: LakeConnection, uploader: Uploader, path: str, files: list[LakeFile]
) -> None:
    sync_id = lake.started(path)
    run.note_names(uploader, files)
    for received in uploader(lake, sync_id, files):
        run.note(received)
    assert lake.end(sync_id).is_success
    run.mark()


def _full_syncs(run: Run, lake: LakeConnection, uploader: Uploader, chance: random.Random) -> None:
    for name, generation in (("old", run.old), ("new", run.new)):
        count = chance.randrange(2, 6)
        files = [lake_file(f"{REPLACED}/{n % 2}/{name}{n}.bin") for n in range(count)]
        generation.sent |= {file.path for file in files}
        run.note_names(uploader, files)
        run.full_sync_id = lake.started(REPLACED, "FullSync")
        for received in uploader(lake, run.full_sync_id, files):
            generation.acknowledged |= {one.path for one in whole(received)}
            run.note([one for one in received if isinstance(one, Told)])
        sent_at = run.mark()
        assert lake.end(run.full_sync_id).is_success
        if name == "old":
            run.old_stands_from = run.mark()
        else:
            run.end_sent_at, run.end_acknowledged_at = sent_at, run.mark()


def cuts_of(run: Run, seed: int, number: int) -> list[Cut]:
    """By chance, and where a missing sync shows: after each kind of instant what it fears most."""
    chance = random.Random(seed)
    instants = [
        (range(1, run.marks[-1] + 1), [*Kept]),
        (run.disk.renames(), [Kept.NAMES, Kept.ANY]),
        (run.marks, [Kept.NOTHING, Kept.TORN]),
    ]
    cuts = []
    for _ in range(number):
        steps, kinds = chance.choice(instants)
        cuts.append(Cut(chance.choice(steps), chance.choice(kinds), chance.randrange(1 << 30)))
    return cuts


def cuts_in_the_swap(run: Run, seed: int, number: int) -> list[Cut]:
    """Between the sending of *end* and its answer, often right after a rename."""
    chance = random.Random(seed)
    assert run.end_sent_at is not None
    assert run.end_acknowledged_at is not None
    window = range(run.end_sent_at, run.end_acknowledged_at + 1)
    renames = [steps for steps in run.disk.renames() if steps in window]
    return [
        Cut(
            chance.choice(chance.choice([window, renames])),
            chance.choice([Kept.ALL, *Kept]),
            chance.randrange(1 << 30),
        )
        for _ in range(number)
    ]


def complaints_about(servers: ForkedServers, run: Run, cut: Cut, folder: Path) -> list[str]:
    """What is wrong with the lake that this cut leaves, before and after a server opens it."""
    return complaints_about_lake(servers, run.progress(cut.steps), run.disk.leave(cut, folder))


@contextmanager
def recovering(
    servers: ForkedServers, mount: PowerCutMount, left: Path
) -> Iterator[tuple[MountedDisk, range]]:
    """A disk on which a server opened what an earlier cut left; the steps that it took to do so."""
    disk = mount.add(left)
    first = disk.steps()
    with ForkedServer(servers, disk.lake) as server:
        server.kill()
    yield disk, range(first, disk.steps() + 1)
    disk.drop()

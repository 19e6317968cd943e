"""The power goes: what was not synced is lost, torn or reordered, and the lake is still sound.

kill -9 never tests an fsync, because the page cache survives it. Here the real server runs on a
disk of our own (FUSE), and what a cut leaves is opened by a sound server. Counts: 36 cuts per
change, 2,050 per release. `tests/support/volatile_disk.py` says what may survive.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import lake_oracle
from tests.support.broken_builds import SOUND
from tests.support.counts import count, seeds
from tests.support.crashed_lake import complaints_about_lake
from tests.support.disk_steps import Cut, Kept
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.ledger import Acknowledged, whole
from tests.support.needs import needs_fuse
from tests.support.power_cut_runs import (
    REPLACED,
    complaints_about,
    cuts_in_the_swap,
    cuts_of,
    make_run,
    recovering,
)
from tests.support.power_cuts import MountedDisk, PowerCutMount, power_cut_mount
from tests.support.uploaders import RESUMABLE, UPLOADERS, lake_file

_CUTS_OF_A_RUN = count(4, 40)

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("mount")]


@pytest.fixture(scope="module")
def mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerCutMount]:
    needs_fuse()
    with power_cut_mount(tmp_path_factory.mktemp("power") / "mount") as made:
        yield made


@pytest.mark.parametrize("kind", UPLOADERS)
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_a_power_cut_loses_nothing_acknowledged(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, kind: str, seed: int
) -> None:
    """6 cuts per change; 10 × 45 per release, for each kind."""
    run = make_run(servers, mount.add(), UPLOADERS[kind], seed)
    cuts = cuts_of(run, seed, _CUTS_OF_A_RUN) + cuts_in_the_swap(run, seed, count(2, 5))
    for number, cut in enumerate(cuts):
        complaints = complaints_about(servers, run, cut, tmp_path / str(number))
        assert not complaints, f"seed {seed}, {cut}: {complaints[:20]}"
    run.disk.drop()


@pytest.mark.parametrize("kind", UPLOADERS)
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_recovery_itself_may_lose_its_power(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, kind: str, seed: int
) -> None:
    """4 cuts per change, 10 × 10 per release, for each kind; in recoveries from a cut swap."""
    run = make_run(servers, mount.add(), UPLOADERS[kind], seed)
    chance = random.Random(seed)
    for number, cut in enumerate(cuts_in_the_swap(run, seed, count(2, 5))):
        progress = run.progress(cut.steps)
        left = run.disk.leave(cut, tmp_path / f"{number}-first").parent
        with recovering(servers, mount, left) as (disk, steps):
            for again, kept in enumerate([Kept.NOTHING, chance.choice([*Kept])]):
                second = Cut(chance.choice(steps), kept, seed)
                lake = disk.leave(second, tmp_path / f"{number}-{again}")
                complaints = complaints_about_lake(servers, progress, lake)
                assert not complaints, f"seed {seed}, {cut}, then {second}: {complaints[:20]}"
    run.disk.drop()


def _staged(
    servers: ForkedServers, disk: MountedDisk, kind: str, build: str = SOUND
) -> tuple[int, list[tuple[int, list[Acknowledged]]]]:
    """A full sync that is not ended; its id, and what was acknowledged at which step."""
    files = [lake_file(f"{REPLACED}/{number % 3}/{number}.bin") for number in range(9)]
    told: list[tuple[int, list[Acknowledged]]] = []
    with (
        ForkedServer(servers, disk.lake, build=build) as server,
        LakeConnection(server.port) as lake,
    ):
        sync_id = lake.started(REPLACED, "FullSync")
        so_far: list[Acknowledged] = []
        for received in UPLOADERS[kind](lake, sync_id, files):
            so_far = [*so_far, *whole(received)]
            told.append((disk.steps(), so_far))
        server.kill()
    return sync_id, told


def _lost_after_the_end(
    servers: ForkedServers, lake: Path, sync_id: int, acknowledged: list[Acknowledged]
) -> list[str]:
    with ForkedServer(servers, lake) as server, LakeConnection(server.port) as client:
        assert client.end(sync_id).is_success
        seen = lake_oracle.published(lake)
        return lake_oracle.half_files(seen) + lake_oracle.lost_files(seen, acknowledged)


@pytest.mark.parametrize("kind", [kind for kind in UPLOADERS if kind != RESUMABLE])
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_what_a_full_sync_has_staged_survives_a_power_cut(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, kind: str, seed: int
) -> None:
    """3 cuts per change, 10 × 20 per release, for each kind: right after an acknowledgement."""
    disk = mount.add()
    sync_id, told = _staged(servers, disk, kind)
    chance = random.Random(seed)
    for number in range(count(3, 20)):
        steps, acknowledged = chance.choice(told)
        cut = Cut(steps, chance.choice([*Kept]), chance.randrange(1 << 30))
        lake = disk.leave(cut, tmp_path / str(number))
        complaints = _lost_after_the_end(servers, lake, sync_id, acknowledged)
        assert not complaints, f"seed {seed}, {cut}: {complaints[:20]}"
    disk.drop()


@pytest.mark.parametrize("kind", [kind for kind in UPLOADERS if kind != RESUMABLE])
def test_of_the_test_a_server_that_does_not_sync_its_log_is_caught(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, kind: str
) -> None:
    disk = mount.add()
    sync_id, told = _staged(servers, disk, kind, "no fsync of the log")
    steps, acknowledged = told[-1]
    lake = disk.leave(Cut(steps, Kept.NOTHING, 0), tmp_path / "left")
    complaints = _lost_after_the_end(servers, lake, sync_id, acknowledged)
    assert any("is lost" in told for told in complaints)
    disk.drop()


_BREAKS = [
    ("no fsync of files", "is in sight with"),
    ("no fsync of folders", "is lost"),
    ("no fsync of new ancestors", "is lost"),
    ("sync after publishing", "is in sight with"),
    ("catalog without fsync", "the history does not know it"),
    ("swap in two steps", "of the allowed generations"),
    ("no intent record", "of the allowed generations"),
    ("forgets the log unsettled", "is in sight with"),
    ("moves what only the log holds", "is in sight with"),
]


@pytest.mark.parametrize(
    ("kind", "build", "complaint"),
    [(kind, *of_build) for kind in UPLOADERS if kind != RESUMABLE for of_build in _BREAKS]
    + [
        (RESUMABLE, "no fsync of files", "cannot be gone on with"),
        (RESUMABLE, "no fsync of partial files' names", "cannot be gone on with"),
        (RESUMABLE, "catalog without fsync", "is told as 404"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers,
    mount: PowerCutMount,
    tmp_path: Path,
    kind: str,
    build: str,
    complaint: str,
) -> None:
    run = make_run(servers, mount.add(), UPLOADERS[kind], 0, build)
    folders = (tmp_path / str(number) for number in itertools.count())
    cuts = cuts_of(run, 0, 60) if "swap" not in build and "intent" not in build else []
    cuts += cuts_in_the_swap(run, 0, 60)
    for cut, folder in zip(cuts, folders, strict=False):
        if any(complaint in told for told in complaints_about(servers, run, cut, folder)):
            run.disk.drop()
            return
    pytest.fail(f"{len(cuts)} cuts did not show that the server has {build}")

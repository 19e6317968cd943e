"""The power goes: what was not synced is lost, torn or reordered, and the lake is still sound.

kill -9 never tests an fsync, because the page cache survives it. Here the real server runs on a
disk of our own (FUSE), and what a cut leaves is opened by a sound server. Counts: 30 cuts per
change, 1,650 per release. `tests/support/volatile_disk.py` says what may survive.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.counts import count, seeds
from tests.support.crashed_lake import complaints_about_lake
from tests.support.disk_steps import Cut, Kept
from tests.support.forked_server import ForkedServers
from tests.support.needs import needs_fuse
from tests.support.power_cut_runs import (
    complaints_about,
    cuts_in_the_swap,
    cuts_of,
    make_run,
    recovering,
)
from tests.support.power_cuts import PowerCutMount, power_cut_mount
from tests.support.uploaders import RESUMABLE, UPLOADERS

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


_BREAKS = [
    ("no fsync of files", "is in sight with"),
    ("no fsync of folders", "is lost"),
    ("no fsync of new ancestors", "is lost"),
    ("sync after publishing", "is in sight with"),
    ("catalog without fsync", "the history does not know it"),
    ("swap in two steps", "of the allowed generations"),
    ("no intent record", "of the allowed generations"),
    ("no fsync of the log", "is lost"),
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

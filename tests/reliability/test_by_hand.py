"""What people do by hand survives kills, power cuts and a disk that fails.

Delete, rename, new folder, putting back and purging, each as a call that is cut off at a system
call (strace), at a step of the disk (FUSE), or that meets an error.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.by_hand_crashes import HandScript, make_hand_run
from tests.support.counts import count, seeds
from tests.support.crash_runs import ALL, Crashes, survived_crashes
from tests.support.disk_errors_run import CALLS
from tests.support.disk_steps import Cut, Kept
from tests.support.failing_hands import FailingHands
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.needs import needs_fuse, needs_tool
from tests.support.power_cut_runs import recovering
from tests.support.power_cuts import PowerCutMount, power_cut_mount
from tests.support.strace import first_middle_and_last

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerCutMount]:
    needs_fuse()
    with power_cut_mount(tmp_path_factory.mktemp("power") / "mount") as made:
        yield made


@pytest.mark.parametrize("seed", seeds(1, 1))
def test_a_crash_at_any_system_call_is_survived(
    servers: ForkedServers, tmp_path: Path, seed: int
) -> None:
    needs_tool("strace")
    crashes = Crashes(servers, tmp_path, HandScript)
    survived = survived_crashes(servers, crashes, count(10, ALL), count(5, ALL), seed)
    print(f"\n{survived}")


@pytest.mark.parametrize("seed", seeds(1, 20))
def test_a_power_cut_at_any_step_is_survived(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, seed: int
) -> None:
    """One cut in each of 16 calls per change; 20 × 3 in each per release."""
    run = make_hand_run(servers, mount.add())
    for number, (name, cut) in enumerate(run.cuts(seed, count(1, 3))):
        lake = run.disk.leave(cut, tmp_path / str(number))
        complaints = run.standing(cut.steps).complaints(servers, lake)
        assert not complaints, f"seed {seed}, {name}, {cut}: {complaints[:20]}"
    run.disk.drop()


@pytest.mark.parametrize("seed", seeds(1, 20))
def test_recovery_itself_may_lose_its_power(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, seed: int
) -> None:
    """Of what puts back a version file by file: 4 cuts per change, 20 × 16 per release."""
    run = make_hand_run(servers, mount.add())
    chance = random.Random(seed)
    cuts = [cut for name, cut in run.cuts(seed, 4) if name.startswith("put back")]
    for number, cut in enumerate(chance.sample(cuts, count(2, 8))):
        standing = run.standing(cut.steps)
        left = run.disk.leave(cut, tmp_path / f"{number}-first").parent
        with recovering(servers, mount, left) as (disk, steps):
            for again, kept in enumerate([Kept.NOTHING, chance.choice([*Kept])]):
                second = Cut(chance.choice(steps), kept, seed)
                lake = disk.leave(second, tmp_path / f"{number}-{again}")
                complaints = standing.complaints(servers, lake)
                assert not complaints, f"seed {seed}, {cut}, then {second}: {complaints[:20]}"
    run.disk.drop()


@pytest.mark.parametrize(
    ("build", "operation"),
    [
        ("no fsync of folders", "delete a folder"),
        ("no fsync of what is being put back", "put back what an incremental sync replaced"),
        ("no fsync of what is purged", "purge"),
    ],
)
def test_of_the_test_a_server_that_does_not_sync_is_caught(
    servers: ForkedServers, mount: PowerCutMount, tmp_path: Path, build: str, operation: str
) -> None:
    run = make_hand_run(servers, mount.add(), build)
    for steps in reversed(run.steps_of(operation)):
        lake = run.disk.leave(Cut(steps, Kept.NOTHING, 0), tmp_path / str(steps))
        if any(
            "differ, in the trash" in it for it in run.standing(steps).complaints(servers, lake)
        ):
            run.disk.drop()
            return
    pytest.fail(f"no cut showed that the server has {build}")


def test_of_the_test_a_server_that_writes_in_place_is_caught(
    servers: ForkedServers, tmp_path: Path
) -> None:
    needs_tool("strace")
    crashes = Crashes(servers, tmp_path, HandScript, "writes in place")
    told: list[str] = []
    for phase, point in crashes.points():
        if point.call == "write" and "put back" in phase:
            script, lake = crashes.crash(phase, point)
            told += script.complaints(servers, lake)
            if any("is half a file" in one for one in told):
                return
    pytest.fail(f"no crash showed it; but this was told: {told}")


@pytest.fixture(scope="module")
def hands(
    servers: ForkedServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FailingHands]:
    """One server for all of them: it must live on."""
    needs_tool("strace")
    folder = tmp_path_factory.mktemp("disk")
    with (
        ForkedServer(servers, folder / "lake") as server,
        LakeConnection(server.port) as client,
    ):
        yield FailingHands(server, client, folder)


_OPERATIONS = [
    "new folder",
    "rename a file",
    "rename a folder",
    "delete a file",
    "delete a folder",
    "put back a part",
    "put back what was deleted",
    "put back what a full sync replaced",
    "put back a full sync where nothing stands",
    "purge",
]
_WITH_ERRORS = list(itertools.product(_OPERATIONS, CALLS, ["EIO", "ENOSPC"]))


@pytest.mark.parametrize(
    ("operation", "call", "error"),
    # Per change each call has one of the two.
    [one for n, one in enumerate(_WITH_ERRORS) if count(n // 2 % 2 == n % 2, True)],
)
def test_an_error_of_the_disk_is_told_and_survived(
    hands: FailingHands, operation: str, call: str, error: str
) -> None:
    struck = 0  # the catalog's own tidying makes its last calls come in some runs and not in others
    points = first_middle_and_last(hands.watch(operation), call)
    for point in points:
        tried = hands.fail(operation, f"{call}:error={error}:when={point.nth}")
        assert not tried.complaints, f"{point}: {tried.complaints}, {tried.injected}"
        struck += bool(tried.injected)
    assert struck or not points, "no error struck"


@pytest.mark.parametrize("operation", ["delete a folder", "put back what was deleted", "purge"])
def test_of_the_test_a_server_that_swallows_errors_is_caught(
    servers: ForkedServers, lake: Path, operation: str
) -> None:
    needs_tool("strace")
    with (
        ForkedServer(servers, lake, build="swallows errors of fsync") as server,
        LakeConnection(server.port) as client,
    ):
        failing = FailingHands(server, client, lake.parent)
        tried = failing.fail(operation, "fsync:error=EIO:when=1")
    assert any("in spite of" in told for told in tried.complaints), tried

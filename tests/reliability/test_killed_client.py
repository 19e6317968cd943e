"""kill -9 of the engine at instants of chance: the next one goes on by itself, to the same end.

The lake then holds exactly what was to be uploaded, each file once, under one sync. Counts: 10
kills per change, 500 per release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server.contract import SyncType
from tests.support.broken_engines import SOUND
from tests.support.client_kills import ClientRound, Outcome
from tests.support.counts import seeds
from tests.support.forked_engine import forked_engines
from tests.support.forked_process import Zygote
from tests.support.forked_server import ForkedServer, ForkedServers

pytestmark = pytest.mark.soak

# Small files travel in batches, larger ones alone.
_SHAPE = {f"{n % 5}/part-{n}.csv": 700 * (1 + n % 30) for n in range(150)} | {
    f"large/{n}.bin": 400_000 + 300_000 * n for n in range(6)
}
_KILLS = 5  # of one test
_MOST_JOBS = 20


@pytest.fixture(scope="module")
def engines() -> Iterator[Zygote]:
    with forked_engines() as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed_s(
    engines: Zygote, servers: ForkedServers, tmp_path_factory: pytest.TempPathFactory
) -> float:
    """How long a job takes here and now: kills fall into it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    outcome = played(engines, servers, folder, SyncType.INCREMENTAL, 0)
    assert not outcome.complaints, outcome.complaints
    return outcome.took_s


def played(
    engines: Zygote,
    servers: ForkedServers,
    folder: Path,
    mode: SyncType,
    seed: int,
    kills: int = 0,
    within_s: float = 0.0,
    build: str = SOUND,
) -> Outcome:
    folder.mkdir(exist_ok=True)
    with ForkedServer(servers, folder / "lake") as server:
        made = ClientRound(engines, server, folder, _SHAPE, mode, seed, build)
        return made.run(kills, within_s)


@pytest.mark.parametrize("mode", [SyncType.INCREMENTAL, SyncType.FULL])
@pytest.mark.parametrize("seed", seeds(1, 50))
def test_a_killed_engine_goes_on_by_itself_to_the_same_end(
    engines: Zygote,
    servers: ForkedServers,
    tmp_path: Path,
    mode: SyncType,
    seed: int,
    undisturbed_s: float,
) -> None:
    """As many jobs as it takes until 5 kills have met one that was not over."""
    kills = 0
    for job in range(_MOST_JOBS):
        within_s = undisturbed_s * 0.8
        of_job = seed * _MOST_JOBS + job
        folder = tmp_path / str(job)
        outcome = played(engines, servers, folder, mode, of_job, _KILLS - kills, within_s)
        assert not outcome.complaints, f"seed {seed}, job {job}: {outcome.complaints[:20]}"
        kills += outcome.kills
        if kills == _KILLS:
            return
    pytest.fail(f"only {kills} kills met a job that was not over")


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        ("takes what was on its way for done", "files are told to be done"),
        ("forgets its sync", "and now there are"),
        ("waits to be asked", "is not known any more"),
    ],
)
def test_of_the_test_a_broken_engine_is_caught(
    engines: Zygote,
    servers: ForkedServers,
    tmp_path: Path,
    build: str,
    complaint: str,
    undisturbed_s: float,
) -> None:
    told: list[str] = []
    for seed in range(_MOST_JOBS):
        folder, mode = tmp_path / str(seed), SyncType.FULL
        outcome = played(engines, servers, folder, mode, seed, _KILLS, undisturbed_s, build)
        told += outcome.complaints
        if any(complaint in one for one in told):
            return
    pytest.fail(f"the engine {build}, and no kill showed it; but this was told: {told}")

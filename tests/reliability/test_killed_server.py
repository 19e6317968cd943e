"""kill -9 of the server at an instant of chance, under eight uploaders.

A ledger outside of it holds what was acknowledged. Counts: 14 per change, 620 per release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broken_builds import SOUND
from tests.support.counts import seeds
from tests.support.forked_server import ForkedServers
from tests.support.kill_rounds import Found, KillRound
from tests.support.uploaders import UPLOADERS

# The promise is 5 s. A bar would fail on a machine that is busy with something else, so the figure
# is printed, and the test only refuses what no load explains.
_BACK_IN_S = 5.0
_HARD_LIMIT_S = 30.0

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def slowest() -> Iterator[list[float]]:
    """Seconds from a start after a kill to the first answer."""
    figures: list[float] = []
    yield figures
    if figures:
        print(f"\nback after kill -9 in at most {max(figures):.2f} s (promised: {_BACK_IN_S:.0f})")


def killed(servers: ForkedServers, folder: Path, kind: str, seed: int, build: str = SOUND) -> Found:
    sync_type, uploader = kind.split(", ")
    made = KillRound(servers, folder, UPLOADERS[uploader], seed, build)
    return made.full() if sync_type == "full" else made.incremental()


def _check(found: Found, seed: int, slowest: list[float]) -> None:
    slowest.append(found.back_in_s)
    assert not found.complaints, f"seed {seed}: {found.complaints[:20]}"
    assert found.back_in_s < _HARD_LIMIT_S


@pytest.mark.parametrize("kind", ["incremental, one by one", "full, one by one"])
@pytest.mark.parametrize("seed", seeds(3, 125))
def test_a_killed_server_keeps_what_it_acknowledged(
    servers: ForkedServers, tmp_path: Path, kind: str, seed: int, slowest: list[float]
) -> None:
    _check(killed(servers, tmp_path, kind, seed), seed, slowest)


@pytest.mark.parametrize("kind", ["incremental, in batches", "full, in batches"])
@pytest.mark.parametrize("seed", seeds(2, 125))
def test_a_killed_server_keeps_the_batches_it_acknowledged(
    servers: ForkedServers, tmp_path: Path, kind: str, seed: int, slowest: list[float]
) -> None:
    _check(killed(servers, tmp_path, kind, seed), seed, slowest)


@pytest.mark.parametrize("kind", ["incremental, in pieces", "full, in pieces"])
@pytest.mark.parametrize("seed", seeds(2, 60))
def test_a_killed_server_keeps_the_offsets_it_told(
    servers: ForkedServers, tmp_path: Path, kind: str, seed: int, slowest: list[float]
) -> None:
    _check(killed(servers, tmp_path, kind, seed), seed, slowest)


@pytest.mark.parametrize(
    ("build", "kind", "complaint"),
    [
        ("writes in place", "incremental, one by one", "is in sight with"),
        ("publishes later", "incremental, one by one", "was acknowledged and is lost"),
        ("publishes later", "incremental, in batches", "was acknowledged and is lost"),
        ("answers before the catalog", "incremental, one by one", "the history does not know it"),
        ("answers before the catalog", "incremental, in batches", "the history does not know it"),
        ("publishes later", "incremental, in pieces", "was acknowledged and is lost"),
        ("offsets in memory", "incremental, in pieces", "was told to be at"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, tmp_path: Path, build: str, kind: str, complaint: str
) -> None:
    """Within a few kills: one instant alone may miss the moment in which the break shows."""
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = killed(servers, folder, kind, seed, build)
        if any(complaint in told for told in found.complaints):
            return
    pytest.fail(f"ten kills did not show that the server {build}")

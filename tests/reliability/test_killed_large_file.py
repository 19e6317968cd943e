"""kill -9 of engine or server at bytes of chance of one large upload.

Only bytes past the last durable offset, 64 MiB at the most, are sent again, and the lake ends with
exactly the file. Counts: 10 kills per change, 50 per release.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broken_engines import SOUND
from tests.support.counts import seeds
from tests.support.fault_proxy import fault_proxy
from tests.support.forked_engine import forked_engines
from tests.support.forked_process import Zygote
from tests.support.forked_server import ForkedServers
from tests.support.large_kills import MIB, LargeFileRound, Victim

pytestmark = pytest.mark.soak

_SIZE_BYTES = 192 * MIB
_LATE = _SIZE_BYTES - 32 * MIB


@pytest.fixture(scope="module")
def engines() -> Iterator[Zygote]:
    with forked_engines() as made:
        yield made


def _wrong(
    engines: Zygote,
    servers: ForkedServers,
    folder: Path,
    victim: Victim,
    at_byte: int,
    build: str = SOUND,
) -> list[str]:
    with (
        fault_proxy() as proxy,
        LargeFileRound(engines, servers, proxy, folder, _SIZE_BYTES, build) as made,
    ):
        return made.run(victim, at_byte)


@pytest.mark.parametrize("victim", list(Victim))
@pytest.mark.parametrize("seed", seeds(5, 25))
def test_only_what_is_not_durable_is_sent_again(
    engines: Zygote, servers: ForkedServers, tmp_path: Path, victim: Victim, seed: int
) -> None:
    at_byte = random.Random(f"{victim}{seed}").randrange(_SIZE_BYTES)
    wrong = _wrong(engines, servers, tmp_path, victim, at_byte)
    assert not wrong, f"seed {seed}, killed at byte {at_byte}: {wrong}"


@pytest.mark.parametrize("build", ["begins large files anew", "writes down too late"])
def test_of_the_test_a_broken_engine_is_caught(
    engines: Zygote, servers: ForkedServers, tmp_path: Path, build: str
) -> None:
    """It strikes where far more had been sent than may be sent again."""
    wrong = _wrong(engines, servers, tmp_path, Victim.ENGINE, _LATE, build)
    assert any("MiB were sent for" in one for one in wrong), wrong

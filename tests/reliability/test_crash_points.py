"""The server is killed at a system call: in uploads, in *end*, and in the recovery after that.

Per change a seeded choice of 20 points; in a soak every point, and every point of the recovery of
each state that these leave on disk (equal states once).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.counts import count, seeds
from tests.support.crash_points import Script
from tests.support.crash_runs import ALL, Crashes, survived_crashes
from tests.support.forked_server import ForkedServers
from tests.support.needs import needs_tool

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("has_strace")]


@pytest.fixture(scope="module")
def has_strace() -> None:
    needs_tool("strace")


@pytest.mark.parametrize("seed", seeds(1, 1))
def test_a_crash_at_any_system_call_is_survived(
    servers: ForkedServers, tmp_path: Path, seed: int
) -> None:
    crashes = Crashes(servers, tmp_path, Script)
    survived = survived_crashes(servers, crashes, count(14, ALL), count(6, ALL), seed)
    print(f"\n{survived}")


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
    crashes = Crashes(servers, tmp_path, Script, build)
    told: list[str] = []
    for phase, point in reversed(crashes.points()):
        if point.call != call:
            continue
        script, lake = crashes.crash(phase, point)
        told += script.complaints(servers, lake)
        if any(complaint in one for one in told):
            return
    pytest.fail(f"the server has {build}, and no crash showed it; but this was told: {told}")

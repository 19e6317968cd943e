"""docs/reliability.md names what there is: tests, and the broken builds that they catch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import broken_engines
from tests.support.broken_builds import BUILDS, SOUND

HERE = Path(__file__).parent
ROOMS = [HERE, HERE.parent / "hostile"]
PAGE = (HERE.parents[1] / "docs" / "reliability.md").read_text("utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    assert named
    assert {name for name in named if _text_of(name) is None} == set()


def _text_of(test: str) -> str | None:
    found = [room / test for room in ROOMS if (room / test).is_file()]
    return found[0].read_text("utf-8") if found else None


@pytest.mark.parametrize("build", sorted({*BUILDS, *broken_engines.BUILDS} - {SOUND}))
def test_every_broken_build_is_told_beside_a_test_that_runs_it(build: str) -> None:
    rows = [row for row in ROWS if len(row) == 5 and _told(build) in map(_told, row[4].split(";"))]
    assert rows, f"{build!r} is on no line of the page"
    for row in rows:
        [test] = re.findall(r"`(test_\w+\.py)`", row[3])
        assert f'"{build}"' in (_text_of(test) or ""), f"{test} does not run {build!r}"


def _told(build: str) -> str:
    """As a cell tells it, which goes on "no fsync of files; of folders; …"."""
    return re.sub(r"^(no fsync )?of ", "", build.strip())

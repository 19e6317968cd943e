"""How often a test that draws by chance is run: few times per change, many per release.

`make soak` sets LAKEDROP_SOAK=1. LAKEDROP_SEED moves the seeds on, so that a second soak tries
others; a failing test has its seed in its name and in its message. LAKEDROP_PIECE=3/8 runs the
third of eight pieces, which make up the whole: a soak may take hours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeVar

SOAK = "LAKEDROP_SOAK"
FIRST_SEED = "LAKEDROP_SEED"
PIECE = "LAKEDROP_PIECE"

_T = TypeVar("_T")


def count(per_change: int, per_release: int, *, environ: Mapping[str, str] = os.environ) -> int:
    return per_release if environ.get(SOAK) else per_change


def seeds(
    per_change: int, per_release: int, *, environ: Mapping[str, str] = os.environ
) -> Sequence[int]:
    """Seeds for `pytest.mark.parametrize`, one a run. One alone is in every piece: what is done
    with it is then cut into pieces."""
    first = int(environ.get(FIRST_SEED, "0"))
    all_of_them = range(first, first + count(per_change, per_release, environ=environ))
    return all_of_them if len(all_of_them) == 1 else piece(all_of_them, environ=environ)


def piece(whole: Sequence[_T], *, environ: Mapping[str, str] = os.environ) -> Sequence[_T]:
    """What LAKEDROP_PIECE leaves of it; all of it where nothing is told."""
    number, _, of = environ.get(PIECE, "1/1").partition("/")
    return whole[int(number) - 1 :: int(of)]

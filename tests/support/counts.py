"""How often a test that draws by chance is run: few times per change, many per release.

`make soak` sets LAKEDROP_SOAK=1. LAKEDROP_SEED moves the seeds on, so that a second soak tries
others; a failing test has its seed in its name and in its message.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

SOAK = "LAKEDROP_SOAK"
FIRST_SEED = "LAKEDROP_SEED"


def count(per_change: int, per_release: int, *, environ: Mapping[str, str] = os.environ) -> int:
    return per_release if environ.get(SOAK) else per_change


def seeds(per_change: int, per_release: int, *, environ: Mapping[str, str] = os.environ) -> range:
    """Seeds for `pytest.mark.parametrize`, one a run."""
    first = int(environ.get(FIRST_SEED, "0"))
    return range(first, first + count(per_change, per_release, environ=environ))

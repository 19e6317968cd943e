"""Has imported the server once, and forks a real one for each order; see `zygote`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from embedded_server.__main__ import main
from tests.support.broken_builds import BUILDS
from tests.support.zygote import run_zygote

_IMPORTED_BEFORE = (
    "embedded_server.opened_lake",
    "embedded_server.serving",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "sqlalchemy.dialects.sqlite",
    "alembic.ddl.sqlite",
)


def _serve(order: dict[str, Any]) -> int:
    return main(order["arguments"], disk=BUILDS[order["build"]]())


if __name__ == "__main__":
    run_zygote(_serve, _IMPORTED_BEFORE)

"""Has imported the engine once, and forks a real one for each order; see `zygote`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.composition import run_engine
from tests.support.broken_engines import BUILDS
from tests.support.zygote import run_zygote

_IMPORTED_BEFORE = (
    "app.engine.commands",
    "app.engine.engine_service",
    "app.engine.transfer_engine",
    "app.infra.connection_store",
    "app.infra.engine_socket",
    "app.infra.gateways",
    "app.infra.http_gateway",
    "app.infra.keyring_secrets",
    "app.infra.server_process",
    "app.infra.source_files",
    "app.infra.sqlite_journal",
    "filelock",
)


def _run(order: dict[str, Any]) -> int:
    BUILDS[order["build"]]()
    return run_engine()


if __name__ == "__main__":
    run_zygote(_run, _IMPORTED_BEFORE)

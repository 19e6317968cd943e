"""What the tests of faults share: a process that servers are forked from, one a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forked_server import ForkedServers, forked_servers

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Crashes are made with Linux's tools; None lets pytest decide."""
    return True if not hasattr(os, "pidfd_open") and collection_path.parent == HERE else None


@pytest.fixture(scope="session")
def servers() -> Iterator[ForkedServers]:
    with forked_servers() as made:
        yield made


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"

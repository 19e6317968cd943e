"""A real server on a watched lake, one for each module."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forked_server import ForkedServers, forked_servers
from tests.support.hostile_house import HostileHouse

HERE = Path(__file__).parent
# A disk in memory: what is durable is tested elsewhere, and an fsync here is most of the time.
_IN_MEMORY = Path("/dev/shm")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Servers are forked here; None lets pytest decide."""
    return True if not hasattr(os, "pidfd_open") and collection_path.parent == HERE else None


@pytest.fixture(scope="session")
def servers() -> Iterator[ForkedServers]:
    with forked_servers() as made:
        yield made


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    where = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="lakedrop-", dir=where) as made:
        yield Path(made).resolve()


@pytest.fixture
def top(quick_folder: Path) -> Iterator[Path]:
    """A new folder for one test."""
    with tempfile.TemporaryDirectory(dir=quick_folder) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def house(servers: ForkedServers, quick_folder: Path) -> Iterator[HostileHouse]:
    with (
        tempfile.TemporaryDirectory(dir=quick_folder) as folder,
        HostileHouse(servers, Path(folder)) as made,
    ):
        yield made
        assert made.still_answers()
        assert made.complaints_of_its_log() == []

"""A LakeDrop of its own for each test: real command line, real engine, real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, own_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with own_home(tmp_path / "home") as home:
        yield home


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Three files, one of them in a folder of its own."""
    folder = tmp_path / "sales"
    (folder / "tháng 10").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"id\n1\n")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "tháng 10" / "đơn hàng.csv").write_bytes(b"id\n2\n" * 1000)
    return folder

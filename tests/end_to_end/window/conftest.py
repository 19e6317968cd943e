"""A screen, a home and a file manager of its own for each test of the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, own_home
from tests.support.window.real_window import FileManager, file_manager
from tests.support.window.x_session import XSession, x_session


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[XSession]:
    with x_session(tmp_path / "session") as session:
        yield session


@pytest.fixture
def files(screen: XSession) -> Iterator[FileManager]:
    with file_manager(screen) as manager:
        yield manager


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with own_home(tmp_path / "home") as made:
        yield made

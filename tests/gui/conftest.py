"""A window's surroundings: theme, words, and the real link to an engine that follows a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.composition import resources_folder
from app.ui.application import context_of, speak
from app.ui.choices import ThemeChoice
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink, LinkState
from app.ui.theme import Theme
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    """Answers what pages ask on their own; a test says the rest in `engine.answers`."""
    with FakeEngine(tmp_path / "engine.json") as engine:
        engine.answers["connections"] = lambda _: {"keyring": True, "connections": []}
        engine.answers["item_ranges"] = lambda _: {"ranges": []}
        engine.answers["items_at"] = lambda _: {"items": []}
        engine.answers["count_rows"] = lambda _: {"count": 0}
        yield engine


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme(qapp, resources_folder(), ThemeChoice.LIGHT)
    yield theme
    theme.deleteLater()


@pytest.fixture
def link(engine: FakeEngine, qtbot: QtBot) -> Iterator[EngineLink]:
    """Attached and ready."""
    link = EngineLink(engine.client)
    link.open()
    qtbot.waitUntil(lambda: link.state is LinkState.READY)
    yield link
    link.close()


@pytest.fixture
def context(qapp: QApplication, theme: Theme, link: EngineLink) -> Iterator[UiContext]:
    """Speaks English, with its plurals."""
    translator = speak(qapp, resources_folder(), "en")
    yield context_of(theme, link)
    qapp.removeTranslator(translator)

"""The window is up before it is whole: little is made for its first paint, nothing gets lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.composition import resources_folder
from app.ui.application import context_of, speak
from app.ui.choices import ThemeChoice
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from app.ui.tokens import DARK, LIGHT
from app.ui.upload.upload_page import UploadPage
from app.ui.widgets.buttons import label
from tests.support.fake_engine import FakeEngine, snapshot

# Each costs milliseconds before there is anything to see. Is another one really needed for the
# first look at the window? Otherwise import it where it is used.
_OURS = {
    "app",
    "app.__main__",
    "app.composition",
    "app.domain",
    "app.domain.errors",
    "app.infra",
    "app.infra.places",
    "app.ui",
    "app.ui.application",
    "app.ui.choices",
    "app.ui.context",
    "app.ui.engine_client",
    "app.ui.faults",
    "app.ui.icons",
    "app.ui.main_window",
    "app.ui.qt_imports",
    "app.ui.sidebar",
    "app.ui.theme",
    "app.ui.tokens",
    "app.ui.upload",
    "app.ui.upload.drop_zone",
    "app.ui.upload.upload_front",
    "app.ui.widgets",
    "app.ui.widgets.buttons",
}
_SLOW = {
    "asyncio",
    "dataclasses",
    "embedded_server",
    "fastapi",
    "httpx",
    "json",
    "keyring",
    "multiprocessing",
    "pydantic",
    "PySide6.QtNetwork",
    "rich",
    "sqlite3",
    "subprocess",
    "urllib.request",
    "uvicorn",
}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a start of the window tells of itself, in an interpreter of its own, on a usual screen
    (a narrow one has the sidebar's buttons styled twice)."""
    folder = tmp_path_factory.mktemp("start")
    screen = {"name": "usual", "x": 0, "y": 0, "width": 1680, "height": 1050, "dpr": 1}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96}
    (folder / "screens.json").write_text(json.dumps({"screens": [screen]}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.window.first_paint", str(folder)],
        cwd=resources_folder().parent,
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={folder / 'screens.json'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


@pytest.fixture
def unopened(
    qapp: QApplication, theme: Theme, engine: FakeEngine, qtbot: QtBot
) -> Iterator[MainWindow]:
    """A window that has not been shown yet, and whose link is not open."""
    engine.answers["add_job"] = lambda _: {"job_id": 7}
    translator = speak(qapp, resources_folder(), "en")
    link = EngineLink(engine.client)
    window = MainWindow(context_of(theme, link))
    window.first_painted.connect(link.open)
    qtbot.addWidget(window)
    yield window
    link.close()
    qapp.removeTranslator(translator)


@pytest.fixture
def dark_desktop(qapp: QApplication) -> Iterator[None]:
    """One whose colours are dark; its scheme is not to be had from here, and stays as it is."""
    before = qapp.palette()
    dark = QPalette(before)
    dark.setColor(QPalette.ColorRole.Window, QColor("#202020"))
    dark.setColor(QPalette.ColorRole.WindowText, QColor("#eeeeee"))
    qapp.setPalette(dark)
    yield
    qapp.setPalette(before)


def _dropped(window: QWidget, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    middle, copy = window.rect().center(), Qt.DropAction.CopyAction
    held = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(middle, copy, mime, *held))
    event = QDropEvent(QPointF(middle), copy, mime, *held)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


def test_only_what_the_first_look_needs_is_imported_for_it(start: dict[str, Any]) -> None:
    ours = {name for name in start["modules"] if name.partition(".")[0] == "app"}
    assert ours == _OURS


def test_nothing_slow_is_imported_for_the_first_look(start: dict[str, Any]) -> None:
    assert "PySide6.QtWidgets" in start["modules"], "there was no window"
    assert _SLOW & set(start["modules"]) == set()


def test_qts_thousands_of_enum_values_wait_until_after_the_first_look(
    start: dict[str, Any],
) -> None:
    made = set(start["made_of_qt"])
    assert {"QObject", "QLabel"} <= made
    assert made & {"Qt", "QStyle"} == set(), "see app/ui/application.py"


def test_no_source_of_ours_is_read_for_pysides_features(start: dict[str, Any]) -> None:
    ours = str(resources_folder().parent / "app")
    assert [source for source in start["sources_read"] if source.startswith(ours)] == []


def test_garbage_is_collected_again_after_the_first_paint(start: dict[str, Any]) -> None:
    assert start["collects"]
    assert start["is_frozen"]


def test_a_drop_before_the_first_paint_is_not_lost(
    unopened: MainWindow, engine: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    _dropped(unopened, tmp_path / "a.csv")
    assert engine.commands() == []

    unopened.show()

    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    assert engine.args_of("add_job")["sources"] == [[str(tmp_path / "a.csv"), False]]


def test_a_window_without_a_job_says_where_to_drop_and_is_made_whole_behind_it(
    unopened: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    assert unopened.findChild(UploadPage) is None

    unopened.show()
    qtbot.waitUntil(lambda: "connections" in engine.commands())

    whole = unopened.findChild(UploadPage)
    assert whole is not None
    assert not whole.isVisible()
    add = unopened.findChild(QPushButton, "welcome.addFiles")
    assert add is not None
    assert add.isVisible()


def test_a_window_opened_again_shows_the_newest_job(
    unopened: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.show(snapshot(job_id=3, destination="/data/old"), snapshot(job_id=4))

    unopened.show()

    qtbot.waitUntil(lambda: unopened.findChild(QWidget, "upload.destination") is not None)
    field = unopened.findChild(QWidget, "upload.destination")
    assert field is not None
    qtbot.waitUntil(lambda: field.isVisible() and field.property("text") == "/data/x")


def test_the_last_job_gone_leaves_the_place_to_drop(
    unopened: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.show(snapshot(job_id=4))
    unopened.show()
    welcome = unopened.findChild(QPushButton, "welcome.addFiles")
    assert welcome is not None
    qtbot.waitUntil(lambda: not welcome.isVisible())

    engine.forget(4)

    qtbot.waitUntil(welcome.isVisible)


def test_jobs_that_are_known_before_their_part_is_made_are_shown_in_it(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.show(snapshot(job_id=4))
    qtbot.waitUntil(lambda: 4 in context.link.jobs)

    window = MainWindow(context)
    qtbot.addWidget(window)
    window.show()

    qtbot.waitUntil(lambda: window.findChild(UploadPage) is not None)
    field = window.findChild(QWidget, "upload.destination")
    assert field is not None
    qtbot.waitUntil(lambda: field.isVisible() and field.property("text") == "/data/x")


def test_a_label_shows_a_name_as_it_is(qapp: QApplication, qtbot: QtBot) -> None:
    made = label("<b>a</b>.csv")
    qtbot.addWidget(made)
    assert made.textFormat() is Qt.TextFormat.PlainText


def test_a_dark_desktop_has_a_dark_window_from_its_first_paint(
    qapp: QApplication, dark_desktop: None
) -> None:
    theme = Theme(qapp, resources_folder(), ThemeChoice.SYSTEM)
    assert theme.tokens is DARK
    theme.deleteLater()


def test_the_system_has_the_last_word_once_the_window_is_painted(
    qapp: QApplication, dark_desktop: None
) -> None:
    """Colours that look dark on a desktop whose scheme is not."""
    theme = Theme(qapp, resources_folder(), ThemeChoice.SYSTEM)
    changes: list[None] = []
    theme.changed.connect(lambda: changes.append(None))
    theme.follow_the_system()
    assert theme.tokens is LIGHT
    theme.follow_the_system()
    assert len(changes) == 1, "nothing changed: nothing is drawn anew"
    theme.deleteLater()

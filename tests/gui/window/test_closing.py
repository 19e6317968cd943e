"""Closing the window asks once while something runs; an engine that is gone is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.composition import resources_folder
from app.domain.errors import WrongUse
from app.domain.upload_job import JobState
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone
from app.ui.application import context_of, speak
from app.ui.close_dialog import CloseDialog
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink, LinkState
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from tests.support.fake_engine import FakeEngine, snapshot

# The offscreen platform has one screen and one keyboard, and says so.
pytestmark = pytest.mark.qt_log_ignore(r"This plugin does not support (raise|grabbing)")

_PAGES = ("nav.upload", "nav.jobs", "nav.history", "nav.connections")


@pytest.fixture
def window(context: UiContext, engine: FakeEngine, qtbot: QtBot) -> Iterator[MainWindow]:
    engine.answers["pause_job"] = lambda _: {}
    window = MainWindow(context)
    with qtbot.waitSignal(window.first_painted):
        window.show()
    window.activateWindow()
    yield window
    window.hide()
    window.deleteLater()


def _runs(window: MainWindow, engine: FakeEngine, qtbot: QtBot, *job_ids: int) -> None:
    engine.show(*(snapshot(JobState.UPLOADING, job_id=number) for number in job_ids))
    qtbot.waitUntil(lambda: set(job_ids) <= set(_jobs(window)))


def _jobs(window: MainWindow) -> dict[int, Any]:
    return window._context.link.jobs


def _button(parent: QWidget, name: str) -> QPushButton:
    found = parent.findChild(QPushButton, name)
    assert found is not None, name
    return found


def _close_and(window: MainWindow, answer: Callable[[CloseDialog], None]) -> int:
    """Closes the window, answers what it asks; how many questions that were."""
    asked = 0

    def look() -> None:
        nonlocal asked
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, CloseDialog):
            asked += 1
            answer(dialog)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(5)
    window.close()
    timer.stop()
    return asked


def _cross(dialog: CloseDialog) -> None:
    dialog.close()


def test_a_window_with_nothing_to_do_closes_unasked(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.show(snapshot(JobState.PAUSED, job_id=1), snapshot(job_id=2))
    qtbot.waitUntil(lambda: len(_jobs(window)) == 2)

    assert _close_and(window, lambda dialog: _button(dialog, "close.stay").click()) == 0
    assert not window.isVisible()


@pytest.mark.parametrize(
    "state", [JobState.QUEUED, JobState.STARTING, JobState.UPLOADING, JobState.ENDING]
)
def test_whatever_runs_is_asked_about(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot, state: JobState
) -> None:
    engine.show(snapshot(state, job_id=1))
    qtbot.waitUntil(lambda: 1 in _jobs(window))

    assert _close_and(window, lambda dialog: _button(dialog, "close.stay").click()) == 1
    assert window.isVisible()
    assert "pause_job" not in engine.commands()


def test_escape_and_the_dialogs_cross_close_nothing(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    _runs(window, engine, qtbot, 1)
    _close_and(window, lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    assert window.isVisible()
    _close_and(window, _cross)
    assert window.isVisible()
    assert "pause_job" not in engine.commands()


def test_keeping_on_closes_at_once_and_pauses_nothing(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    _runs(window, engine, qtbot, 1, 2)

    assert _close_and(window, lambda dialog: _button(dialog, "close.keep").click()) == 1

    assert not window.isVisible()
    assert "pause_job" not in engine.commands()


def test_enter_keeps_uploading(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    _runs(window, engine, qtbot, 1)

    def enter(dialog: CloseDialog) -> None:
        focus = dialog.focusWidget()
        assert focus is not None
        assert focus.objectName() == "close.keep"
        QTest.keyClick(focus, Qt.Key.Key_Return)

    _close_and(window, enter)
    assert not window.isVisible()
    assert "pause_job" not in engine.commands()


def test_pausing_closes_when_all_that_ran_rests_and_asks_no_more(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on, answered = threading.Event(), threading.Event()

    def slow(args: dict[str, Any]) -> dict[str, Any]:
        if args["job_id"] == 1:
            answered.set()  # one that rests at once closes nothing
        else:
            go_on.wait(10)
        return {}

    engine.answers["pause_job"] = slow
    _runs(window, engine, qtbot, 1, 2)
    assert _close_and(window, lambda dialog: _button(dialog, "close.pause").click()) == 1
    qtbot.waitUntil(answered.is_set)
    engine.show(snapshot(JobState.PAUSED, job_id=1))  # news after the answer: that one was taken
    qtbot.waitUntil(lambda: _jobs(window)[1].state is JobState.PAUSED)
    assert window.isVisible()
    assert _close_and(window, lambda dialog: _button(dialog, "close.stay").click()) == 0
    assert window.isVisible()

    go_on.set()

    qtbot.waitUntil(lambda: not window.isVisible())
    paused = [args["job_id"] for command, args in engine.requests if command == "pause_job"]
    assert sorted(paused) == [1, 2]


def test_a_job_that_ended_meanwhile_keeps_no_window_open(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise WrongUse("It has ended.")

    engine.answers["pause_job"] = refuse
    _runs(window, engine, qtbot, 1)
    _close_and(window, lambda dialog: _button(dialog, "close.pause").click())
    qtbot.waitUntil(lambda: not window.isVisible())


@pytest.mark.parametrize("language", ["en", "vi"])
def test_nothing_of_the_closing_question_is_cut(
    qapp: QApplication, theme: Theme, link: EngineLink, qtbot: QtBot, language: str
) -> None:
    translator = speak(qapp, resources_folder(), language)
    parent = QWidget()
    dialog = CloseDialog(context_of(theme, link), 3, parent)
    qtbot.addWidget(parent)
    dialog.show()
    qtbot.waitExposed(dialog)
    for made in dialog.findChildren(QPushButton):
        assert made.width() >= made.sizeHint().width(), made.text()
    for label in dialog.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width()), label.text()
    assert "3" in dialog.findChildren(QLabel)[0].text()
    qapp.removeTranslator(translator)


@pytest.fixture
def there() -> threading.Event:
    """Whether an engine can be reached."""
    there = threading.Event()
    there.set()
    return there


@pytest.fixture
def left(
    context: UiContext, theme: Theme, engine: FakeEngine, there: threading.Event, qtbot: QtBot
) -> Iterator[MainWindow]:
    """A window that had an engine with a running job, and lost it."""

    def attach() -> EngineClient:
        if not there.is_set():
            raise EngineGone("Nobody is there.")
        return engine.client()

    link = EngineLink(attach)
    window = MainWindow(context_of(theme, link))
    window.show()
    link.open()
    _runs(window, engine, qtbot, 1)
    there.clear()
    engine.drop_screens()
    qtbot.waitUntil(lambda: link.state is LinkState.LOST)
    yield window
    link.close()
    window.hide()
    window.deleteLater()


def test_an_engine_that_is_gone_is_told_until_it_is_back(
    left: MainWindow, there: threading.Event, qtbot: QtBot
) -> None:
    banner = left.findChild(QWidget, "window.banner")
    assert banner is not None
    assert banner.isVisible()

    there.set()

    qtbot.waitUntil(lambda: not banner.isVisible())


def test_a_window_without_an_engine_closes_unasked(left: MainWindow) -> None:
    assert _close_and(left, lambda dialog: _button(dialog, "close.stay").click()) == 0
    assert not left.isVisible()

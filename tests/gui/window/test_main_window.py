"""The window around the pages: drops land anywhere, keys reach every page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeDropError
from app.domain.upload_job import JobState
from app.ui.choices import ThemeChoice
from app.ui.context import UiContext
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


# -- drops, pastes and keys ------------------------------------------------------------------


def _mime(*paths: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def _enter(mime: QMimeData) -> QDragEnterEvent:
    return QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.MoveAction | Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )


def test_a_drop_on_any_page_goes_to_the_upload_page_as_a_copy(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 1}
    window.go_to(3)
    mime = _mime("/in/a")
    enter = _enter(mime)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert enter.dropAction() is Qt.DropAction.CopyAction
    assert _button(window, "nav.upload").isChecked()
    zones = [one for one in window.findChildren(QWidget, "dropZone") if one.isVisible()]
    assert [zone.property("over") for zone in zones] == [True]

    drop = QDropEvent(
        QPoint(5, 5),
        Qt.DropAction.MoveAction | Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, drop)

    assert drop.dropAction() is Qt.DropAction.CopyAction
    assert [zone.property("over") for zone in zones] == [False]
    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    assert engine.args_of("add_job")["sources"] == [["/in/a", False]]


def test_a_drag_that_leaves_takes_its_mark_along(window: MainWindow) -> None:
    mime = _mime("/in/a")
    QApplication.sendEvent(window, _enter(mime))
    QApplication.sendEvent(window, QDragLeaveEvent())
    zones = window.findChildren(QWidget, "dropZone")
    assert not any(zone.property("over") for zone in zones)


def test_text_is_no_file_to_drop(window: MainWindow) -> None:
    mime = QMimeData()
    mime.setText("hello")
    enter = _enter(mime)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_ctrl_v_pastes_files_from_any_page_but_not_out_of_a_field(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.show(snapshot(job_id=1))
    qtbot.waitUntil(lambda: 1 in _jobs(window))
    engine.answers["add_sources"] = lambda _: {}
    engine.answers["edit_job"] = lambda _: snapshot(job_id=1).to_wire()
    QGuiApplication.clipboard().setText("/in/a\n/in/b")
    field = window.findChild(QLineEdit, "upload.name")
    assert field is not None
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "/in/a" in field.text()
    assert "add_sources" not in engine.commands()

    window.go_to(1)
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    qtbot.waitUntil(lambda: "add_sources" in engine.commands())
    assert engine.args_of("add_sources")["sources"] == [["/in/a", False], ["/in/b", False]]
    assert _button(window, "nav.upload").isChecked()


@pytest.mark.parametrize("number", range(4))
def test_ctrl_and_a_number_goes_to_each_page(window: MainWindow, number: int) -> None:
    window.go_to((number + 1) % 4)
    QTest.keyClick(window, Qt.Key(Qt.Key.Key_1 + number), Qt.KeyboardModifier.ControlModifier)
    assert _button(window, _PAGES[number]).isChecked()
    assert window._stack.currentWidget() is window._pages[number]


def test_ctrl_n_makes_a_new_upload_from_any_page(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 1}
    window.go_to(2)
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    assert _button(window, "nav.upload").isChecked()


@pytest.mark.parametrize("keys", [(Qt.Key.Key_O, False), (Qt.Key.Key_O, True)])
def test_ctrl_o_asks_for_files_and_with_shift_for_a_folder(
    window: MainWindow, qtbot: QtBot, keys: tuple[Qt.Key, bool]
) -> None:
    key, shift = keys
    window.go_to(1)
    titles: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            titles.append(dialog.windowTitle())
            dialog.close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(5)
    modifiers = Qt.KeyboardModifier.ControlModifier
    if shift:
        modifiers |= Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, key, modifiers)
    timer.stop()
    assert titles == ["Add folder" if shift else "Add files"]
    assert _button(window, "nav.upload").isChecked()


def test_f5_looks_again(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    before = engine.commands().count("connections")
    QTest.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: engine.commands().count("connections") > before)


def test_the_keyboard_begins_where_a_person_does(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    qtbot.waitUntil(_button(window, "welcome.addFiles").hasFocus)
    engine.show(snapshot(job_id=1))

    def at_jobs() -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and focus.objectName() == "upload.jobList"

    qtbot.waitUntil(at_jobs)
    engine.forget(1)
    qtbot.waitUntil(_button(window, "welcome.addFiles").hasFocus)


def test_a_narrow_window_keeps_the_names_of_its_pages(window: MainWindow) -> None:
    window.resize(1280, 800)
    texts = [_button(window, name).text() for name in _PAGES]
    assert all(texts)
    window.resize(960, 600)
    for name, text in zip(_PAGES, texts, strict=True):
        made = _button(window, name)
        assert made.text() == ""
        assert (made.toolTip(), made.accessibleName()) == (text, text)


def test_a_fault_is_told_in_words_and_can_be_put_away(window: MainWindow) -> None:
    window.tell_error(LakeDropError(""))
    title = window.findChild(QLabel, "window.banner.title")
    assert title is not None
    assert title.text() == "LakeDrop met a fault of its own"
    _button(window, "window.banner.close").click()
    assert not title.isVisible()


def test_the_theme_of_the_window_follows_the_choice(window: MainWindow, theme: Theme) -> None:
    theme.choose(ThemeChoice.DARK)
    shade = window.grab().toImage().pixelColor(3, window.height() - 3).lightness()
    theme.choose(ThemeChoice.LIGHT)
    assert shade < 60
    assert window.grab().toImage().pixelColor(3, window.height() - 3).lightness() > 200

"""The form of a draft: saved by itself, filled by news, and never one job's values in another."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.errors import WrongUse
from app.domain.upload_job import JobState
from app.ui.upload.upload_page import UploadPage
from embedded_server.contract import SyncType
from tests.gui.upload.on_the_page import part, press, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot

# Opened lists: the offscreen platform has one screen and one keyboard, and says so.
pytestmark = pytest.mark.qt_log_ignore(r"This plugin does not support (raise|grabbing)")


def _full_is_chosen(page: UploadPage) -> bool:
    return part(page, QPushButton, "upload.modeFull").isChecked()


@pytest.fixture
def connected(engine: FakeEngine) -> None:
    engine.answers["connections"] = lambda _: {
        "keyring": True,
        "connections": [{"name": "analytics"}, {"name": "backup"}],
    }


def test_each_job_has_settings_of_its_own(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    show(page, engine, qtbot, snapshot(job_id=3))
    show(
        page,
        engine,
        qtbot,
        snapshot(
            job_id=4,
            name="other",
            destination="/data/y",
            connection="backup",
            mode=SyncType.FULL,
            contents_only=True,
        ),
    )
    connection = part(page, QComboBox, "upload.connection")
    qtbot.waitUntil(lambda: connection.count() == 4)

    def seen() -> tuple[str, str, str, bool, bool]:
        return (
            part(page, QLineEdit, "upload.name").text(),
            part(page, QLineEdit, "upload.destination").text(),
            str(connection.currentData()),
            _full_is_chosen(page),
            part(page, QCheckBox, "upload.contentsOnly").isChecked(),
        )

    page.choose_job(4)
    assert seen() == ("other", "/data/y", "backup", True, True)
    page.choose_job(3)
    assert seen() == ("nightly", "/data/x", "local", False, False)


def test_an_edit_under_way_leaves_the_next_jobs_form_alone(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    go_on = threading.Event()

    def slow(args: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        return snapshot(job_id=args["job_id"], name=args["name"]).to_wire()

    engine.answers["edit_job"] = slow
    show(page, engine, qtbot, snapshot(job_id=3))
    show(
        page,
        engine,
        qtbot,
        snapshot(job_id=4, mode=SyncType.FULL, contents_only=True, connection="backup"),
    )
    page.choose_job(3)
    QTest.keyClicks(part(page, QLineEdit, "upload.name"), "!")
    page.choose_job(4)  # saves what was typed for 3, and its answer takes its time

    assert _full_is_chosen(page)
    assert part(page, QCheckBox, "upload.contentsOnly").isChecked()
    assert part(page, QComboBox, "upload.connection").currentData() == "backup"
    assert "Replaces everything" in text_of(page, "upload.modeSentence")
    go_on.set()
    qtbot.waitUntil(lambda: "edit_job" in engine.commands())
    assert engine.args_of("edit_job") == {"job_id": 3, "name": "nightly!"}


def test_what_was_typed_is_saved_by_itself(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3, name="weekly").to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    field = part(page, QLineEdit, "upload.name")
    field.selectAll()
    QTest.keyClicks(field, "weekly")

    qtbot.waitUntil(lambda: "edit_job" in engine.commands())
    assert engine.args_of("edit_job") == {"job_id": 3, "name": "weekly"}


def test_every_setting_goes_to_the_engine_as_it_was_chosen(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3).to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    connection = part(page, QComboBox, "upload.connection")
    qtbot.waitUntil(lambda: connection.count() == 4)

    press(page, "upload.modeFull")
    part(page, QCheckBox, "upload.contentsOnly").click()
    connection.setFocus()
    QTest.keyClick(connection, Qt.Key.Key_Down)
    QTest.keyClick(connection.view(), Qt.Key.Key_Down)
    QTest.keyClick(connection.view(), Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: engine.commands().count("edit_job") == 3)
    edits = [args for command, args in engine.requests if command == "edit_job"]
    assert {"job_id": 3, "mode": "FullSync"} in edits
    assert {"job_id": 3, "contents_only": True} in edits
    assert {"job_id": 3, "connection": {"name": "analytics"}} in edits


def test_a_wheel_an_arrow_or_a_letter_never_changes_the_connection(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    show(page, engine, qtbot, snapshot(job_id=3))
    connection = part(page, QComboBox, "upload.connection")
    qtbot.waitUntil(lambda: connection.count() == 4)
    connection.setFocus()
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(connection.mapToGlobal(QPoint(5, 5))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(connection, turn)
    QTest.keyClicks(connection, "b")
    assert connection.currentData() == "local"

    for key in (Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Return):
        QTest.keyClick(connection, key)
        assert connection.view().isVisible()  # what a person sees before they pick
        connection.hidePopup()
    assert connection.currentData() == "local"


def test_managing_connections_is_on_offer_and_changes_none(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    show(page, engine, qtbot, snapshot(job_id=3))
    connection = part(page, QComboBox, "upload.connection")
    qtbot.waitUntil(lambda: connection.count() == 4)
    wanted = QSignalSpy(page.context.navigator.show_connections)

    QTest.keyClick(connection, Qt.Key.Key_Down)
    QTest.keyClick(connection.view(), Qt.Key.Key_End)
    QTest.keyClick(connection.view(), Qt.Key.Key_Return)

    assert wanted.count() == 1
    assert connection.currentData() == "local"
    assert "edit_job" not in engine.commands()


def test_a_connection_that_is_gone_is_still_told(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connected: None
) -> None:
    page.entered()
    show(page, engine, qtbot, snapshot(job_id=3, connection="long gone"))
    connection = part(page, QComboBox, "upload.connection")
    qtbot.waitUntil(lambda: connection.findData("analytics") > 0)
    assert connection.currentText() == "long gone"


def test_an_edit_the_engine_refuses_is_told_and_taken_back(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise WrongUse("It has begun.")

    engine.answers["edit_job"] = refuse
    show(page, engine, qtbot, snapshot(job_id=3))
    told = QSignalSpy(page.context.link.failed)
    press(page, "upload.modeFull")

    qtbot.waitUntil(lambda: told.count() == 1)
    assert not _full_is_chosen(page)


def test_a_start_after_a_refused_edit_starts_nothing(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise WrongUse("Not there.")

    engine.answers["edit_job"] = refuse
    show(page, engine, qtbot, snapshot(job_id=3))
    told = QSignalSpy(page.context.link.failed)
    QTest.keyClicks(part(page, QLineEdit, "upload.destination"), "y")
    press(page, "upload.start")

    qtbot.waitUntil(lambda: told.count() == 1)
    assert part(page, QLineEdit, "upload.destination").text() == "/data/x"
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3, contents_only=True).to_wire()
    part(page, QCheckBox, "upload.contentsOnly").click()
    qtbot.waitUntil(lambda: engine.commands().count("edit_job") == 2)
    show(page, engine, qtbot, snapshot(job_id=3, contents_only=True))
    assert "impact" not in engine.commands()


def test_what_the_engine_makes_of_a_name_is_shown(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    given = snapshot(job_id=3, name="x incremental sync")
    engine.answers["edit_job"] = lambda _: given.to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    field = part(page, QLineEdit, "upload.name")
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "edit_job" in engine.commands())
    show(page, engine, qtbot, given)
    assert field.text() == ""  # in use

    part(page, QLineEdit, "upload.destination").setFocus()

    qtbot.waitUntil(lambda: field.text() == "x incremental sync")


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (snapshot(job_id=3), "Files are added"),
        (snapshot(job_id=3, mode=SyncType.FULL), "moves to the trash"),
        (snapshot(job_id=3, mode=SyncType.FULL, connection="far"), "up to the server"),
    ],
)
def test_each_mode_says_what_happens_to_the_data_that_is_there(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: Any, words: str
) -> None:
    show(page, engine, qtbot, job)
    assert words in text_of(page, "upload.modeSentence")


def test_the_sentence_follows_the_mode_at_once(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3).to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.modeFull")
    assert "moves to the trash" in text_of(page, "upload.modeSentence")


def test_arrows_choose_the_mode(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3, mode=SyncType.FULL).to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    incremental = part(page, QPushButton, "upload.modeIncremental")
    incremental.setFocus()

    QTest.keyClick(incremental, Qt.Key.Key_Right)

    assert _full_is_chosen(page)
    assert part(page, QPushButton, "upload.modeFull").hasFocus()
    qtbot.waitUntil(lambda: "edit_job" in engine.commands())
    assert engine.args_of("edit_job")["mode"] == "FullSync"


def test_a_job_that_runs_shows_its_settings_and_no_fields(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=3))
    assert not part(page, QLineEdit, "upload.destination").isVisible()
    assert text_of(page, "upload.jobName") == "nightly"
    assert text_of(page, "upload.jobFacts") == "Incremental · Local lake · /data/x"

"""The talk before a start: what is asked holds for what is there; nothing starts by mistake."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeUnreachable
from app.domain.upload_job import JobState
from app.ui.upload.job_list import JobList
from app.ui.upload.upload_page import UploadPage
from embedded_server.contract import SyncType
from tests.gui.upload.on_the_page import dropped, impact, part, press, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot

FULL = snapshot(job_id=3, mode=SyncType.FULL)


@pytest.fixture
def asked(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> UploadPage:
    """The page asks whether to replace the data."""
    engine.answers["impact"] = lambda _: impact()
    engine.answers["edit_job"] = lambda args: snapshot(
        job_id=3, mode=SyncType(args.get("mode", "FullSync"))
    ).to_wire()
    show(page, engine, qtbot, FULL)
    part(page, QPushButton, "upload.start").setFocus()
    press(page, "upload.start")
    qtbot.waitUntil(lambda: _question(page) != "")
    return page


def _question(page: UploadPage) -> str:
    return text_of(page, "upload.question.title")


def _start_is_ready(page: UploadPage) -> bool:
    return part(page, QPushButton, "upload.start").isEnabled()


def test_a_no_gives_the_start_button_back_with_the_keyboard(
    asked: UploadPage, qtbot: QtBot
) -> None:
    assert not _start_is_ready(asked)

    press(asked, "upload.confirmNo")

    assert _start_is_ready(asked)
    qtbot.waitUntil(part(asked, QPushButton, "upload.start").hasFocus)


def test_escape_is_a_no(asked: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    QTest.keyClick(part(asked, QPushButton, "upload.confirmNo"), Qt.Key.Key_Escape)

    qtbot.waitUntil(lambda: _question(asked) == "")
    assert _start_is_ready(asked)
    assert "start_job" not in engine.commands()


def test_escape_closes_what_was_told(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    mime = QMimeData()
    mime.setText("no path")
    page.take(mime)
    qtbot.waitUntil(lambda: text_of(page, "upload.error.title") != "")

    QTest.keyClick(part(page, QLineEdit, "upload.name"), Qt.Key.Key_Escape)

    qtbot.waitUntil(lambda: text_of(page, "upload.error.title") == "")


def test_the_question_goes_as_soon_as_the_destination_is_edited(
    asked: UploadPage, engine: FakeEngine
) -> None:
    QTest.keyClicks(part(asked, QLineEdit, "upload.destination"), "y")

    assert _question(asked) == ""
    assert "start_job" not in engine.commands()


@pytest.mark.parametrize("wrong", ["", "no/slash"])
def test_the_question_goes_though_the_new_destination_is_none(
    asked: UploadPage, wrong: str
) -> None:
    field = part(asked, QLineEdit, "upload.destination")
    field.selectAll()
    QTest.keyClicks(field, wrong) if wrong else QTest.keyClick(field, Qt.Key.Key_Delete)

    assert _question(asked) == ""
    assert not _start_is_ready(asked)


def test_the_question_goes_with_another_mode_or_place_of_the_files(
    asked: UploadPage, qtbot: QtBot
) -> None:
    part(asked, QCheckBox, "upload.contentsOnly").click()
    assert _question(asked) == ""

    qtbot.waitUntil(lambda: _start_is_ready(asked))
    press(asked, "upload.start")
    qtbot.waitUntil(lambda: _question(asked) != "")
    press(asked, "upload.modeIncremental")
    assert _question(asked) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"files": 3},
        {"bytes": 31},
        {"intake_done": False},
        {"destination": "/data/z"},
        {"connection": "elsewhere"},
        {"mode": SyncType.INCREMENTAL},
        {"state": JobState.UPLOADING},
    ],
)
def test_the_question_goes_when_its_numbers_no_longer_hold(
    asked: UploadPage, engine: FakeEngine, qtbot: QtBot, change: dict[str, Any]
) -> None:
    show(asked, engine, qtbot, replace(FULL, **change))

    assert _question(asked) == ""


def test_the_question_stays_while_nothing_of_it_changes(
    asked: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(asked, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL, name="renamed elsewhere"))
    show(asked, engine, qtbot, snapshot(job_id=9))  # another job

    assert "/data/x" in _question(asked)


def test_the_newest_edit_may_be_told_after_the_question(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(destination="/data/new")
    show(page, engine, qtbot, FULL)
    press(page, "upload.start")
    qtbot.waitUntil(lambda: _question(page) != "")

    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL, destination="/data/new"))

    assert "/data/new" in _question(page)


def test_an_edit_while_the_engine_looks_starts_nothing(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        return impact(mode="IncrementalSync", replaced_files=None)

    engine.answers["impact"] = slow
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3, destination="/data/xy").to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "impact" in engine.commands())
    assert not _start_is_ready(page)
    QTest.keyClicks(part(page, QLineEdit, "upload.destination"), "y")
    go_on.set()

    qtbot.waitUntil(lambda: "edit_job" in engine.commands())
    show(page, engine, qtbot, snapshot(job_id=3, destination="/data/xy"))
    assert _start_is_ready(page)
    assert "start_job" not in engine.commands()


def test_start_cannot_be_pressed_twice(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["impact"] = lambda _: impact(mode="IncrementalSync", replaced_files=None)
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())

    show(page, engine, qtbot, snapshot(job_id=3, name="not started yet"))

    assert not _start_is_ready(page)


def test_a_refused_start_is_told_and_may_be_tried_again(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeUnreachable("No way.")

    engine.answers["impact"] = lambda _: impact(mode="IncrementalSync", replaced_files=None)
    engine.answers["start_job"] = refuse
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.start")

    qtbot.waitUntil(lambda: "No way." in text_of(page, "upload.error.text"))
    assert _start_is_ready(page)


def test_an_impact_that_cannot_be_known_is_told_and_may_be_asked_again(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeUnreachable("No way.")

    engine.answers["impact"] = refuse
    show(page, engine, qtbot, FULL)
    press(page, "upload.start")

    qtbot.waitUntil(lambda: "cannot be reached" in text_of(page, "upload.error.title"))
    assert _start_is_ready(page)
    assert "start_job" not in engine.commands()


def test_two_jobs_are_started_one_while_the_other_is_looked_at(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def slow(args: dict[str, Any]) -> dict[str, Any]:
        if args["job_id"] == 3:
            go_on.wait(10)
            return impact()
        return impact(mode="IncrementalSync", replaced_files=None)

    engine.answers["impact"] = slow
    show(page, engine, qtbot, FULL)
    show(page, engine, qtbot, snapshot(job_id=4))
    page.choose_job(3)
    press(page, "upload.start")
    page.choose_job(4)
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    assert engine.args_of("start_job")["job_id"] == 4

    go_on.set()
    qtbot.waitUntil(lambda: engine.commands().count("impact") == 2)
    page.choose_job(3)
    qtbot.waitUntil(lambda: "/data/x" in _question(page))
    page.choose_job(4)
    assert _question(page) == ""


def test_a_question_about_another_job_waits_until_that_job_is_shown(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()
    answered = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        answered.set()
        return impact()

    engine.answers["impact"] = slow
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=4))
    show(page, engine, qtbot, FULL)
    page.choose_job(3)
    press(page, "upload.start")
    page.choose_job(4)
    go_on.set()
    qtbot.waitUntil(answered.is_set)
    engine.answers["left_out"] = lambda _: {"left_out": [["/a", "a link"]]}
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=4, files_left_out=1))
    press(page, "upload.leftOut")  # an answer after the impact's: that one has been taken
    qtbot.waitUntil(lambda: text_of(page, "upload.error.text") != "")
    assert _question(page) == ""

    page.choose_job(3)

    assert "/data/x" in _question(page)
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())


def test_an_empty_incremental_upload_is_told_what_it_lacks(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(mode="IncrementalSync", new_files=0)
    show(page, engine, qtbot, snapshot(job_id=3, files=0, bytes=0))
    press(page, "upload.start")

    qtbot.waitUntil(lambda: "no file in this upload" in text_of(page, "upload.error.text"))
    assert "start_job" not in engine.commands()
    assert _start_is_ready(page)


def test_ctrl_enter_starts_but_never_answers_a_question(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact()
    show(page, engine, qtbot, FULL)
    field = part(page, QLineEdit, "upload.name")
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: _question(page) != "")

    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(field, Qt.Key.Key_Enter, Qt.KeyboardModifier.ControlModifier)

    assert _question(page) != ""
    assert engine.commands().count("impact") == 1
    assert "start_job" not in engine.commands()


@pytest.mark.parametrize(
    "job",
    [
        snapshot(job_id=3, intake_done=False),
        snapshot(JobState.UPLOADING, job_id=3),
    ],
)
def test_ctrl_enter_does_nothing_where_start_cannot_be_pressed(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: Any
) -> None:
    show(page, engine, qtbot, job)
    QTest.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    page.take(dropped("/in/a"))

    qtbot.waitUntil(lambda: bool({"add_sources", "add_job"} & set(engine.commands())))
    assert "impact" not in engine.commands()


@pytest.mark.parametrize(
    ("mode", "plain", "told"),
    [
        (SyncType.FULL, True, "next full sync"),
        (SyncType.FULL, False, "stays as it was"),
        (SyncType.INCREMENTAL, False, "that have arrived stay"),
    ],
)
def test_cancelling_says_what_stays(
    page: UploadPage,
    engine: FakeEngine,
    qtbot: QtBot,
    mode: SyncType,
    plain: bool,
    told: str,
) -> None:
    job = snapshot(JobState.UPLOADING, job_id=3, mode=mode, plain_server=plain)
    show(page, engine, qtbot, job)
    press(page, "upload.cancel")
    assert told in text_of(page, "upload.question.text")

    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=3, mode=mode))

    assert _question(page) == ""  # it ended by itself: there is nothing left to cancel


def test_a_draft_with_files_is_removed_only_after_a_yes(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["remove_job"] = lambda _: {}
    show(page, engine, qtbot, snapshot(job_id=3))
    jobs = part(page, JobList, "upload.jobList")
    QTest.keyClick(jobs, Qt.Key.Key_Delete)
    assert "Remove this upload" in _question(page)
    assert "2 files" in text_of(page, "upload.question.text")
    press(page, "upload.confirmNo")
    assert "remove_job" not in engine.commands()

    QTest.keyClick(jobs, Qt.Key.Key_Delete)
    press(page, "upload.confirmYes")

    qtbot.waitUntil(lambda: "remove_job" in engine.commands())
    assert engine.args_of("remove_job") == {"job_id": 3}


@pytest.mark.parametrize(
    ("job", "removed"),
    [
        (snapshot(job_id=3, files=0, bytes=0), True),
        (snapshot(JobState.FINISHED, job_id=3), True),
        (snapshot(JobState.UPLOADING, job_id=3), False),
        (snapshot(JobState.PAUSED, job_id=3), False),
    ],
)
def test_delete_on_a_card_removes_what_has_nothing_to_lose(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: Any, removed: bool
) -> None:
    engine.answers["remove_job"] = lambda _: {}
    show(page, engine, qtbot, job)
    QTest.keyClick(part(page, JobList, "upload.jobList"), Qt.Key.Key_Delete)
    page.take(dropped("/in/a"))

    qtbot.waitUntil(lambda: bool({"add_sources", "add_job"} & set(engine.commands())))
    assert _question(page) == ""
    assert ("remove_job" in engine.commands()) is removed

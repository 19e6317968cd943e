"""What a job that rests says, what helps it, and what is told about it in place."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from app.domain.errors import InvalidApiKey, JournalFailed
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.upload.job_list import JobList
from app.ui.upload.upload_page import UploadPage
from app.ui.widgets.buttons import ElidedLabel
from embedded_server.contract import SyncType
from tests.gui.upload.on_the_page import dropped, impact, part, press, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot

# Menus: the offscreen platform has one screen and one keyboard, and says so.
pytestmark = pytest.mark.qt_log_ignore(r"This plugin does not support (raise|grabbing)")

FAILED_ONES = snapshot(JobState.NEEDS_ATTENTION, job_id=3, files_failed=1)


def _buttons(page: UploadPage) -> set[str]:
    """Names of the buttons that can be pressed."""
    made = page.findChildren(QPushButton)
    return {one.objectName() for one in made if one.isVisible() and one.isEnabled()}


@pytest.mark.parametrize(("connection", "may_open"), [("local", True), ("somewhere else", False)])
def test_only_the_local_lakes_folder_can_be_opened(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, connection: str, may_open: bool
) -> None:
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=3, connection=connection))
    assert ("upload.openFolder" in _buttons(page)) is may_open
    assert "upload.again" in _buttons(page)


@pytest.mark.parametrize(("failed", "tone"), [(0, "good"), (1, "warn")])
def test_a_finish_without_some_files_does_not_look_like_a_whole_one(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, failed: int, tone: str
) -> None:
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=3, files_failed=failed))
    assert part(page, QFrame, "upload.banner").property("tone") == tone
    assert ("1 file did not arrive" in text_of(page, "upload.banner.text")) is bool(failed)


@pytest.mark.parametrize("problem", ["InvalidApiKey", "ConnectionNotUsable"])
def test_a_job_that_wants_a_key_leads_to_the_connections(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, problem: str
) -> None:
    wanted = QSignalSpy(page.context.navigator.show_connections)
    show(page, engine, qtbot, snapshot(JobState.NEEDS_ATTENTION, job_id=3, problem=problem))
    press(page, "upload.openConnections")
    assert wanted.count() == 1


def test_a_command_refused_for_its_key_leads_there_as_well(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise InvalidApiKey("Not this one.")

    engine.answers["retry_job"] = refuse
    wanted = QSignalSpy(page.context.navigator.show_connections)
    show(page, engine, qtbot, FAILED_ONES)
    press(page, "upload.retry")
    qtbot.waitUntil(lambda: "Not this one." in text_of(page, "upload.error.text"))
    press(page, "upload.openConnections")
    assert wanted.count() == 1

    show(page, engine, qtbot, snapshot(job_id=4))
    page.choose_job(4)

    assert text_of(page, "upload.error.title") == ""  # it was about the other job


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (snapshot(JobState.CANCELLED), "Nothing was sent."),
        (snapshot(JobState.CANCELLED, sync_id=1), "Files that had arrived stay at /data/x."),
        (snapshot(JobState.CANCELLED, sync_id=1, mode=SyncType.FULL), "stays as it was"),
        (snapshot(JobState.CANCELLED, message="The engine's own."), "The engine's own."),
        (snapshot(JobState.PAUSED), "until you press Resume"),
        (snapshot(JobState.FAILED, problem="LakeFull", message="No room."), "No room."),
        (snapshot(JobState.FAILED, message="Odd."), "Odd."),
        (snapshot(JobState.NEEDS_ATTENTION, files_failed=1), "finish this upload without them"),
        (
            snapshot(JobState.NEEDS_ATTENTION, files_failed=1, mode=SyncType.FULL),
            "was not ended",
        ),
    ],
)
def test_a_job_that_rests_says_why(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: JobSnapshot, told: str
) -> None:
    show(page, engine, qtbot, job)
    assert told in text_of(page, "upload.banner.text")

    show(page, engine, qtbot, snapshot(JobState.UPLOADING))

    assert text_of(page, "upload.banner.text") == ""


_QUEUED_ETC = {"upload.cancel", "upload.pause"}


@pytest.mark.parametrize(
    ("job", "offered"),
    [
        (snapshot(), {"upload.start"}),
        (snapshot(JobState.QUEUED), _QUEUED_ETC),
        (snapshot(JobState.STARTING), _QUEUED_ETC),
        (snapshot(JobState.UPLOADING), _QUEUED_ETC),
        (snapshot(JobState.ENDING), set()),
        (snapshot(JobState.PAUSED), {"upload.cancel", "upload.resume"}),
        (
            snapshot(JobState.NEEDS_ATTENTION, files_failed=1),
            {"upload.cancel", "upload.retry", "upload.finishWithout"},
        ),
        (
            snapshot(JobState.NEEDS_ATTENTION, files_failed=1, problem="LakeFull"),
            {"upload.cancel", "upload.retry"},
        ),
        (snapshot(JobState.FINISHED), set()),
        (snapshot(JobState.FAILED), set()),
        (snapshot(JobState.CANCELLED), set()),
    ],
)
def test_each_state_offers_what_can_be_done(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: JobSnapshot, offered: set[str]
) -> None:
    show(page, engine, qtbot, job)
    commands = "remove start cancel pause resume retry finishWithout"
    assert _buttons(page) & {f"upload.{name}" for name in commands.split()} == offered


@pytest.mark.parametrize(
    ("job", "permille"),
    [
        (snapshot(JobState.UPLOADING, bytes=30, bytes_sent=30), 990),
        (snapshot(JobState.FINISHED, bytes=30, bytes_sent=10), 1000),
        (snapshot(JobState.UPLOADING, bytes=0, files=4, files_arrived=1), 250),
        (snapshot(JobState.UPLOADING, bytes=10, bytes_sent=20), 990),
    ],
)
def test_the_bar_is_full_only_when_the_job_is_finished(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: JobSnapshot, permille: int
) -> None:
    show(page, engine, qtbot, job)
    assert part(page, QProgressBar, "upload.progress").value() == permille


@pytest.mark.parametrize("count", [2, 12, 40])
def test_what_was_left_out_is_told_with_its_reasons(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, count: int
) -> None:
    engine.answers["left_out"] = lambda args: {
        "left_out": [[f"/in/{n}", "a link"] for n in range(min(count, args["limit"]))]
    }
    show(page, engine, qtbot, snapshot(job_id=3))
    assert "upload.leftOut" not in _buttons(page)
    show(page, engine, qtbot, snapshot(job_id=3, files_left_out=count))
    press(page, "upload.leftOut")

    qtbot.waitUntil(lambda: text_of(page, "upload.error.text") != "")
    lines = text_of(page, "upload.error.text").splitlines()
    assert lines[:2] == ["/in/0: a link", "/in/1: a link"]
    assert (len(lines), lines[-1] == "…") == ((13, True) if count > 12 else (count, False))


def test_failed_rows_are_shown_alone_until_another_job_is_shown(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=2))
    assert not part(page, QPushButton, "upload.showFailed").isVisible()
    show(page, engine, qtbot, FAILED_ONES)
    page.choose_job(3)
    press(page, "upload.showFailedRows")

    qtbot.waitUntil(lambda: engine.args_of("item_ranges")["states"] == ["failed"])
    assert part(page, QPushButton, "upload.showFailed").isChecked()
    page.choose_job(2)
    page.choose_job(3)
    assert part(page, QPushButton, "upload.showAll").isChecked()
    qtbot.waitUntil(lambda: engine.args_of("item_ranges")["states"] is None)


def test_another_job_with_failed_files_shows_all_of_its_files_first(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(JobState.NEEDS_ATTENTION, job_id=2, files_failed=1))
    show(page, engine, qtbot, FAILED_ONES)
    page.choose_job(3)
    press(page, "upload.showFailedRows")
    page.choose_job(2)
    assert part(page, QPushButton, "upload.showAll").isChecked()


def test_a_text_without_room_is_whole_in_its_tool_tip(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    heading = part(page, ElidedLabel, "upload.jobName")
    long = "a name that somebody gave on a Friday afternoon " * 5
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=3, name=long))
    assert heading.toolTip() == long
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=3, name="short"))
    assert heading.toolTip() == ""


def test_the_menu_of_a_card_removes_what_may_be_removed(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["remove_job"] = lambda _: {}
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=2))
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=3))
    jobs = part(page, JobList, "upload.jobList")

    def menu_at(row: int) -> QMenu:
        at = jobs.visualRect(jobs.model().index(row, 0)).center()
        jobs.customContextMenuRequested.emit(QPoint(at))
        return [menu for menu in jobs.findChildren(QMenu) if menu.isVisible()][-1]

    running = menu_at(1)
    assert [action.isEnabled() for action in running.actions()] == [False]
    running.close()
    menu = menu_at(0)
    menu.actions()[0].trigger()
    menu.close()

    qtbot.waitUntil(lambda: "remove_job" in engine.commands())
    assert engine.args_of("remove_job") == {"job_id": 3}


def test_a_narrow_page_has_narrow_cards(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    jobs = part(page, JobList, "upload.jobList")
    wide = jobs.width()
    page.resize(868, 560)
    qtbot.waitUntil(lambda: jobs.width() < wide)


def test_a_start_refused_while_another_job_is_shown_is_told_by_the_window(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        raise JournalFailed("No space left.")

    engine.answers["impact"] = refuse
    show(page, engine, qtbot, snapshot(JobState.PAUSED, job_id=2))
    show(page, engine, qtbot, snapshot(job_id=3))
    page.choose_job(3)
    told = QSignalSpy(page.context.link.failed)
    press(page, "upload.start")
    page.choose_job(2)
    go_on.set()

    qtbot.waitUntil(lambda: told.count() == 1)
    assert text_of(page, "upload.error.title") == ""


def test_a_removal_asked_for_ends_the_start_that_is_prepared(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        return impact(mode="IncrementalSync", replaced_files=None)

    engine.answers["impact"] = slow
    engine.answers["left_out"] = lambda _: {"left_out": [["/in/a", "a link"]]}
    show(page, engine, qtbot, snapshot(job_id=3, files_left_out=1))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "impact" in engine.commands())
    QTest.keyClick(part(page, JobList, "upload.jobList"), Qt.Key.Key_Delete)
    assert "Remove this upload" in text_of(page, "upload.question.title")
    go_on.set()
    press(page, "upload.leftOut")
    qtbot.waitUntil(lambda: text_of(page, "upload.error.text") != "")

    assert "Remove this upload" in text_of(page, "upload.question.title")
    assert "start_job" not in engine.commands()


def test_a_second_question_has_buttons_of_its_own(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(plain_server=True, same_names=["a.csv"])
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "Replace" in text_of(page, "upload.question.title"))
    first = part(page, QPushButton, "upload.confirmYes")
    first.click()

    assert "same name" in text_of(page, "upload.question.title")
    assert part(page, QPushButton, "upload.confirmYes") is not first


def test_the_form_shows_what_the_engine_answers_before_its_news_come(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    answer = snapshot(job_id=3, contents_only=True, name="as the engine has it")
    engine.answers["edit_job"] = lambda _: answer.to_wire()
    show(page, engine, qtbot, snapshot(job_id=3))
    part(page, QCheckBox, "upload.contentsOnly").click()
    qtbot.waitUntil(lambda: part(page, QLineEdit, "upload.name").text() == answer.name)


def test_a_file_dropped_on_a_field_is_for_the_upload(page: UploadPage) -> None:
    assert not part(page, QLineEdit, "upload.destination").acceptDrops()
    assert not part(page, QLineEdit, "upload.name").acceptDrops()


def test_what_was_dropped_for_a_draft_that_failed_is_in_no_other(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        raise JournalFailed("No space left.")

    engine.answers["add_job"] = refuse
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=1))
    page.take(dropped("/in/a"))
    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    page.take(dropped("/in/b"))
    page.context.link.in_background(go_on.set, then=lambda _: None)
    qtbot.waitUntil(lambda: "No space left." in text_of(page, "upload.error.text"))
    engine.answers["add_job"] = lambda _: {"job_id": 2}

    page.take(dropped("/in/c"))

    qtbot.waitUntil(lambda: engine.commands().count("add_job") == 2)
    assert [path for path, _ in engine.args_of("add_job")["sources"]] == ["/in/c"]
    show(page, engine, qtbot, snapshot(job_id=2))
    assert "add_sources" not in engine.commands()

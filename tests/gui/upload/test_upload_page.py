"""The upload page: drops become drafts, a start asks first where data is at stake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.upload.upload_page import UploadPage
from embedded_server.contract import SyncType
from tests.gui.upload.on_the_page import dropped, impact, press, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot


def test_a_first_drop_makes_an_incremental_draft_for_the_local_lake(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    def add(_: dict[str, Any]) -> dict[str, Any]:
        engine.show(snapshot(job_id=7, name="x"))
        return {"job_id": 7}

    engine.answers["add_job"] = add

    page.take(dropped(str(tmp_path / "báo cáo 1.csv"), str(tmp_path / "folder")))

    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    asked = engine.args_of("add_job")
    assert asked["connection"] == {"name": "local"}
    assert asked["mode"] == "IncrementalSync"
    assert asked["kept"] is True
    assert asked["sources"] == [
        [str(tmp_path / "báo cáo 1.csv"), False],
        [str(tmp_path / "folder"), False],
    ]
    qtbot.waitUntil(lambda: text_of(page, "upload.totals") == "2 files, 30 bytes")


def test_a_new_draft_is_never_full_even_after_a_full_one(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 2}
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, mode=SyncType.FULL))

    page.take(dropped("/somewhere/a.csv"))

    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    assert engine.args_of("add_job")["mode"] == "IncrementalSync"
    assert engine.args_of("add_job")["destination"] == "/data/x"


def test_a_drop_goes_into_the_chosen_draft_in_pieces(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))

    page.take(dropped(*(f"/in/{number}" for number in range(4_500))))

    qtbot.waitUntil(lambda: engine.commands().count("add_sources") == 3)
    sent = [
        path
        for command, args in engine.requests
        if command == "add_sources"
        for path, _ in args["sources"]
    ]
    assert sent == [f"/in/{number}" for number in range(4_500)]


def test_a_web_link_is_refused_in_words(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.com/a.csv")])

    page.take(mime)

    qtbot.waitUntil(lambda: "no file of this machine" in text_of(page, "upload.error.title"))
    assert "add_sources" not in engine.commands()


def test_a_drop_of_links_alone_makes_no_draft_and_the_next_drop_does(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 2}
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=1))
    links = QMimeData()
    links.setUrls([QUrl("https://example.com/a.csv")])

    page.take(links)
    page.take(dropped("/in/a.csv"))  # while it is not known yet what the first one holds

    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    assert engine.commands().count("add_job") == 1
    assert engine.args_of("add_job")["sources"] == [["/in/a.csv", False]]
    qtbot.waitUntil(lambda: "no file of this machine" in text_of(page, "upload.error.title"))


def test_what_is_dropped_while_a_draft_is_made_goes_into_it(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 2}

    page.take(dropped(*(f"/in/{number}" for number in range(2_500))))
    page.take(dropped("/in/late.csv"))

    qtbot.waitUntil(lambda: engine.commands().count("add_sources") == 2)
    assert engine.commands().count("add_job") == 1
    assert len(engine.args_of("add_job")["sources"]) == 2_000
    rest = [args for command, args in engine.requests if command == "add_sources"]
    assert {args["job_id"] for args in rest} == {2}
    paths = sorted(path for args in rest for path, _ in args["sources"])
    assert paths == sorted([*(f"/in/{number}" for number in range(2_000, 2_500)), "/in/late.csv"])


def test_a_full_sync_asks_with_its_numbers_and_no_starts_nothing(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact()
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")

    qtbot.waitUntil(lambda: text_of(page, "upload.question.text") != "")
    asked = text_of(page, "upload.question.text")
    assert "412 files, 9.0 GB at /data/x" in asked
    assert "2 files, 30 bytes" in asked
    no = page.findChild(QPushButton, "upload.confirmNo")
    assert no is not None
    page.activateWindow()
    qtbot.waitUntil(no.hasFocus)
    press(page, "upload.confirmNo")
    assert text_of(page, "upload.question.text") == ""
    assert "start_job" not in engine.commands()


def test_a_yes_starts_the_full_sync(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["impact"] = lambda _: impact()
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: text_of(page, "upload.question.text") != "")

    press(page, "upload.confirmYes")

    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    assert not any(engine.args_of("start_job")["consents"].values())


def test_emptying_a_destination_and_same_names_are_consents_of_their_own(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(
        new_files=0, plain_server=True, same_names=["a.csv"], replaced_files=None
    )
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL, files=0))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "Empty" in text_of(page, "upload.question.title"))
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "a.csv" in text_of(page, "upload.question.text"))
    assert "start_job" not in engine.commands()
    again = page.findChild(QPushButton, "upload.confirmYes")
    assert again is not None
    qtbot.waitUntil(again.isVisible)  # a new one: its place is made in the next round of the loop
    again.click()

    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    consents = engine.args_of("start_job")["consents"]
    assert consents["empty_full_sync"] is True
    assert consents["same_names_on_plain_server"] is True


def test_data_that_shrinks_a_lot_is_a_question_beside_that_about_the_trash(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(before_files=412, before_bytes=9_000_000_000)
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "Replace" in text_of(page, "upload.question.title"))
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "Shrink" in text_of(page, "upload.question.title"))
    assert "/data/x by more than 50\u00a0%" in text_of(page, "upload.question.title")
    assert "There are 412 files" in text_of(page, "upload.question.text")
    assert "start_job" not in engine.commands()
    again = page.findChild(QPushButton, "upload.confirmYes")
    assert again is not None
    qtbot.waitUntil(again.isVisible)
    again.click()

    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    consents = engine.args_of("start_job")["consents"]
    assert consents["shrink"] is True
    assert consents["empty_full_sync"] is consents["empty_sources"] is False


def test_a_no_to_shrinking_starts_nothing(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(
        replaced_files=0, before_files=9, before_bytes=60, before_is_last_sync=True
    )
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "The last full sync from here" in text_of(page, "upload.question.text"))
    press(page, "upload.confirmNo")
    qtbot.waitUntil(lambda: text_of(page, "upload.question.title") == "")
    assert "start_job" not in engine.commands()


def test_an_empty_folder_among_others_is_a_question_of_its_own(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(replaced_files=0, empty_sources=["/mnt/usb"])
    show(page, engine, qtbot, snapshot(job_id=3, mode=SyncType.FULL))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "/mnt/usb" in text_of(page, "upload.question.text"))
    assert "start_job" not in engine.commands()
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    assert engine.args_of("start_job")["consents"]["empty_sources"] is True


def test_names_to_look_at_are_told_before_the_start_with_their_reasons(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    odd = {
        "refused": [["/data/x/NUL", "is a device"]],
        "refused_count": 7,
        "twins": [["/data/x/a", "/data/x/A"]],
    }
    engine.answers["impact"] = lambda _: impact(
        mode="IncrementalSync", replaced_files=None, odd_names=odd
    )
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "Names" in text_of(page, "upload.question.title"))
    text = text_of(page, "upload.question.text")
    assert "will refuse 7 files" in text
    assert "/data/x/NUL: is a device" in text
    assert "/data/x/a, /data/x/A" in text
    assert "full sync" not in text
    assert "start_job" not in engine.commands()
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())


def test_an_incremental_sync_starts_without_a_question(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["impact"] = lambda _: impact(mode="IncrementalSync", replaced_files=None)
    show(page, engine, qtbot, snapshot(job_id=3))
    press(page, "upload.start")
    qtbot.waitUntil(lambda: "start_job" in engine.commands())


def test_a_start_waits_for_what_was_just_typed(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["edit_job"] = lambda _: snapshot(job_id=3).to_wire()
    engine.answers["impact"] = lambda _: impact(mode="IncrementalSync", replaced_files=None)
    show(page, engine, qtbot, snapshot(job_id=3))
    field = page.findChild(QLineEdit, "upload.destination")
    assert field is not None
    field.selectAll()
    QTest.keyClicks(field, "/data/new")
    press(page, "upload.start")

    qtbot.waitUntil(lambda: "start_job" in engine.commands())
    order = [name for name in engine.commands() if name in ("edit_job", "impact", "start_job")]
    assert order == ["edit_job", "impact", "start_job"]
    assert engine.args_of("edit_job")["destination"] == "/data/new"


def test_a_wrong_destination_is_told_and_never_sent(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    field = page.findChild(QLineEdit, "upload.destination")
    start = page.findChild(QPushButton, "upload.start")
    assert field is not None
    assert start is not None
    field.selectAll()
    QTest.keyClicks(field, "no/slash")

    assert "begins with /" in text_of(page, "upload.destinationProblem")
    assert not start.isEnabled()
    qtbot.wait(400)  # longer than the pause after which an edit is saved
    assert "edit_job" not in engine.commands()


def test_news_do_not_overwrite_a_field_in_use(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    field = page.findChild(QLineEdit, "upload.name")
    assert field is not None
    page.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    QTest.keyClicks(field, "half typ")

    show(page, engine, qtbot, snapshot(job_id=3, files=5))

    assert field.text() == "half typ"


@pytest.mark.parametrize(
    ("job", "button", "command"),
    [
        (snapshot(JobState.UPLOADING, job_id=3), "upload.pause", "pause_job"),
        (snapshot(JobState.PAUSED, job_id=3), "upload.resume", "resume_job"),
        (snapshot(JobState.NEEDS_ATTENTION, job_id=3, files_failed=1), "upload.retry", "retry_job"),
        (
            snapshot(JobState.NEEDS_ATTENTION, job_id=3, files_failed=1),
            "upload.finishWithout",
            "finish_job",
        ),
    ],
)
def test_each_button_does_what_it_says(
    page: UploadPage,
    engine: FakeEngine,
    qtbot: QtBot,
    job: JobSnapshot,
    button: str,
    command: str,
) -> None:
    engine.answers[command] = lambda _: {}
    show(page, engine, qtbot, job)
    press(page, button)
    qtbot.waitUntil(lambda: command in engine.commands())
    assert engine.args_of(command) == {"job_id": 3}


def test_a_full_sync_with_failed_files_cannot_be_finished_without_them(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    job = snapshot(JobState.NEEDS_ATTENTION, job_id=3, files_failed=1, mode=SyncType.FULL)
    show(page, engine, qtbot, job)
    finish = page.findChild(QPushButton, "upload.finishWithout")
    assert finish is not None
    assert not finish.isVisible()
    assert "1 file" in text_of(page, "upload.banner.title")


def test_cancelling_asks_and_says_what_stays(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["cancel_job"] = lambda _: {}
    job = snapshot(JobState.UPLOADING, job_id=3, mode=SyncType.FULL, plain_server=True)
    show(page, engine, qtbot, job)
    press(page, "upload.cancel")
    assert "next full sync" in text_of(page, "upload.question.text")
    assert "cancel_job" not in engine.commands()
    press(page, "upload.confirmYes")
    qtbot.waitUntil(lambda: "cancel_job" in engine.commands())


@pytest.mark.parametrize(("verified", "told"), [(2, "proved"), (0, "acknowledged")])
def test_a_finished_job_says_verified_only_where_it_was(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, verified: int, told: str
) -> None:
    job = snapshot(JobState.FINISHED, job_id=3, files_arrived=2, files_verified=verified)
    show(page, engine, qtbot, job)
    assert told in text_of(page, "upload.banner.text")


def test_every_control_has_a_name_for_screen_readers(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    nameless = []
    for widget in page.findChildren(QWidget):
        focusable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if focusable and widget.isVisible() and widget.objectName():
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(widget.objectName())
    assert [name for name in nameless if not name.startswith("qt_")] == []


def test_a_banners_button_acts_for_the_job_that_is_shown(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, opened: list[str]
) -> None:
    engine.answers["lake"] = lambda _: {"files": "/lake/files"}
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=3, destination="/data/one"))
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=4, destination="/data/two"))
    page.choose_job(3)
    page.choose_job(4)

    press(page, "upload.openFolder")

    qtbot.waitUntil(lambda: opened == ["/lake/files/data/two"])

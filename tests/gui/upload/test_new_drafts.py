"""New drafts: made beside others, filled while they are made, and never to a connection gone."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.domain.errors import ConnectionNotUsable, JournalFailed
from app.domain.upload_job import JobState
from app.ui.upload.upload_page import UploadPage
from tests.gui.upload.on_the_page import dropped, part, press, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot


def _sent(engine: FakeEngine) -> list[str]:
    return [
        path
        for command, args in engine.requests
        if command in ("add_job", "add_sources")
        for path, _ in args["sources"]
    ]


def test_what_is_dropped_while_a_draft_is_made_goes_into_it(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        engine.show(snapshot(job_id=7))
        return {"job_id": 7}

    engine.answers["add_job"] = slow
    page.take(dropped("/in/a"))
    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    page.take(dropped("/in/b", "/in/c"))
    page.new_job()  # pressed once more meanwhile: no second one
    page.context.link.in_background(lambda: go_on.set(), then=lambda _: None)

    qtbot.waitUntil(lambda: _sent(engine) == ["/in/a", "/in/b", "/in/c"])
    assert engine.commands().count("add_job") == 1
    assert engine.args_of("add_sources")["job_id"] == 7
    qtbot.waitUntil(lambda: text_of(page, "upload.totals") != "")


def test_a_draft_is_made_beside_a_job_that_runs(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def add(_: dict[str, Any]) -> dict[str, Any]:
        engine.show(snapshot(job_id=2, name="second"))
        return {"job_id": 2}

    engine.answers["add_job"] = add
    running = snapshot(JobState.UPLOADING, job_id=1, destination="/data/z", connection="far")
    show(page, engine, qtbot, running)
    press(page, "upload.newJob")

    qtbot.waitUntil(lambda: part(page, QLineEdit, "upload.name").text() == "second")
    asked = engine.args_of("add_job")
    assert (asked["destination"], asked["connection"]) == ("/data/z", {"name": "far"})
    assert asked["sources"] == []


def test_a_new_draft_is_shown_though_its_news_come_after_the_answer(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_job"] = lambda _: {"job_id": 2}
    engine.answers["connections"] = lambda _: {"keyring": True, "connections": [{"name": "x"}]}
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=1))
    press(page, "upload.newJob")
    qtbot.waitUntil(lambda: "add_job" in engine.commands())
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=1, bytes_sent=3))

    engine.show(snapshot(job_id=2, name="second"))

    qtbot.waitUntil(lambda: part(page, QLineEdit, "upload.name").text() == "second")


def test_a_draft_like_one_whose_connection_is_gone_goes_to_the_local_lake(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def add(args: dict[str, Any]) -> dict[str, Any]:
        if args["connection"]["name"] != "local":
            raise ConnectionNotUsable("There is no such connection.")
        engine.show(snapshot(job_id=2))
        return {"job_id": 2}

    engine.answers["add_job"] = add
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=1, connection="gone"))
    page.take(dropped("/in/a", "/in/b"))

    qtbot.waitUntil(lambda: engine.commands().count("add_job") == 2)
    asked = engine.args_of("add_job")
    assert asked["connection"] == {"name": "local"}
    assert asked["destination"] == "/data/x"
    assert [path for path, _ in asked["sources"]] == ["/in/a", "/in/b"]


def test_a_draft_that_cannot_be_made_is_told_and_the_next_one_may(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise JournalFailed("No space left.")

    engine.answers["add_job"] = refuse
    show(page, engine, qtbot, snapshot(JobState.FINISHED, job_id=1))
    page.take(dropped("/in/a"))
    qtbot.waitUntil(lambda: "No space left." in text_of(page, "upload.error.text"))

    page.take(dropped("/in/b"))

    qtbot.waitUntil(lambda: engine.commands().count("add_job") == 2)
    assert [path for path, _ in engine.args_of("add_job")["sources"]] == ["/in/b"]


def test_start_waits_until_all_that_was_dropped_is_handed_over(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        go_on.wait(10)
        return {}

    engine.answers["add_sources"] = slow
    show(page, engine, qtbot, snapshot(job_id=3))
    start = page.findChild(type(page._new), "upload.start")
    assert start is not None
    assert start.isEnabled()
    page.take(dropped("/in/a"))

    qtbot.waitUntil(lambda: not start.isEnabled())
    go_on.set()
    qtbot.waitUntil(start.isEnabled)


def test_paths_pasted_as_text_are_added(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    mime = QMimeData()
    mime.setText("/in/báo cáo.csv\n\n/in/folder/\n")
    page.take(mime)

    qtbot.waitUntil(lambda: _sent(engine) == ["/in/báo cáo.csv", "/in/folder"])


def test_of_links_and_files_the_files_are_added_and_the_rest_is_told(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    show(page, engine, qtbot, snapshot(job_id=3))
    mime = QMimeData()
    mime.setData("text/uri-list", b"https://example.com/a\r\nfile:///in/b\r\n")
    page.take(mime)

    qtbot.waitUntil(lambda: _sent(engine) == ["/in/b"])
    assert "no file of this machine" in text_of(page, "upload.error.title")

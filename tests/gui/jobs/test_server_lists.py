"""Sync jobs and File history: newest first, in pages, looked at while they are shown."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QPushButton, QTableView
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeUnreachable
from app.ui.context import UiContext
from app.ui.history.history_page import HistoryPage
from app.ui.jobs.jobs_page import JobsPage
from tests.gui.jobs.served import Server, cell, open_page, text
from tests.support.fake_engine import FakeEngine


def test_the_newest_sync_stands_at_the_top(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 3)
    table = open_page(JobsPage(context), qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 3 and cell(table, 0) == "sync 2")
    assert [cell(table, row) for row in range(3)] == ["sync 2", "sync 1", "sync 0"]


def test_of_many_rows_only_those_in_sight_are_fetched(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 100_000)
    table = open_page(JobsPage(context), qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 100_000 and cell(table, 0) == "sync 99999")

    table.scrollToBottom()

    qtbot.waitUntil(lambda: cell(table, 99_999) == "sync 0")
    assert len(server.pages) < 12


def test_new_rows_come_in_at_the_top_and_the_chosen_one_stays_chosen(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 5)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 5 and cell(table, 1) == "sync 3")
    table.selectRow(1)

    server.count = 7
    page.refresh()

    qtbot.waitUntil(lambda: table.model().rowCount() == 7 and cell(table, 0) == "sync 6")
    assert table.currentIndex().row() == 3
    assert cell(table, 3) == "sync 3"


def test_a_sync_that_ends_is_seen_without_a_hand(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 2)
    server.running = {1}
    table = open_page(JobsPage(context), qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2 and cell(table, 0, 1) == "Syncing")

    server.running = set()

    qtbot.waitUntil(lambda: cell(table, 0, 1) == "Finished", timeout=10_000)


def test_a_page_that_is_left_asks_nothing_more(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 2)
    server.running = {1}
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2 and cell(table, 0) == "sync 1")

    page.left()
    asked = len(engine.requests)
    qtbot.wait(2_300)  # longer than the pause between two looks
    assert len(engine.requests) == asked


def test_an_unreachable_server_is_told_and_its_rows_stay(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 2)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2 and cell(table, 0) == "sync 1")

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeUnreachable("no route")

    engine.answers["count_rows"] = fail
    page.refresh()
    qtbot.waitUntil(lambda: "no route" in text(page, "jobs.banner.text"))
    assert cell(table, 0) == "sync 1"

    Server(engine, 2)
    again = page.findChild(QPushButton, "jobs.tryAgain")
    assert again is not None
    again.click()
    qtbot.waitUntil(lambda: text(page, "jobs.banner.text") == "")


def test_a_server_that_lost_rows_is_shown_as_it_is(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 50)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 50 and cell(table, 0) == "sync 49")

    server.count = 3
    page.refresh()

    qtbot.waitUntil(lambda: table.model().rowCount() == 3 and cell(table, 0) == "sync 2")


def test_enter_on_a_job_asks_for_its_files(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 2)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2 and cell(table, 0) == "sync 1")
    wanted: list[tuple[str, int, str]] = []
    context.navigator.show_files_of_sync.connect(lambda *words: wanted.append(words))

    table.selectRow(0)
    button = page.findChild(QPushButton, "jobs.showFiles")
    assert button is not None
    button.click()

    assert wanted == [("local", 2, "sync 1")]


def test_the_files_of_a_sync_are_looked_for_as_long_as_there_may_be_more(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    def files(args: dict[str, Any]) -> dict[str, Any]:
        if args["before"] is None:
            return {
                "uploads": [],
                "before": 4_000,
                "count": 9_000,
                "running": False,
            }  # a stretch without a file of this sync
        row = {
            "org_id": 0,
            "history_id": 9,
            "sync_id": 7,
            "file_name": "tháng 10.csv",
            "start_time": 1,
            "end_time": 2,
            "sync_status": "Finished",
            "message": "",
        }
        return {"uploads": [row], "before": None, "count": 9_000, "running": False}

    engine.answers["history_of_sync"] = files
    page = HistoryPage(context)
    open_page(page, qtbot)

    page.show_sync("local", 7, "nightly")

    table = page.findChild(QTableView, "history.syncTable")
    assert table is not None
    qtbot.waitUntil(lambda: table.model().rowCount() == 1)
    assert cell(table, 0) == "tháng 10.csv"
    asked = [args["before"] for name, args in engine.requests if name == "history_of_sync"]
    assert asked == [None, 4_000]

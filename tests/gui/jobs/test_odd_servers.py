"""Lists of servers that do as no other does: nothing is asked without end, no row is lost."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton, QTableView
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeBusy, LakeUnreachable
from app.ui.context import UiContext
from app.ui.jobs.jobs_page import JobsPage
from app.ui.tables.server_rows import MOST_ROWS
from tests.gui.jobs.served import Gate, Server, cell, open_page, press, text
from tests.support.fake_engine import FakeEngine


def _unreachable(_: dict[str, Any]) -> dict[str, Any]:
    raise LakeUnreachable("no route")


def _asked_while_painting(engine: FakeEngine, page: JobsPage, qtbot: QtBot) -> int:
    """Requests that come of nothing but repaints."""
    before = len(engine.requests)
    for _ in range(10):
        page.grab()
        qtbot.wait(10)
    return len(engine.requests) - before


def test_rows_that_a_server_counts_and_does_not_give_are_not_asked_for_without_end(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 5)
    engine.answers["count_rows"] = lambda _: {"count": 9}
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: table.model().rowCount() == 9 and cell(table, 4) == "sync 4")
    qtbot.waitUntil(lambda: not page._rows.is_asking)

    assert "does not give" in cell(table, 0)
    assert cell(table, 8) == "sync 0"
    assert _asked_while_painting(engine, page, qtbot) == 0

    server.count = 9
    press(page, "jobs.refresh")
    qtbot.waitUntil(lambda: cell(table, 0) == "sync 8")


def test_holes_in_a_page_stand_where_they_are_counted(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 6)
    whole = engine.answers["page_rows"]
    engine.answers["page_rows"] = lambda args: {
        "rows": [row for row in whole(args)["rows"] if row["sync_id"] not in (2, 3)]
    }
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: cell(table, 5) == "sync 0")
    qtbot.waitUntil(lambda: not page._rows.is_asking)

    names = [cell(table, row) for row in range(6)]
    assert [name for name in names if name.startswith("sync")] == [
        f"sync {number}" for number in (5, 4, 3, 0)
    ]
    assert _asked_while_painting(engine, page, qtbot) == 0
    assert len(server.pages) <= 2


def test_rows_of_a_page_stand_by_their_numbers_whatever_order_they_come_in(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 5)
    whole = engine.answers["page_rows"]
    engine.answers["page_rows"] = lambda args: {"rows": whole(args)["rows"][::-1]}
    table = open_page(JobsPage(context), qtbot)

    qtbot.waitUntil(lambda: cell(table, 0) == "sync 4")
    assert [cell(table, row) for row in range(5)] == [f"sync {row}" for row in (4, 3, 2, 1, 0)]


def test_rows_that_come_twice_are_shown_as_they_come(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 4)
    whole = engine.answers["page_rows"]

    def doubled(args: dict[str, Any]) -> dict[str, Any]:
        rows = whole(args)["rows"]
        return {"rows": [rows[0], *rows[:-1], rows[0], rows[0]]}  # also more than were asked for

    engine.answers["page_rows"] = doubled
    page = JobsPage(context)
    table = open_page(page, qtbot)

    qtbot.waitUntil(lambda: cell(table, 3) == "sync 0")
    assert table.model().rowCount() == 4
    assert [cell(table, row) for row in range(4)] == ["sync 2", "sync 1", "sync 0", "sync 0"]
    assert _asked_while_painting(engine, page, qtbot) == 0


def test_a_count_that_goes_up_and_down_is_followed_one_look_at_a_time(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 300)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: cell(table, 0) == "sync 299")

    for count in (3, 200, 0, 7):
        server.count = count
        press(page, "jobs.refresh")
        newest = f"sync {count - 1}" if count else ""
        _wait_for(qtbot, table, count, newest)
        qtbot.waitUntil(lambda: not page._rows.is_asking)
        assert _asked_while_painting(engine, page, qtbot) == 0


def test_more_rows_than_a_table_can_hold_are_shown_from_the_newest(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    server = Server(engine, 5_000_000_000)
    page = JobsPage(context)
    table = open_page(page, qtbot)

    qtbot.waitUntil(lambda: cell(table, 0) == "sync 4999999999")
    assert table.model().rowCount() == MOST_ROWS
    server.count += 2
    press(page, "jobs.refresh")
    qtbot.waitUntil(lambda: cell(table, 0) == "sync 5000000001")


def test_try_again_while_the_failing_look_is_under_way_looks_again(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 2)
    good = dict(engine.answers)
    engine.answers["count_rows"] = _unreachable
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: "no route" in text(page, "jobs.banner.text"))
    gate = Gate(engine, "count_rows")
    press(page, "jobs.tryAgain")
    qtbot.waitUntil(lambda: gate.reached == 1)

    engine.answers.update(good)  # the server is back; the look under way still fails
    press(page, "jobs.tryAgain")
    gate.let_through()

    qtbot.waitUntil(lambda: table.model().rowCount() == 2 and cell(table, 0) == "sync 1")
    qtbot.waitUntil(lambda: text(page, "jobs.banner.text") == "")


def test_try_again_while_a_failing_page_is_under_way_fetches_it_again(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 2)
    good = dict(engine.answers)
    engine.answers["page_rows"] = _unreachable
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: "no route" in text(page, "jobs.banner.text"))
    qtbot.waitUntil(lambda: not page._rows.is_asking)
    gate = Gate(engine, "page_rows")
    press(page, "jobs.tryAgain")
    qtbot.waitUntil(lambda: gate.reached == 1)

    engine.answers.update(good)
    page.refresh()
    gate.let_through()

    qtbot.waitUntil(lambda: cell(table, 0) == "sync 1")
    qtbot.waitUntil(lambda: text(page, "jobs.banner.text") == "")


def test_a_page_that_failed_stays_told_though_the_count_came(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 300)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: cell(table, 0) == "sync 299")
    count = Gate(engine, "count_rows")

    def busy(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeBusy("come back later")

    engine.answers["page_rows"] = busy
    press(page, "jobs.refresh")
    qtbot.waitUntil(lambda: "later" in text(page, "jobs.banner.text"))
    heard: list[bool] = []
    count.let_through()
    engine.answers["hello"] = lambda _: {}
    qtbot.waitUntil(lambda: not page._rows.is_asking)
    context.link.ask("hello", lambda _: heard.append(True))
    qtbot.waitUntil(lambda: bool(heard))

    assert "later" in text(page, "jobs.banner.text")
    assert page.findChild(QPushButton, "jobs.tryAgain") is not None


def _wait_for(qtbot: QtBot, table: QTableView, count: int, newest: str) -> None:
    qtbot.waitUntil(lambda: table.model().rowCount() == count)
    qtbot.waitUntil(lambda: cell(table, 0) == newest if newest else True)


@pytest.mark.parametrize("changed", ["renamed", "edited"])
def test_another_server_behind_the_chosen_connection_is_shown_from_its_start(
    context: UiContext, engine: FakeEngine, qtbot: QtBot, changed: str
) -> None:
    def connections(name: str) -> dict[str, Any]:
        entry = {"name": name, "base_url": "https://x", "allow_plain_http": False, "key": "none"}
        return {"keyring": True, "connections": [entry]}

    server = Server(engine, 3)
    engine.answers["connections"] = lambda _: connections("prod")
    page = JobsPage(context)
    table = open_page(page, qtbot)
    qtbot.waitUntil(lambda: page._choice.count() == 2 and cell(table, 0) == "sync 2")
    page._choice.choose("prod")
    page._choice.chosen.emit("prod")
    qtbot.waitUntil(lambda: engine.args_of("page_rows")["connection"] == {"name": "prod"})
    qtbot.waitUntil(lambda: cell(table, 0) == "sync 2")
    page.left()

    name = "production" if changed == "renamed" else "prod"
    engine.answers["connections"] = lambda _: connections(name)
    if changed == "renamed":
        context.navigator.connection_renamed.emit("prod", "production")
    context.navigator.connections_changed.emit()
    server.count = 8
    page.entered()

    qtbot.waitUntil(lambda: table.model().rowCount() == 8 and cell(table, 0) == "sync 7")
    assert engine.args_of("count_rows")["connection"] == {"name": name}
    assert [args["known"] for call, args in engine.requests if call == "count_rows"][-1] == 0
    assert page._choice.name == name

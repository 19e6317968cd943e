"""One sync's files: read anew while it runs, and nobody loses the row they look at."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeUnreachable
from app.ui.context import UiContext
from app.ui.history.history_page import HistoryPage
from app.ui.tables.cell_table import CellTable
from tests.gui.jobs.served import Gate, OneSync, cell, open_page, press, text
from tests.support.fake_engine import FakeEngine


def _show(page: HistoryPage, qtbot: QtBot, rows: int) -> CellTable:
    open_page(page, qtbot)
    page.show_sync("local", 7, "nightly")
    table = page.findChild(QTableView, "history.syncTable")
    assert isinstance(table, CellTable)
    qtbot.waitUntil(lambda: table.model().rowCount() == rows)
    qtbot.waitUntil(lambda: not page._of_sync.is_asking)
    return table


def _unreachable(_: dict[str, Any]) -> dict[str, Any]:
    raise LakeUnreachable("no route")


def test_a_refresh_keeps_the_rows_the_chosen_one_and_the_place(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 200)
    sync.running = False
    page = HistoryPage(context)
    table = _show(page, qtbot, 200)
    table.selectRow(60)
    table.scrollTo(table.model().index(60, 0), QTableView.ScrollHint.PositionAtTop)
    top = table.indexAt(table.viewport().rect().topLeft())
    offset = table.visualRect(top).top()
    assert cell(table, 60) == "file 139"
    resets: list[bool] = []
    table.model().modelReset.connect(lambda: resets.append(True))

    sync.add(30)
    press(page, "history.refresh")

    qtbot.waitUntil(lambda: table.model().rowCount() == 230)
    assert table.selected_ranges() == [(90, 90)]
    assert cell(table, 90) == "file 139"
    now = table.indexAt(table.viewport().rect().topLeft())
    assert (now.row(), table.visualRect(now).top()) == (top.row() + 30, offset)
    assert not resets


def test_somebody_who_looks_at_the_newest_rows_goes_on_seeing_the_newest(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 200)
    page = HistoryPage(context)
    table = _show(page, qtbot, 200)

    sync.add(3)
    press(page, "history.refresh")

    qtbot.waitUntil(lambda: table.model().rowCount() == 203)
    assert table.visible_rows()[0] == 0
    assert cell(table, 0) == "file 202"


def test_while_the_sync_runs_its_files_are_looked_at_without_a_hand(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 2)
    sync.rows[1] = sync.row(1, "Syncing")
    page = HistoryPage(context)
    table = _show(page, qtbot, 2)
    assert cell(table, 0, 1) == "Syncing"

    sync.rows[1] = sync.row(1)
    sync.add(1)
    qtbot.waitUntil(lambda: table.model().rowCount() == 3, timeout=10_000)
    assert cell(table, 1, 1) == "Finished"

    sync.add(1)
    sync.running = False  # it ends, and its last file came with the end
    qtbot.waitUntil(lambda: table.model().rowCount() == 4, timeout=10_000)


def test_a_sync_that_is_over_is_not_looked_at_again(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 2)
    sync.running = False
    page = HistoryPage(context)
    _show(page, qtbot, 2)
    asked = len(sync.asked)

    for _ in range(3):
        page._look_if_running()
        qtbot.wait(20)

    assert len(sync.asked) == asked


def test_a_look_reads_only_what_is_new_or_under_way(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 3_000)
    page = HistoryPage(context)
    table = _show(page, qtbot, 500)
    sync.asked.clear()

    sync.add(2)
    page._of_sync.look()
    qtbot.waitUntil(lambda: table.model().rowCount() == 502)
    assert [(args["known"], args["after"]) for args in sync.asked] == [(3_000, 3_000)]

    sync.rows[2_990] = sync.row(2_990, "Syncing")
    page._of_sync.refresh()
    place = 3_001 - 2_990
    qtbot.waitUntil(lambda: cell(table, place, 1) == "Syncing")
    sync.rows[2_990] = sync.row(2_990)
    sync.asked.clear()
    qtbot.waitUntil(lambda: not page._of_sync.is_asking)
    page._of_sync.look()
    qtbot.waitUntil(lambda: cell(table, place, 1) == "Finished")
    assert [args["after"] for args in sync.asked] == [0]


def test_older_files_come_as_somebody_scrolls_to_them(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 100_000)
    page = HistoryPage(context)
    table = _show(page, qtbot, 500)
    assert len(sync.asked) == 1

    table.scrollToBottom()
    qtbot.waitUntil(lambda: table.model().rowCount() == 1_000)
    sync.add(40)  # offsets of older rows stay what they were
    press(page, "history.refresh")
    qtbot.waitUntil(lambda: table.model().rowCount() == 1_040)
    table.scrollToBottom()
    qtbot.waitUntil(lambda: table.model().rowCount() == 1_540)

    names = [cell(table, row) for row in range(1_540)]
    assert names == [f"file {number}" for number in range(100_039, 98_499, -1)]


def test_files_that_are_gone_from_the_server_go(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 20)
    page = HistoryPage(context)
    table = _show(page, qtbot, 20)
    table.selectRow(4)

    del sync.rows[17], sync.rows[3]
    press(page, "history.refresh")

    qtbot.waitUntil(lambda: table.model().rowCount() == 18)
    assert [cell(table, row) for row in (1, 2, 3)] == ["file 18", "file 16", "file 15"]
    assert table.selected_ranges() == [(3, 3)]


def test_rows_out_of_order_and_twice_are_sorted_and_shown_once(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 6)
    rows = sync.rows
    sync.rows = [rows[number] for number in (3, 0, 5, 1, 5, 2, 4)]
    page = HistoryPage(context)
    table = _show(page, qtbot, 6)

    assert [cell(table, row) for row in range(6)] == [f"file {row}" for row in (5, 4, 3, 2, 1, 0)]


def test_a_failing_look_leaves_the_rows_and_trying_again_while_it_fails_is_not_lost(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 3)
    page = HistoryPage(context)
    table = _show(page, qtbot, 3)
    good = dict(engine.answers)
    engine.answers["history_of_sync"] = _unreachable
    press(page, "history.refresh")
    qtbot.waitUntil(lambda: "no route" in text(page, "history.banner.text"))
    assert table.model().rowCount() == 3

    sync.running = page._of_sync.is_running = False  # no look of its own sees to it
    gate = Gate(engine, "history_of_sync")
    press(page, "history.tryAgain")
    qtbot.waitUntil(lambda: gate.reached == 1)
    page._ran = False
    engine.answers.update(good)
    sync.add(1)
    press(page, "history.tryAgain")
    gate.let_through()

    qtbot.waitUntil(lambda: table.model().rowCount() == 4)
    qtbot.waitUntil(lambda: text(page, "history.banner.text") == "")


def test_a_failure_is_no_sync_without_files(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["history_of_sync"] = _unreachable
    page = HistoryPage(context)
    open_page(page, qtbot)
    page.show_sync("local", 7, "nightly")

    qtbot.waitUntil(lambda: "no route" in text(page, "history.banner.text"))
    assert page._sync_empty._title.text() == "Nothing to show"


def test_the_row_with_the_keyboard_stays_marked_when_rows_come_above_it(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    sync = OneSync(engine, 20)
    page = HistoryPage(context)
    table = _show(page, qtbot, 20)
    table.activateWindow()
    table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(table.hasFocus)
    table.selectRow(2)

    sync.add(5)
    press(page, "history.refresh")

    qtbot.waitUntil(lambda: table.model().rowCount() == 25)
    assert table.currentIndex().row() == 7
    assert table._delegate.focus_row == 7


def test_the_whole_history_is_looked_at_anew_on_the_way_back(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    OneSync(engine, 3)
    page = HistoryPage(context)
    _show(page, qtbot, 3)
    qtbot.waitUntil(lambda: not page._rows.is_asking)
    page._looking.stop()
    counted = engine.commands().count("count_rows")
    press(page, "history.allFiles")
    qtbot.waitUntil(lambda: engine.commands().count("count_rows") == counted + 1)

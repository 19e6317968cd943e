"""Columns of the lists: what stands in them is whole in every language, at every size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QTableView
from pytestqt.qtbot import QtBot

from app.composition import resources_folder
from app.ui.application import context_of, speak
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink
from app.ui.history.history_model import HistoryModel
from app.ui.history.history_page import HistoryPage
from app.ui.jobs.jobs_model import JobsModel
from app.ui.jobs.jobs_page import JobsPage
from app.ui.tables.cell_table import CellTable
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import ServerRows
from app.ui.theme import Theme
from embedded_server.contract import SyncStatus
from tests.gui.jobs.served import OneSync, Server, open_page
from tests.support.fake_engine import FakeEngine

NARROW, WIDE = 872, 1096  # what is left of a window of 960 and of 1280 beside its sidebar


@pytest.fixture(params=["en", "vi"])
def spoken(
    qapp: QApplication, theme: Theme, link: EngineLink, request: pytest.FixtureRequest
) -> Iterator[UiContext]:
    translator = speak(qapp, resources_folder(), request.param)
    yield context_of(theme, link)
    qapp.removeTranslator(translator)
    QLocale.setDefault(QLocale("en_US"))


def _titles(table: QTableView) -> list[int]:
    return [
        number for number in range(table.model().columnCount()) if not table.isColumnHidden(number)
    ]


def _room_of_pill(table: CellTable, column: int) -> int:
    """As the delegate paints it: its pads, the pill's ends and its icon."""
    return table.columnWidth(column) - 20 - 18 - 19


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_status_is_whole_and_nothing_lies_beyond_the_edge(
    spoken: UiContext, engine: FakeEngine, qtbot: QtBot, width: int
) -> None:
    Server(engine, 3)
    page = JobsPage(spoken)
    table = open_page(page, qtbot)
    page.resize(width, 600)
    qtbot.waitUntil(lambda: table.model().rowCount() == 3)
    assert isinstance(table, CellTable)

    metrics = table.fontMetrics()
    texts = [spoken.states.sync_status(status).text for status in SyncStatus]
    widest = max(metrics.horizontalAdvance(text) for text in texts)
    assert widest <= _room_of_pill(table, 1)
    qtbot.waitUntil(lambda: table.horizontalScrollBar().maximum() == 0)
    shown = set(_titles(table))
    assert {0, 1, 3, 4, 6, 7} <= shown  # name, status, path, start and the counts always
    assert shown == set(range(9)) if width == WIDE else 8 not in shown


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_files_of_a_sync_fit_as_well(
    spoken: UiContext, engine: FakeEngine, qtbot: QtBot, width: int
) -> None:
    OneSync(engine, 3)
    page = HistoryPage(spoken)
    open_page(page, qtbot)
    page.show_sync("local", 7, "nightly")
    page.resize(width, 600)
    table = page.findChild(CellTable, "history.syncTable")
    assert table is not None
    qtbot.waitUntil(lambda: table.model().rowCount() == 3)
    qtbot.waitUntil(lambda: table.horizontalScrollBar().maximum() == 0)
    texts = [spoken.states.sync_status(status).text for status in SyncStatus]
    widest = max(table.fontMetrics().horizontalAdvance(text) for text in texts)
    assert widest <= _room_of_pill(table, 1)
    assert table.columnWidth(0) >= 170


def test_a_long_name_ends_in_the_middle_and_its_tool_tip_has_it_all(
    context: UiContext,
) -> None:
    row = {"name": "n" * 300, "path": "/p" * 200, "file_name": "f" * 255, "sync_status": ""}
    rows = ServerRows(context.link, "sync_jobs")
    models: tuple[tuple[ServerModel, tuple[int, ...]], ...] = (
        (JobsModel(context, rows), (0, 3)),
        (HistoryModel(context, rows), (0,)),
    )
    for model, columns in models:
        for column in columns:
            cell = model.row_cell(row, column)
            assert cell.middle
            assert len(cell.text) > 250


def test_columns_come_back_when_there_is_room_again(
    context: UiContext, engine: FakeEngine, qtbot: QtBot
) -> None:
    Server(engine, 3)
    page = JobsPage(context)
    table = open_page(page, qtbot)
    page.resize(700, 500)
    qtbot.waitUntil(lambda: len(_titles(table)) < 8)
    page.resize(1300, 500)
    qtbot.waitUntil(lambda: len(_titles(table)) == 9)

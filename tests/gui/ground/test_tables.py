"""Tables of many rows: pages fetched as they come into sight; rows chosen, copied, opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAccessible, QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.ui.tables.cell import Cell, Column
from app.ui.tables.cell_model import CellModel
from app.ui.tables.cell_table import CellTable
from app.ui.tables.paged_rows import OnRows, PagedRows
from app.ui.theme import Theme
from app.ui.tokens import Tone


class _Source:
    """Answers fetches when told to."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.version = 0
        self.asked: list[tuple[int, int, OnRows]] = []

    def fetch(self, first: int, count: int, on_rows: OnRows) -> None:
        self.asked.append((first, count, on_rows))

    def answer(self) -> None:
        """The oldest request."""
        first, count, on_rows = self.asked.pop(0)
        last = min(first + count, self.count)
        on_rows([f"{row}.{self.version}" for row in range(first, last)])


def test_a_row_that_is_not_here_is_fetched_with_its_page(qtbot: QtBot) -> None:
    source = _Source(1_000)
    rows = PagedRows(source.fetch, page_rows=100)
    arrived: list[tuple[int, int]] = []
    rows.arrived.connect(lambda first, last: arrived.append((first, last)))

    assert rows.row(250) is None
    assert rows.row(251) is None
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()

    assert arrived == [(200, 299)]
    assert rows.row(250) == "250.0"
    assert rows.known(0) is None


def test_pages_that_scrolled_past_are_not_fetched(qtbot: QtBot) -> None:
    source = _Source(100_000)
    rows = PagedRows(source.fetch, page_rows=100)

    for row in range(0, 100_000, 100):  # a drag of the scroll bar from top to end
        rows.row(row)
    qtbot.waitUntil(lambda: len(source.asked) == 2)
    while source.asked:
        source.answer()
        qtbot.wait(5)

    assert rows.known(99_999) is not None  # where it came to rest
    fetched = [row for row in range(0, 100_000, 100) if rows.known(row) is not None]
    assert len(fetched) < 10


def test_a_page_that_is_refreshed_keeps_its_rows_until_the_new_ones_are_here(
    qtbot: QtBot,
) -> None:
    source = _Source(100)
    rows = PagedRows(source.fetch, page_rows=100)
    rows.row(0)
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()

    source.version = 1
    rows.refresh(0, 20)
    assert rows.row(5) == "5.0"
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()
    assert rows.row(5) == "5.1"


@pytest.mark.parametrize("fails", [False, True])
def test_a_refresh_fetches_again_what_is_under_way_when_it_is_told_to(
    qtbot: QtBot, fails: bool
) -> None:
    source = _Source(100)
    rows = PagedRows(source.fetch, page_rows=100)
    rows.row(0)
    qtbot.waitUntil(lambda: len(source.asked) == 1)

    rows.refresh(0, 20)
    rows.refresh(0, 20, again=True)
    first = source.asked.pop(0)[2]
    source.version = 1
    first(None if fails else ["old"] * 100)

    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()
    assert rows.row(5) == "5.1"
    assert not rows.is_fetching


def test_answers_to_what_was_asked_before_a_change_no_longer_count(qtbot: QtBot) -> None:
    source = _Source(100)
    rows = PagedRows(source.fetch, page_rows=100)
    rows.row(0)
    qtbot.waitUntil(lambda: len(source.asked) == 1)

    rows.clear()
    source.answer()

    assert rows.known(0) is None


def test_few_pages_are_kept_and_those_in_use_stay(qtbot: QtBot) -> None:
    source = _Source(10_000)
    rows = PagedRows(source.fetch, page_rows=100, keep=3)
    for row in (0, 100, 0, 200, 0, 300):
        rows.row(row)
        qtbot.wait(5)
        while source.asked:
            source.answer()

    assert rows.known(0) is not None
    assert rows.known(300) is not None
    assert rows.known(100) is None


def test_a_fetch_that_failed_is_told_and_tried_again_when_looked_at(qtbot: QtBot) -> None:
    source = _Source(100)
    rows = PagedRows(source.fetch, page_rows=100)
    failed: list[bool] = []
    rows.failed.connect(lambda: failed.append(True))
    rows.row(0)
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.asked.pop(0)[2](None)
    assert failed

    rows.row(0)

    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()
    assert rows.row(0) == "0.0"


def test_a_page_that_grew_is_fetched_again(qtbot: QtBot) -> None:
    source = _Source(50)
    rows = PagedRows(source.fetch, page_rows=100)
    rows.row(0)
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()

    source.count = 80
    assert rows.row(70) is None
    qtbot.waitUntil(lambda: len(source.asked) == 1)
    source.answer()
    assert rows.row(70) == "70.0"


class _Numbers(CellModel):
    def __init__(self, count: int) -> None:
        super().__init__((Column("Number", 100, right=True), Column("State", 140, stretch=True)))
        self.count = count
        self.painted: list[int] = []

    def row_count(self) -> int:
        return self.count

    def cell(self, row: int, column: int) -> Cell:
        self.painted.append(row)
        if column == 0:
            return Cell(str(row))
        return Cell("50 %", progress=0.5, spoken=f"row {row}, half done", tone=Tone.ACCENT)


def _shown_table(qtbot: QtBot, theme: Theme, count: int) -> tuple[CellTable, _Numbers]:
    model = _Numbers(count)
    table = CellTable(theme, model)
    qtbot.addWidget(table)
    table.resize(400, 300)
    table.show()
    qtbot.waitExposed(table)
    return table, model


def _shown_rows(model: _Numbers) -> Sequence[int]:
    return sorted(set(model.painted))


def test_only_rows_on_screen_are_asked_for(qtbot: QtBot, theme: Theme) -> None:
    table, model = _shown_table(qtbot, theme, 1_000_000)
    table.grab()
    assert len(_shown_rows(model)) < 20

    model.painted.clear()
    table.scrollToBottom()
    table.grab()
    assert set(_shown_rows(model)) & {999_999}
    assert min(_shown_rows(model)) > 999_900
    first, last = table.visible_rows()
    assert (first > 999_900, last) == (True, 999_999)


def test_a_million_rows_are_chosen_as_one_range(qtbot: QtBot, theme: Theme) -> None:
    table, _ = _shown_table(qtbot, theme, 1_000_000)

    table.selectAll()

    assert table.selected_ranges() == [(0, 999_999)]


def test_chosen_rows_are_told_in_order_and_apart(qtbot: QtBot, theme: Theme) -> None:
    table, model = _shown_table(qtbot, theme, 100)
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in (9, 3, 4, 5):
        table.selectionModel().select(model.index(row, 0), flags)

    assert table.selected_ranges() == [(3, 5), (9, 9)]


def test_chosen_rows_are_copied_for_a_spreadsheet(qtbot: QtBot, theme: Theme) -> None:
    table, _ = _shown_table(qtbot, theme, 10)
    table.selectRow(2)

    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)

    assert QGuiApplication.clipboard().text() == "2\t50 %"


def test_enter_opens_the_row_with_the_keyboard(qtbot: QtBot, theme: Theme) -> None:
    table, _ = _shown_table(qtbot, theme, 10)
    opened: list[int] = []
    table.opened.connect(opened.append)
    table.setFocus()
    table.selectRow(1)

    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Return)

    assert opened == [2]


def test_the_row_with_the_keyboard_has_a_ring_around_it(qtbot: QtBot, theme: Theme) -> None:
    table, model = _shown_table(qtbot, theme, 10)
    table.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    table.setCurrentIndex(model.index(1, 0))
    rect = table.visualRect(model.index(1, 1))

    def edge() -> QColor:
        image = table.viewport().grab().toImage()
        return image.pixelColor(rect.center().x(), rect.top() + 1)

    accent = QColor(theme.tokens.accent)
    assert edge() == accent
    table.clearFocus()
    assert edge() != accent


def test_screen_readers_hear_what_a_bar_shows(qtbot: QtBot, theme: Theme) -> None:
    _, model = _shown_table(qtbot, theme, 3)
    said: Any = model.data(model.index(1, 1), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "row 1, half done"


def test_an_empty_table_shows_its_words_until_rows_come(qtbot: QtBot, theme: Theme) -> None:
    table, model = _shown_table(qtbot, theme, 0)
    words = QLabel("Nothing yet")
    table.set_empty(words)
    assert words.isVisible()

    model.beginResetModel()
    model.count = 5
    model.endResetModel()
    assert not words.isVisible()


@pytest.mark.parametrize("width", [320, 900])
def test_the_stretching_column_takes_what_is_left(qtbot: QtBot, theme: Theme, width: int) -> None:
    table, _ = _shown_table(qtbot, theme, 3)
    table.resize(width, 300)
    assert table.columnWidth(0) == 100
    assert table.columnWidth(1) == max(140, table.viewport().width() - 100)


def test_tables_are_named_for_screen_readers_by_their_page(qtbot: QtBot, theme: Theme) -> None:
    table, _ = _shown_table(qtbot, theme, 3)
    table.setAccessibleName("Files")
    interface = QAccessible.queryAccessibleInterface(table)
    assert interface is not None
    assert interface.text(QAccessible.Text.Name) == "Files"

"""The table of a job's files as they are found, removed and looked at by state; by their numbers.

The engine is a scripted one that holds a list of files, as the journal does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex
from pytestqt.qtbot import QtBot

from app.domain.queue_item import ItemState
from app.domain.snapshots import ActiveTransfer, as_ranges
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.upload.queue_model import QueueColumn
from app.ui.upload.queue_table import QueueTable
from tests.support.fake_engine import FakeEngine, snapshot

_FAILED = frozenset({ItemState.FAILED})


class Files:
    """What a job has, by item number; answers as the engine's commands do."""

    def __init__(self, engine: FakeEngine, job_id: int = 1) -> None:
        self.states: dict[int, str] = {}
        self.looked_after: list[int] = []  # item numbers behind which the window looked
        self.read: list[Any] = []  # ranges of item numbers, as they were asked for
        self._engine = engine
        self._job_id = job_id
        self._rows_version = 0
        engine.answers["item_ranges"] = self._ranges
        engine.answers["items_at"] = self._items
        engine.answers["remove_items"] = self._remove

    def add(self, *numbers: int, state: str = "queued") -> None:
        self.states |= dict.fromkeys(numbers, state)

    def drop(self, *numbers: int) -> None:
        for number in numbers:
            del self.states[number]
        self._rows_version += 1

    def tell(self, state: JobState = JobState.DRAFT, **changes: Any) -> None:
        """The job as it stands now."""
        failed = sum(each == "failed" for each in self.states.values())
        fields = {"files": len(self.states), "files_failed": failed} | changes
        job = snapshot(state, job_id=self._job_id, rows_version=self._rows_version, **fields)
        self._engine.show(job)

    def _ranges(self, args: dict[str, Any]) -> dict[str, Any]:
        wanted = args["states"]
        found = self._found(args["after"], wanted)
        self.looked_after.append(args["after"])
        return found

    def _found(self, after: int, wanted: list[str] | None) -> dict[str, Any]:
        numbers = (
            number
            for number, state in sorted(self.states.items())
            if number > after and (wanted is None or state in wanted)
        )
        return {"ranges": as_ranges(numbers)}

    def _items(self, args: dict[str, Any]) -> dict[str, Any]:
        self.read.append(args["ranges"])
        numbers = [number for first, last in args["ranges"] for number in range(first, last + 1)]
        return {"items": [_row(n, self.states[n]) for n in numbers if n in self.states]}

    def _remove(self, args: dict[str, Any]) -> dict[str, Any]:
        for first, last in args["ranges"]:
            self.drop(*(number for number in range(first, last + 1) if number in self.states))
        self.tell()
        return {"removed": 1}


def _row(number: int, state: str) -> dict[str, Any]:
    return {
        "item_id": number,
        "source": f"/in/{number}.csv",
        "lake_path": f"/data/x/{number}.csv",
        "folder": "/data/x",
        "name": f"{number}.csv",
        "size_bytes": 16,
        "state": state,
        "assurance": "none",
        "tries": 0,
        "message": "It is gone." if state == "failed" else "",
        "problem": "",
        "sha256": "",
    }


@pytest.fixture
def files(engine: FakeEngine) -> Files:
    return Files(engine)


@pytest.fixture
def table(context: UiContext, qtbot: QtBot) -> QueueTable:
    table = QueueTable(context)
    qtbot.addWidget(table)
    table.resize(1200, 600)
    table.show()
    qtbot.waitExposed(table)
    return table


def _show(table: QueueTable, context: UiContext, qtbot: QtBot, job_id: int = 1) -> None:
    qtbot.waitUntil(lambda: job_id in context.link.jobs)
    table.show_job(job_id)


def _names(table: QueueTable) -> list[str]:
    queue = table.queue
    return [queue.cell(row, QueueColumn.NAME).text for row in range(queue.rowCount())]


def _wait_for(table: QueueTable, qtbot: QtBot, numbers: Sequence[int]) -> None:
    wanted = [f"{number}.csv" for number in numbers]
    qtbot.waitUntil(lambda: _names(table) == wanted)


def _select(table: QueueTable, *rows: int) -> None:
    flags = QItemSelectionModel.SelectionFlag
    for row in rows:
        index = table.queue.index(row, 0)
        table.selectionModel().select(index, flags.Select | flags.Rows)


def test_found_files_are_appended_and_what_is_chosen_stays(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1, 2, 3)
    files.tell(intake_done=False)
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1, 2, 3])
    _select(table, 1)
    resets: list[int] = []
    inserted: list[tuple[int, int]] = []
    table.queue.modelReset.connect(lambda: resets.append(1))

    def note(_: QModelIndex, first: int, last: int) -> None:
        inserted.append((first, last))

    table.queue.rowsInserted.connect(note)
    files.add(4, 5, 9)  # others are another job's
    files.tell()

    _wait_for(table, qtbot, [1, 2, 3, 4, 5, 9])
    assert inserted == [(3, 5)]
    assert resets == []
    assert table.selected_item_ranges() == [(2, 2)]


def test_files_that_are_counted_before_they_can_be_read_are_looked_for_again(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1)
    files.tell()
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1])

    files.tell(files=3)  # no further news comes
    qtbot.waitUntil(lambda: files.looked_after.count(1) == 1)  # for those behind the first
    files.add(2, 3)

    _wait_for(table, qtbot, [1, 2, 3])


def test_a_removal_keeps_what_is_chosen_by_its_number(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(*range(1, 13))
    files.tell()
    _show(table, context, qtbot)
    _wait_for(table, qtbot, range(1, 13))
    _select(table, 4, 5, 6, 8, 10, 11)  # the files 5 to 7, 9, and 11 to 12

    files.drop(1, 5, 9, 12)
    files.tell()

    _wait_for(table, qtbot, [2, 3, 4, 6, 7, 8, 10, 11])
    qtbot.waitUntil(lambda: table.selected_item_ranges() == [(6, 7), (11, 11)])


def test_the_chosen_files_are_removed_by_their_numbers(
    table: QueueTable, files: Files, engine: FakeEngine, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1, 2, 5, 6, 9)
    files.tell()
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1, 2, 5, 6, 9])
    _select(table, 1, 2, 4)

    table.remove_selected()

    _wait_for(table, qtbot, [1, 6])
    assert engine.args_of("remove_items")["ranges"] == [[2, 2], [5, 5], [9, 9]]
    assert table.selected_item_ranges() == []


def test_only_failed_files_are_shown_and_newly_failed_ones_join_them(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1, 3, 4)
    files.add(2, 5, state="failed")
    files.tell(JobState.UPLOADING)
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1, 2, 3, 4, 5])
    _select(table, 1, 2)

    table.show_only(_FAILED)
    _wait_for(table, qtbot, [2, 5])
    assert table.selected_item_ranges() == [(2, 2)]  # what cannot be seen is not chosen

    files.add(4, state="failed")
    files.tell(JobState.UPLOADING)
    _wait_for(table, qtbot, [2, 4, 5])
    assert table.selected_item_ranges() == [(2, 2)]

    table.show_only(None)
    _wait_for(table, qtbot, [1, 2, 3, 4, 5])
    assert table.selected_item_ranges() == [(2, 2)]


def test_the_place_in_sight_stays_when_rows_above_it_go(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(*range(1, 301))
    files.tell()
    _show(table, context, qtbot)
    qtbot.waitUntil(lambda: table.queue.rowCount() == 300)
    table.verticalScrollBar().setValue(200 * table.rowHeight(0))
    assert table.queue.id_at(table.visible_rows()[0]) == 201

    files.drop(*range(1, 51))
    files.tell()

    qtbot.waitUntil(lambda: table.queue.rowCount() == 250)
    assert table.queue.id_at(table.visible_rows()[0]) == 201


def test_an_answer_about_the_job_before_is_not_taken_for_this_one(
    table: QueueTable, engine: FakeEngine, context: UiContext, qtbot: QtBot
) -> None:
    may_answer = threading.Event()
    asked_first = threading.Event()

    def ranges(args: dict[str, Any]) -> dict[str, Any]:
        if args["job_id"] == 1:
            asked_first.set()
            assert may_answer.wait(30)
            return {"ranges": [[1, 7]]}
        return {"ranges": [[21, 22]]}

    engine.answers["item_ranges"] = ranges
    engine.show(snapshot(job_id=1, files=7), snapshot(job_id=2, files=2))
    _show(table, context, qtbot, 1)
    qtbot.waitUntil(asked_first.is_set)
    _show(table, context, qtbot, 2)
    qtbot.waitUntil(lambda: table.queue.rowCount() == 2)

    may_answer.set()
    answered: list[int] = []
    context.link.ask("items_at", lambda _: answered.append(1), job_id=2, ranges=[])
    qtbot.waitUntil(lambda: bool(answered))
    engine.show(snapshot(job_id=2, files=2, bytes=31))
    qtbot.waitUntil(lambda: context.link.jobs[2].bytes == 31)

    assert table.queue.rowCount() == 2
    assert table.queue.id_at(0) == 21


def test_what_moves_is_laid_over_the_stored_rows(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1, 2, 3, 4)
    files.add(1, state="uploaded")
    files.tell(JobState.UPLOADING)
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1, 2, 3, 4])

    moving = ActiveTransfer("/data/x", 2, 50, 100, ((1, 3),))
    files.tell(JobState.UPLOADING, active=(moving,), waiting=((4, "The server is busy."),))
    queue = table.queue

    def states() -> list[str]:
        return [queue.cell(row, QueueColumn.STATE).text for row in range(4)]

    qtbot.waitUntil(lambda: states() == ["Uploaded", "Uploading", "Uploading", "Waiting"])
    assert queue.cell(0, QueueColumn.PROGRESS).progress == 1.0  # settled: it moves no more
    assert queue.cell(1, QueueColumn.PROGRESS).progress == 0.5
    assert queue.cell(3, QueueColumn.MESSAGE).text == "The server is busy."


def test_only_cells_in_sight_that_move_are_painted_anew(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(*range(1, 1_001))
    files.tell(JobState.UPLOADING)
    _show(table, context, qtbot)
    qtbot.waitUntil(lambda: table.queue.rowCount() == 1_000)
    table.verticalScrollBar().setValue(300 * table.rowHeight(0))
    first, last = table.visible_rows()
    assert first == 300
    told: list[tuple[int, int, int, int]] = []

    def note(start: QModelIndex, end: QModelIndex) -> None:
        told.append((start.row(), end.row(), start.column(), end.column()))

    table.queue.dataChanged.connect(note)
    far = ActiveTransfer("/data/x", 100, 50, 100, ((1, 50), (601, 700)))
    near = ActiveTransfer("/data/x", 100, 50, 100, ((303, 402),))
    files.tell(JobState.UPLOADING, active=(far,), bytes_sent=1)
    qtbot.waitUntil(lambda: context.link.jobs[1].bytes_sent == 1)
    of_moves = [each for each in told if each[2] > 0]
    assert of_moves == []

    files.tell(JobState.UPLOADING, active=(near,), bytes_sent=2)
    qtbot.waitUntil(lambda: context.link.jobs[1].bytes_sent == 2)
    of_moves = [each for each in told if each[2] > 0]
    assert of_moves == [
        (302, last, QueueColumn.STATE, QueueColumn.SPEED),
        (302, last, QueueColumn.MESSAGE, QueueColumn.MESSAGE),
    ]


def test_rows_that_come_back_as_they_were_are_not_painted_anew(
    table: QueueTable, files: Files, context: UiContext, qtbot: QtBot
) -> None:
    files.add(1, 2, 3)
    files.tell()
    _show(table, context, qtbot)
    _wait_for(table, qtbot, [1, 2, 3])
    told: list[tuple[int, int]] = []

    def note(start: QModelIndex, end: QModelIndex) -> None:
        told.append((start.row(), end.row()))

    table.queue.dataChanged.connect(note)
    asked = len(files.read)
    files.tell(files_failed=1)  # something settled: the rows in sight are looked at again
    qtbot.waitUntil(lambda: len(files.read) > asked)
    answered: list[int] = []
    context.link.ask("items_at", lambda _: answered.append(1), job_id=1, ranges=[])
    qtbot.waitUntil(lambda: bool(answered))
    qtbot.waitUntil(lambda: table.queue.cell(0, QueueColumn.STATE).text == "Queued")
    assert told == []

    files.add(2, state="failed")
    files.tell(files_cancelled=1)  # and something else settled
    qtbot.waitUntil(lambda: table.queue.cell(1, QueueColumn.STATE).text == "Failed")
    assert told == [(0, 2)]

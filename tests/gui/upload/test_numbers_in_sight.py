"""Footer, table and cards: how far each job is, in numbers that are never cut."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QProgressBar
from pytestqt.qtbot import QtBot

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.upload.job_list import JobList
from app.ui.upload.queue_model import QueueColumn
from app.ui.upload.queue_table import QueueTable
from app.ui.upload.upload_page import UploadPage
from app.ui.widgets.empty_state import EmptyState
from tests.gui.upload.on_the_page import part, show, text_of
from tests.support.fake_engine import FakeEngine, snapshot


def test_count_and_size_are_always_in_sight(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    page.resize(760, 560)
    many: dict[str, Any] = {"job_id": 3, "files": 20_518, "bytes": 161_000_000_000}
    jobs = [
        snapshot(intake_done=False, files_left_out=1_204, **many),
        snapshot(JobState.UPLOADING, files_arrived=20_000, bytes_sent=10**9, **many),
        snapshot(
            JobState.NEEDS_ATTENTION, files_arrived=20_515, files_failed=3, bytes_sent=1, **many
        ),
    ]
    for job in jobs:
        show(page, engine, qtbot, job)
        QApplication.processEvents()
        totals, pace = (part(page, QLabel, name) for name in ("upload.totals", "upload.pace"))
        assert "20,518 files" in totals.text()
        assert "161.0 GB" in totals.text() + pace.text()
        for label in (totals, pace):
            assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()


def test_speed_and_time_left_are_told_while_it_runs(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    runs: dict[str, Any] = {"job_id": 3, "bytes": 10_000_000_000, "bytes_sent": 4_000_000_000}
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, speed_bytes_s=100_000_000, **runs))
    assert text_of(page, "upload.pace") == "4.0 GB of 10.0 GB · 100.0 MB/s · 1 min 00 s left"
    bar = part(page, QProgressBar, "upload.progress")
    assert (bar.value(), bar.maximum()) == (400, 1000)

    waits = snapshot(JobState.UPLOADING, waiting_reason="The server is busy.", **runs)
    show(page, engine, qtbot, waits)
    assert text_of(page, "upload.pace") == "4.0 GB of 10.0 GB · The server is busy."

    show(page, engine, qtbot, snapshot(JobState.PAUSED, speed_bytes_s=100_000_000, **runs))
    assert text_of(page, "upload.pace") == "4.0 GB of 10.0 GB"


def test_the_time_left_does_not_jump(page: UploadPage, engine: FakeEngine, qtbot: QtBot) -> None:
    def left(speed: float, job_id: int = 3) -> str:
        job = snapshot(JobState.UPLOADING, job_id=job_id, bytes=1_000_000_000, speed_bytes_s=speed)
        show(page, engine, qtbot, job)
        return text_of(page, "upload.pace").rpartition(" · ")[2]

    assert left(10_000_000) == "1 min 40 s left"
    assert left(5_000_000) == "2 min 00 s left"  # a fifth of the way to 200 s
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=4))
    page.choose_job(4)
    assert left(5_000_000, 4) == "3 min 20 s left"  # another job begins anew


def test_a_draft_without_files_says_so_and_one_that_is_looked_through_too(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    empty = part(page, EmptyState, "upload.noFiles")
    show(page, engine, qtbot, snapshot(job_id=3, files=0, bytes=0))
    assert (empty.isVisible(), empty.words) == (True, "No files yet")

    show(page, engine, qtbot, snapshot(job_id=3, files=0, bytes=0, intake_done=False))
    assert empty.words == "Looking for files…"
    assert text_of(page, "upload.pace") == "Looking for files…"

    show(page, engine, qtbot, snapshot(job_id=3, files=2))
    assert empty.words == ""


def test_messages_stand_beside_the_state_where_files_failed(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def in_sight() -> bool:
        table = part(page, QueueTable, "upload.table")
        column = int(QueueColumn.MESSAGE)
        right = table.columnViewportPosition(column) + table.columnWidth(column)
        return right <= table.viewport().width()

    show(page, engine, qtbot, snapshot(JobState.NEEDS_ATTENTION, job_id=3, files_failed=1))
    assert in_sight()
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=3))
    assert not in_sight()
    show(page, engine, qtbot, snapshot(JobState.UPLOADING, job_id=3, files_failed=1))
    assert in_sight()


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (snapshot(files=1_204), "nightly, Not started, 1,204 files"),
        (snapshot(intake_done=False), "nightly, Looking for files…, 2 files"),
        (snapshot(JobState.UPLOADING, files_arrived=1), "nightly, Uploading, 1 of 2 files"),
        (snapshot(JobState.FINISHED, files_arrived=2), "nightly, Finished, 2 files"),
        (
            snapshot(JobState.NEEDS_ATTENTION, files_arrived=1, files_failed=1),
            "nightly, Needs attention, 1 failed",
        ),
        (snapshot(name="a\u202eb"), "a\\u202eb, Not started, 2 files"),
    ],
)
def test_a_card_tells_name_state_and_extent(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: JobSnapshot, told: str
) -> None:
    show(page, engine, qtbot, job)
    model = part(page, JobList, "upload.jobList").model()
    assert model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == told


def test_the_newest_job_comes_first_and_what_is_removed_is_gone(
    page: UploadPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    for number in (2, 5, 1, 4):
        show(page, engine, qtbot, snapshot(job_id=number, name=f"job {number}"))
    model = part(page, JobList, "upload.jobList").model()

    def names() -> list[str]:
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    assert names() == ["job 5", "job 4", "job 2", "job 1"]
    page.choose_job(4)
    engine.forget(4)
    qtbot.waitUntil(lambda: names() == ["job 5", "job 2", "job 1"])
    assert part(page, QLineEdit, "upload.name").text() == "job 2"  # the one beside
    engine.forget(1, 2, 5)
    qtbot.waitUntil(lambda: names() == [])

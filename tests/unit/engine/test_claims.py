"""Work handed out once, and given back once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import LakeFull, LakeUnreachable
from app.domain.queue_item import FoundFile, ItemState, QueueItem
from app.domain.upload_job import UploadJob
from app.engine.claims import BatchLimits, Claims
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType

IN_A_YEAR_S = 3e7


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def now_ms(self) -> int:
        return int(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


def fill(journal: SqliteJournal, *sizes: int) -> int:
    job = journal.add_job(UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "n"))
    found = [FoundFile(f"/{i}", "", str(i), size, 0) for i, size in enumerate(sizes)]
    journal.add_items(job.job_id, found, [])
    return job.job_id


def names(unit: list[QueueItem] | None) -> list[str]:
    assert unit is not None
    return [item.name for item in unit]


def in_flight(unit: list[QueueItem] | None) -> QueueItem:
    assert unit is not None
    return unit[0].moved_to(ItemState.UPLOADING)


def test_every_item_goes_out_once_whatever_the_number_of_workers(journal: SqliteJournal) -> None:
    job_id = fill(journal, *[1] * 3_500)  # more than three pages
    claims = Claims(journal, job_id, BatchLimits(7, 100, 10), SystemClock())
    taken: list[int] = []

    def work() -> None:
        while (unit := claims.next()) is not None:
            taken.extend(item.item_id for item in unit)
            claims.settle(len(unit))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(taken) == 3_500
    assert len(set(taken)) == 3_500


def test_a_batch_ends_before_what_does_not_fit(journal: SqliteJournal) -> None:
    job_id = fill(journal, 4, 4, 4, 50, 4, 4, 4, 4)
    claims = Claims(journal, job_id, BatchLimits(3, 10, 10), HandClock())
    units = [names(claims.next()) for _ in range(5)]
    assert units == [["0", "1"], ["2"], ["3"], ["4", "5"], ["6", "7"]]


def test_without_batches_each_file_goes_alone(journal: SqliteJournal) -> None:
    job_id = fill(journal, 0, 0)
    claims = Claims(journal, job_id, BatchLimits(), HandClock())
    assert [names(claims.next()), names(claims.next())] == [["0"], ["1"]]


def test_what_waits_goes_first_when_it_is_due_and_not_before(journal: SqliteJournal) -> None:
    clock = HandClock()
    claims = Claims(journal, fill(journal, 1, 1, 1), BatchLimits(), clock)
    item = in_flight(claims.next()).moved_to(ItemState.WAITING)
    claims.retry(item, 10.0)
    assert names(claims.next()) == ["1"]
    clock.now_s += 10.0
    assert names(claims.next()) == ["0"]
    assert names(claims.next()) == ["2"]


def test_a_worker_waits_for_what_another_may_still_give_back(journal: SqliteJournal) -> None:
    claims = Claims(journal, fill(journal, 1), BatchLimits(), SystemClock())
    unit = claims.next()
    got: list[list[QueueItem] | None] = []
    waiting = threading.Thread(target=lambda: got.append(claims.next()))
    waiting.start()
    claims.retry(in_flight(unit).moved_to(ItemState.WAITING), 0.0)
    waiting.join()
    assert names(got[0]) == ["0"]
    claims.settle()
    assert claims.next() is None


def test_a_connection_that_is_down_holds_every_file_up(journal: SqliteJournal) -> None:
    clock = HandClock()
    claims = Claims(journal, fill(journal, 1, 1), BatchLimits(), clock)
    claims.retry(in_flight(claims.next()).moved_to(ItemState.WAITING), 5.0, hold_all=True)
    got: list[list[QueueItem] | None] = []
    waiting = threading.Thread(target=lambda: got.append(claims.next()))
    waiting.start()
    claims.stop()
    waiting.join()
    assert got == [None]


def test_files_that_all_fail_are_never_all_in_memory(journal: SqliteJournal) -> None:
    clock = HandClock()
    claims = Claims(journal, fill(journal, *[1] * 2_500), BatchLimits(), clock)
    for _ in range(1_000):
        claims.retry(in_flight(claims.next()).moved_to(ItemState.WAITING), IN_A_YEAR_S)
    got: list[list[QueueItem] | None] = []
    waiting = threading.Thread(target=lambda: got.append(claims.next()))
    waiting.start()
    claims.stop()
    waiting.join()
    assert got == [None]  # not the 1,001st


def test_a_stop_wakes_all_who_wait_and_the_first_reason_stays(journal: SqliteJournal) -> None:
    claims = Claims(journal, fill(journal, 1), BatchLimits(), SystemClock())
    claims.retry(in_flight(claims.next()).moved_to(ItemState.WAITING), IN_A_YEAR_S)
    got: list[list[QueueItem] | None] = []
    workers = [threading.Thread(target=lambda: got.append(claims.next())) for _ in range(4)]
    for worker in workers:
        worker.start()
    first = LakeFull("full")
    claims.stop(first)
    claims.stop(LakeUnreachable("gone too"))
    for worker in workers:
        worker.join()
    assert got == [None] * 4
    assert claims.error is first

"""The newest rows of a lake that counts from its oldest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.engine.newest_first import newest_sync_jobs, newest_uploads
from embedded_server.contract import SyncJob, SyncStatus, SyncType, UploadRecord
from tests.support.fake_lake import FakeLake

DAY_MS = 24 * 60 * 60 * 1000
NOON_MS = 1_700_000_000_000


def job(sync_id: int, start_time: int = NOON_MS) -> SyncJob:
    return SyncJob(
        *(0, sync_id, f"sync {sync_id}", "/data/x", SyncType.FULL, SyncStatus.FINISHED),
        *(start_time, start_time + 1, 0, 0),
    )


def row(history_id: int, sync_id: int = 1, start_time: int = NOON_MS) -> UploadRecord:
    return UploadRecord(
        *(0, history_id, sync_id, f"part-{history_id}.csv", start_time, start_time + 1),
        *(SyncStatus.FINISHED, ""),
    )


def lake_of(jobs: Sequence[SyncJob] = (), history: Sequence[UploadRecord] = ()) -> FakeLake:
    lake = FakeLake(plain=True)
    lake.seed(jobs=jobs, history=history)
    return lake


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9, 999, 1000, 1001, 2049])
@pytest.mark.parametrize("newest", [1, 10, 1000, 1500])
def test_the_newest_come_first_however_many_there_are(count: int, newest: int) -> None:
    lake = lake_of([job(number + 1) for number in range(count)])
    found = [job.sync_id for job in newest_sync_jobs(lake, newest)]
    assert found == list(range(count, 0, -1))[:newest]


def test_asking_for_none_asks_nothing() -> None:
    lake = lake_of([job(1)])
    assert newest_sync_jobs(lake, 0) == []
    assert newest_uploads(lake, 0) == []
    assert lake.calls == []


def test_the_end_of_a_long_history_is_found_in_few_calls() -> None:
    lake = lake_of(history=[row(number + 1) for number in range(100_000)])
    found = newest_uploads(lake, 10)
    assert [row.history_id for row in found] == list(range(100_000, 99_990, -1))
    assert len(lake.calls_of("history")) < 2 * 17 + 5  # 2^17 is the first power beyond


def test_the_uploads_of_one_sync_are_found_among_those_of_others() -> None:
    history = [row(number + 1, sync_id=1 + number % 3) for number in range(3000)]
    lake = lake_of([job(1), job(2), job(3)], history)
    found = newest_uploads(lake, 10_000, sync_id=2)
    assert [row.history_id for row in found] == list(range(2999, 0, -3))
    assert [row.history_id for row in newest_uploads(lake, 2, sync_id=2)] == [2999, 2996]


def test_the_search_for_a_sync_s_uploads_ends_a_day_before_it_began() -> None:
    old = [row(number + 1, 1, NOON_MS - 2 * DAY_MS) for number in range(50_000)]
    young = [row(50_001 + number, 2, NOON_MS + number) for number in range(30)]
    lake = lake_of([job(1, NOON_MS - 2 * DAY_MS), job(2, NOON_MS)], old + young)
    assert len(newest_uploads(lake, 1000, sync_id=2)) == 30
    # Two one-row searches, the jobs' page, and at most two pages of the 50 there are.
    assert len(lake.calls) < 2 * 16 + 10


def test_a_row_that_a_clock_dated_an_hour_too_early_is_still_found() -> None:
    early = row(1, 2, NOON_MS - DAY_MS // 24)
    others = [row(number + 2, 1, NOON_MS - DAY_MS // 2) for number in range(1500)]
    lake = lake_of([job(1), job(2)], [early, *others])
    assert newest_uploads(lake, 10, sync_id=2) == [early]


def test_an_unknown_sync_has_no_uploads() -> None:
    lake = lake_of([job(1), job(3)], [row(1, 1)])
    assert newest_uploads(lake, 10, sync_id=2) == []
    assert newest_uploads(lake, 10, sync_id=4) == []


class GrowingLake(FakeLake):
    """Gets another row at every look, and orders no page."""

    def __init__(self, rows: list[UploadRecord]) -> None:
        super().__init__(plain=True)
        self.rows = rows

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        self.rows.append(row(len(self.rows) + 1))
        return self.rows[offset : offset + limit][::-1]


def test_rows_that_come_meanwhile_do_no_harm() -> None:
    lake = GrowingLake([row(number + 1) for number in range(1000)])
    found = [row.history_id for row in newest_uploads(lake, 20)]
    assert found == list(range(found[0], found[0] - 20, -1))
    assert found[0] >= 1000


class DeafLake(FakeLake):
    """Ignores `from`: every page is the same three rows."""

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        return [row(1), row(2), row(3)][:limit]


def test_a_server_that_ignores_from_does_not_keep_us_for_ever() -> None:
    assert [row.history_id for row in newest_uploads(DeafLake(), 10)] == [3, 2, 1]

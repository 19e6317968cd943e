"""The newest rows of a lake that counts from its oldest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.domain.errors import ContractBroken
from app.engine.newest_first import (
    HistoryStep,
    count_rows,
    newest_sync_jobs,
    newest_uploads,
    step_through_history,
)
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


class StingyLake(FakeLake):
    """Never answers more than seven rows, whatever it is asked for."""

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        return super().history(offset, min(limit, 7))


def test_a_server_with_smaller_pages_than_ours_hides_no_row() -> None:
    lake = StingyLake(plain=True)
    lake.seed(jobs=[job(1)], history=[row(number + 1) for number in range(50)])
    assert [row.history_id for row in newest_uploads(lake, 20)] == list(range(50, 30, -1))
    assert [row.history_id for row in walk(lake, 1, limit=20)] == list(range(50, 0, -1))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 1000])
@pytest.mark.parametrize("known", [0, 1, 2, 8, 999, 1000, 5000])
def test_rows_are_counted_whatever_was_known_before(count: int, known: int) -> None:
    lake = lake_of([job(number + 1) for number in range(count)])
    assert count_rows(lake.sync_jobs, known) == count


def test_counting_again_where_nothing_happened_asks_twice() -> None:
    lake = lake_of([job(number + 1) for number in range(1000)])
    assert count_rows(lake.sync_jobs, 1000) == 1000
    assert len(lake.calls_of("sync_jobs")) == 2


def test_a_list_without_an_end_is_told_in_words() -> None:
    with pytest.raises(ContractBroken, match="no end"):
        count_rows(DeafLake().history)


def walk(lake: FakeLake, sync_id: int, limit: int) -> list[UploadRecord]:
    """All steps to the end, each within its bounds."""
    found: list[UploadRecord] = []
    step = HistoryStep([], None)
    while True:
        step = step_through_history(lake, sync_id, step.before, limit)
        assert len(step.uploads) <= limit
        found += step.uploads
        if step.before is None:
            return found


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_steps_through_the_history_bring_every_upload_of_a_sync_once(limit: int) -> None:
    history = [row(number + 1, sync_id=1 + number % 20) for number in range(2500)]
    lake = lake_of([job(number + 1) for number in range(20)], history)
    assert [row.history_id for row in walk(lake, 2, limit)] == list(range(2482, 0, -20))


def test_one_step_reads_a_bounded_part_and_says_where_the_next_begins() -> None:
    history = [row(number + 1, sync_id=1 if number else 3) for number in range(30_000)]
    lake = lake_of([job(1), job(2), job(3)], history)
    first = step_through_history(lake, 3, None, 100)
    assert first == HistoryStep([], 10_000, count=30_000)
    assert len(lake.calls_of("sync_jobs")) == 1  # found at once where ids have no gaps
    pages = len(lake.calls_of("history"))
    second = step_through_history(lake, 3, first.before, 100, known=first.count)
    assert second == HistoryStep([history[0]], None, count=30_000)
    assert len(lake.calls_of("history")) == pages + 10


def test_the_steps_end_a_day_before_the_sync_began() -> None:
    old = [row(number + 1, 1, NOON_MS - 2 * DAY_MS) for number in range(5000)]
    young = [row(5001 + number, 2, NOON_MS) for number in range(30)]
    lake = lake_of([job(1, NOON_MS - 2 * DAY_MS), job(2, NOON_MS)], old + young)
    step = step_through_history(lake, 2, 5030, 1000)
    assert len(step.uploads) == 30
    assert step.before is None
    assert len(lake.calls_of("history")) == 2


def test_a_cursor_beyond_what_a_server_still_has_comes_to_an_end() -> None:
    lake = lake_of([job(1)], [row(1), row(2)])
    assert [row.history_id for row in step_through_history(lake, 1, 5000, 10).uploads] == [2, 1]


def test_a_sync_is_found_among_ids_with_gaps() -> None:
    numbers = [3, 8, 9, 11, 30, 31, 4000, 10**12]
    rows = [row(place + 1, number) for place, number in enumerate(numbers)]
    lake = lake_of([job(number) for number in numbers], rows)
    assert [walk(lake, number, 10) for number in numbers] == [[each] for each in rows]
    assert [walk(lake, number, 10) for number in (1, 10, 32, 10**12 + 1)] == [[], [], [], []]
    assert newest_uploads(lake, 10, sync_id=4000) == [rows[6]]


def test_steps_on_a_server_that_ignores_from_end() -> None:
    lake = DeafLake()
    lake.seed(jobs=[job(1)], history=[])
    assert len(walk(lake, 1, 10)) == 3


def test_a_look_for_what_was_added_reads_nothing_else() -> None:
    history = [row(number + 1) for number in range(5_000)]
    lake = lake_of([job(1)], history)
    seen = step_through_history(lake, 1, None, 10).count
    asked = len(lake.calls_of("history"))
    lake.seed(history=[row(5_001), row(5_002, sync_id=2), row(5_003)])

    step = step_through_history(lake, 1, None, 10, known=seen, after=seen)

    assert ([each.history_id for each in step.uploads], step.before) == ([5_003, 5_001], None)
    assert step.count == 5_003
    assert len(lake.calls_of("history")) - asked <= 8
    nothing = step_through_history(lake, 1, None, 10, known=5_003, after=5_003)
    assert (nothing.uploads, nothing.before) == ([], None)
    fewer = step_through_history(lake, 1, None, 10, known=9_000, after=9_000)
    assert (fewer.uploads, fewer.before, fewer.count) == ([], None, 5_003)


def test_what_was_added_comes_in_steps_as_well() -> None:
    lake = lake_of([job(1)], [row(number + 1) for number in range(50)])
    first = step_through_history(lake, 1, None, 3, after=45)
    assert ([each.history_id for each in first.uploads], first.before) == ([50, 49, 48], 47)
    second = step_through_history(lake, 1, first.before, 3, after=45)
    assert ([each.history_id for each in second.uploads], second.before) == ([47, 46], None)
    exact = step_through_history(lake, 1, None, 5, after=45)
    assert exact.before is None


@pytest.mark.parametrize("status", list(SyncStatus))
def test_a_step_tells_whether_the_sync_still_runs(status: SyncStatus) -> None:
    lake = lake_of([replace(job(1), sync_status=status)], [row(1)])
    assert step_through_history(lake, 1, None, 10).is_running is (status is SyncStatus.SYNCING)

"""Lost starts, cancelled jobs, and syncs that a server let expire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import FileRefused, LakeBroken, LakeUnreachable
from app.domain.queue_item import ItemState
from app.domain.upload_job import ENDED, JobState
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncStatus, SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import (
    DESTINATION,
    IN_A_YEAR,
    ONE_BY_ONE,
    THREE,
    House,
    in_lake,
    write_files,
)

FULL, INCREMENTAL = SyncType.FULL, SyncType.INCREMENTAL


def _statuses(lake: FakeLake) -> list[SyncStatus]:
    return [job.sync_status for job in lake.sync_jobs(0, 100)]


# A start whose answer was lost.


def test_a_lost_answer_of_a_start_leaves_no_second_sync(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("start_sync", LakeUnreachable("cut"), after=True)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=FULL)
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert len(lake.calls_of("start_sync")) == 2
    assert _statuses(lake) == [SyncStatus.FINISHED]


def test_nor_does_a_crash_before_the_answer_came(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("start_sync", LakeUnreachable("cut"), times=1, after=True)
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=FULL)
        house.sighting.wait_for(
            lambda: house.engine.snapshot(job_id).waiting_reason != "", "a start that waits"
        )
    with House(tmp_path, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert _statuses(lake) == [SyncStatus.FINISHED]


def test_two_jobs_alike_are_two_syncs(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **THREE)
        for job_id in [house.start(folder) for _ in range(2)]:
            house.wait(job_id, *ENDED)
    assert _statuses(lake) == [SyncStatus.FINISHED] * 2


# Cancelled.


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_cancel_aborts_the_sync_on_the_server(tmp_path: Path, mode: SyncType) -> None:
    lake = FakeLake()
    held = lake.hold("upload")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=mode)
        held.wait_until_reached()
        house.engine.cancel_job(job_id)
        held.release()
        ended = house.wait(job_id, *ENDED)
    assert (ended.state, ended.aborted) == (JobState.CANCELLED, True)
    assert _statuses(lake) == [SyncStatus.FAILED]
    assert lake.staged == {}


def test_a_cancel_of_a_resting_job_aborts_it_too(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("no such name"), file_name="b.csv")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=FULL)
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        house.engine.cancel_job(job_id)
        house.sighting.wait_for(lambda: house.engine.snapshot(job_id).aborted, "an abort")
    assert _statuses(lake) == [SyncStatus.FAILED]
    with House(tmp_path, lake) as house:  # and that is remembered
        assert house.engine.snapshot(job_id).aborted


@pytest.mark.parametrize("plain", [True, False])
def test_where_it_cannot_be_aborted_the_job_is_cancelled_all_the_same(
    tmp_path: Path, plain: bool
) -> None:
    lake = FakeLake(plain=plain)
    lake.fail("abort_sync", LakeBroken("it fell over"), times=100)
    held = lake.hold("upload")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        house.engine.cancel_job(job_id)
        held.release()
        ended = house.wait(job_id, *ENDED)
    assert (ended.state, ended.aborted) == (JobState.CANCELLED, False)
    assert len(lake.calls_of("abort_sync")) == (0 if plain else 1)
    assert _statuses(lake) == [SyncStatus.SYNCING]


def test_a_paused_job_and_an_engine_that_leaves_abort_nothing(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("upload")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        house.engine.pause_job(job_id)
        held.release()
        house.wait(job_id, JobState.PAUSED)
    assert lake.calls_of("abort_sync") == []
    assert _statuses(lake) == [SyncStatus.SYNCING]


# Expired.


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_job_whose_sync_expired_starts_over_and_says_so(tmp_path: Path, mode: SyncType) -> None:
    lake = FakeLake()
    held = lake.hold("upload")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=mode)
        held.wait_until_reached()
        house.engine.pause_job(job_id)
        held.release()
        house.wait(job_id, JobState.PAUSED)
        lake.expire(1)
        house.engine.resume_job(job_id)
        done = house.wait(job_id, *ENDED)
        assert set(house.states(job_id).values()) == {ItemState.UPLOADED}
    assert (done.state, done.sync_id, done.files_verified) == (JobState.FINISHED, 2, 3)
    assert "sync 1" in done.message
    assert lake.published == in_lake(**THREE)
    assert _statuses(lake) == [SyncStatus.FAILED, SyncStatus.FINISHED]
    assert sorted(set(lake.names_sent())) == ["a.csv", "b.csv", "c.csv"]


def test_one_that_expired_before_its_end_goes_again_whole(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("end_sync", LakeUnreachable("cut"))
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=FULL)
        house.sighting.wait_for(
            lambda: house.engine.snapshot(job_id).waiting_reason != "", "an end that waits"
        )
    lake.expire(1)
    with House(tmp_path, lake) as house:
        done = house.wait(job_id, *ENDED)
    assert (done.state, done.files_verified) == (JobState.FINISHED, 3)
    assert lake.published == in_lake(**THREE)


def test_a_server_that_lets_every_sync_expire_is_not_asked_for_ever(tmp_path: Path) -> None:
    class Hasty(FakeLake):
        def start_sync(
            self, name: str, path: str, sync_type: SyncType, once: str | None = None
        ) -> int:
            sync_id = super().start_sync(name, path, sync_type, once)
            self.expire(sync_id)
            return sync_id

    lake = Hasty()
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        failed = house.wait(job_id, *ENDED)
    assert (failed.state, failed.problem) == (JobState.FAILED, "SyncExpired")
    assert len(lake.calls_of("start_sync")) == 2


def test_the_key_of_a_start_is_in_the_journal_before_the_call(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("start_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        written = house.journal.job(job_id)
        held.release()
        house.wait(job_id, *ENDED)
    assert written is not None
    assert len(written.start_key) == 32
    journal = SqliteJournal(tmp_path / "journal.db")
    again = journal.job(job_id)
    journal.close()
    assert again is not None
    assert again == replace(again, start_key=written.start_key, destination=DESTINATION)

"""Pausing, resuming, and ending a sync without the files that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import FileRefused, LakeFull, LakeUnreachable, WrongUse
from app.domain.queue_item import ItemState
from app.domain.upload_job import ENDED, Consents, JobState
from app.engine.run_ports import RunSettings
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import IN_A_YEAR, ONE_BY_ONE, House, in_lake, write_files

THREE = {"a": b"1", "b": b"22", "c": b"333"}


@pytest.mark.parametrize("call", ["capabilities", "start_sync", "upload"])
def test_a_paused_job_rests_and_goes_on_under_the_same_sync(tmp_path: Path, call: str) -> None:
    lake = FakeLake()
    held = lake.hold(call)
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        held.wait_until_reached()
        house.engine.pause_job(job_id)
        held.release()
        paused = house.wait(job_id, *ENDED, JobState.PAUSED)
        house.wait_idle()
        assert (paused.state, paused.ended_at_ms, paused.active) == (JobState.PAUSED, 0, ())
        states = set(house.states(job_id).values())
        assert states <= {ItemState.QUEUED, ItemState.UPLOADED}
        house.engine.resume_job(job_id)
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)
    assert len(lake.calls_of("start_sync")) == 1
    assert lake.names_sent().count("b.csv") == lake.names_sent().count("c.csv") == 1


def test_a_pause_ends_the_wait_for_a_next_try(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload_batch", LakeUnreachable("nobody there"), times=10_000)
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.sighting.wait_for(
            lambda: len(house.engine.snapshot(job_id).waiting) == 3, "files that wait"
        )
        waiting = house.engine.snapshot(job_id)
        assert dict(waiting.waiting) == dict.fromkeys((1, 2, 3), "nobody there")
        assert waiting.next_try_at_ms > SystemClock().now_ms()
        house.engine.pause_job(job_id)
        paused = house.wait(job_id, JobState.PAUSED)
        assert (paused.waiting, paused.waiting_reason) == ((), "")
        assert paused.next_try_at_ms == 0
        assert set(house.states(job_id).values()) == {ItemState.QUEUED}


def test_a_job_that_waits_for_its_turn_is_paused_and_does_not_get_it(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("start_sync")
    with House(tmp_path, lake, settings=RunSettings(workers=1)) as house:
        folder = write_files(tmp_path / "in", **THREE)
        before = [house.start(folder) for _ in range(4)]  # as many as run at once
        held.wait_until_reached()
        job_id = house.start(folder)
        house.engine.pause_job(job_id)
        assert house.engine.snapshot(job_id).state is JobState.PAUSED
        held.release()
        for other in before:
            house.wait(other, JobState.FINISHED)
        house.wait_idle()
        assert house.engine.snapshot(job_id).state is JobState.PAUSED
        house.engine.cancel_job(job_id)
        cancelled = house.engine.snapshot(job_id)
        assert (cancelled.state, cancelled.files_cancelled) == (JobState.CANCELLED, 3)
    assert len(lake.calls_of("start_sync")) == 4


def test_a_paused_job_stays_so_in_the_next_engine(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("upload")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        house.engine.pause_job(job_id)
        held.release()
        house.wait(job_id, JobState.PAUSED)
    with House(tmp_path, lake) as house:
        assert not house.engine.is_busy
        assert house.engine.snapshot(job_id).state is JobState.PAUSED
        house.engine.resume_job(job_id)
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)


def test_a_cancel_that_follows_a_pause_wins(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("upload_batch")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        house.engine.pause_job(job_id)
        house.engine.cancel_job(job_id)
        held.release()
        assert house.wait(job_id, *ENDED).state is JobState.CANCELLED
        house.wait_idle()
        assert house.engine.snapshot(job_id).state is JobState.CANCELLED


def test_an_end_under_way_is_not_paused(tmp_path: Path) -> None:
    lake = FakeLake()
    ending = lake.hold("end_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        ending.wait_until_reached()
        with pytest.raises(WrongUse, match="cannot be interrupted"):
            house.engine.pause_job(job_id)
        ending.release()
        house.wait(job_id, JobState.FINISHED)
        with pytest.raises(WrongUse, match="finished: there is nothing to pause"):
            house.engine.pause_job(job_id)
        with pytest.raises(WrongUse, match="not paused"):
            house.engine.resume_job(job_id)


# -- finish without them -----------------------------------------------------------------------


def test_an_incremental_sync_is_ended_without_its_failed_files_when_asked(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv", times=9)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        assert house.items(job_id)["a.csv"].problem == "FileRefused"
        sent = len(lake.names_sent())
        house.engine.finish_job(job_id)
        done = house.wait(job_id, *ENDED)
        assert (done.state, done.files_failed, done.files_verified) == (JobState.FINISHED, 1, 2)
        job = house.journal.job(job_id)
        assert job is not None
        assert job.consents == Consents(end_without_failed_files=True)
    assert len(lake.names_sent()) == sent
    assert sorted(lake.published) == ["/data/x/b.csv", "/data/x/c.csv"]


def test_a_full_sync_is_never_ended_without_a_file(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv", times=9)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        with pytest.raises(WrongUse, match="never ended without"):
            house.engine.finish_job(job_id)
    assert lake.calls_of("end_sync") == []


def test_only_failed_files_can_be_left_behind(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv")
    lake.fail("upload", LakeFull("No space."), file_name="b.csv")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        with pytest.raises(WrongUse, match="cannot be finished without them"):
            house.engine.finish_job(job_id)
        house.engine.retry_job(job_id)
        house.wait(job_id, JobState.FINISHED)
        with pytest.raises(WrongUse, match="finished"):
            house.engine.finish_job(job_id)
    assert lake.published == in_lake(**THREE)


def test_the_moments_of_a_job_are_told(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        done = house.wait(job_id, JobState.FINISHED)
    assert 0 < done.created_at_ms <= done.started_at_ms <= done.ended_at_ms

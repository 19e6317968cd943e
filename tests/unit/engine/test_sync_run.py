"""A job from its start to its end, on a lake that answers as it should or does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import (
    FileRefused,
    WrongUse,
)
from app.domain.queue_item import Assurance, ItemState
from app.domain.upload_job import Consents, JobState
from app.engine.run_ports import RunSettings
from embedded_server.contract import SyncStatus, SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import AT_ONCE, DESTINATION, RESTS, THREE, House, in_lake, write_files


def test_a_full_sync_publishes_all_at_its_end_and_keeps_the_old_data(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.seed(published={f"{DESTINATION}/old.csv": b"old"})
    ending = lake.hold("end_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        ending.wait_until_reached()
        assert lake.published == {f"{DESTINATION}/old.csv": b"old"}
        ending.release()
        done = house.wait(job_id, *RESTS)

        assert done.state is JobState.FINISHED
        assert lake.published == in_lake(**THREE)
        assert list(lake.trash.values()) == [b"old"]
        assert (done.files, done.files_arrived, done.files_verified) == (3, 3, 3)
        assert (done.bytes, done.bytes_sent, done.active) == (6, 6, ())
        assert set(house.states(job_id).values()) == {ItemState.UPLOADED}
        assert {item.assurance for item in house.items(job_id).values()} == {Assurance.VERIFIED}


def test_each_file_is_sent_once_under_one_sync(tmp_path: Path) -> None:
    lake = FakeLake()
    files = {f"f{number}": b"x" * number for number in range(300)}
    with House(tmp_path, lake) as house:
        done = house.wait(house.start(write_files(tmp_path / "in", **files)), *RESTS)

    assert done.state is JobState.FINISHED
    assert lake.published == in_lake(**files)
    assert sorted(lake.names_sent()) == sorted(f"{name}.csv" for name in files)
    assert len(lake.calls_of("start_sync")) == len(lake.calls_of("end_sync")) == 1
    assert lake.job(1).num_failed == 0


def test_a_plain_server_only_acknowledges(tmp_path: Path) -> None:
    lake = FakeLake(plain=True)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        done = house.wait(job_id, *RESTS)

        assert (done.state, done.plain_server) == (JobState.FINISHED, True)
        assert (done.files_arrived, done.files_verified) == (3, 0)
        assert {item.assurance for item in house.items(job_id).values()} == {Assurance.ACKNOWLEDGED}
    assert lake.published == in_lake(**THREE)


def test_same_names_in_two_folders_go_to_a_plain_server_by_consent_only(tmp_path: Path) -> None:
    twins = {"jan__part": b"1", "feb__part": b"2"}
    lake = FakeLake(plain=True)
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **twins)
        refused = house.wait(house.start(folder), *RESTS)
        assert refused.state is JobState.FAILED
        assert "part.csv" in refused.message
        assert lake.calls_of("start_sync") == []

        agreed = Consents(same_names_on_plain_server=True)
        assert house.wait(house.start(folder, consents=agreed), *RESTS).state is JobState.FINISHED


def test_same_names_in_two_folders_are_no_question_for_a_lakedrop_server(tmp_path: Path) -> None:
    twins = {"jan__part": b"1", "feb__part": b"2"}
    with House(tmp_path) as house:
        folder = write_files(tmp_path / "in", **twins)
        assert house.wait(house.start(folder), *RESTS).state is JobState.FINISHED


def test_two_files_for_one_place_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    lake = FakeLake()
    one, two = write_files(tmp_path / "one", a=b"1"), write_files(tmp_path / "two", a=b"2")
    with House(tmp_path, lake) as house, pytest.raises(WrongUse, match=f"{DESTINATION}/a.csv"):
        house.start(one, two)
    assert lake.calls == []


def test_a_full_sync_with_a_failed_file_is_never_ended(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.seed(published={f"{DESTINATION}/old.csv": b"old"})
    lake.fail("upload", FileRefused("No such names here."), file_name="b.csv")
    agreed = Consents(end_without_failed_files=True)  # means incremental syncs only
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **THREE)
        job_id = house.start(folder, mode=SyncType.FULL, consents=agreed)
        rests = house.wait(job_id, *RESTS)

        assert rests.state is JobState.NEEDS_ATTENTION
        assert (rests.files_arrived, rests.files_failed) == (2, 1)
        assert "1 file of 3" in rests.message
        assert house.items(job_id)["b.csv"].message == "No such names here."
        assert lake.calls_of("end_sync") == []
        assert lake.published == {f"{DESTINATION}/old.csv": b"old"}

        house.engine.retry_job(job_id)  # under the same sync
        done = house.wait(job_id, JobState.FINISHED)
        assert (done.files_arrived, done.files_failed) == (3, 0)
    assert lake.published == in_lake(**THREE)
    assert len(lake.calls_of("start_sync")) == 1


@pytest.mark.parametrize("consent", [False, True])
def test_an_incremental_sync_ends_without_failed_files_by_consent_only(
    tmp_path: Path, consent: bool
) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="b.csv")
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **THREE)
        job_id = house.start(folder, consents=Consents(end_without_failed_files=consent))
        rests = house.wait(job_id, *RESTS)

    assert rests.state is (JobState.FINISHED if consent else JobState.NEEDS_ATTENTION)
    assert len(lake.calls_of("end_sync")) == consent


def test_a_file_that_vanished_after_it_was_found_keeps_a_full_sync_open(tmp_path: Path) -> None:
    lake = FakeLake()
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path, lake) as house:
        job_id = house.add(folder, mode=SyncType.FULL)
        (folder / "a.csv").unlink()
        house.engine.start_job(job_id, Consents())

        assert house.wait(job_id, *RESTS).state is JobState.NEEDS_ATTENTION
        assert house.states(job_id)["a.csv"] is ItemState.FAILED
    assert lake.calls_of("end_sync") == []


def test_an_empty_full_sync_needs_a_consent_of_its_own(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.seed(published={f"{DESTINATION}/old.csv": b"old"})
    (tmp_path / "in").mkdir()
    with House(tmp_path, lake) as house:
        job_id = house.add(tmp_path / "in", mode=SyncType.FULL)
        with pytest.raises(WrongUse, match="consent"):
            house.engine.start_job(job_id, Consents())
        assert house.engine.snapshot(job_id).state is JobState.DRAFT
        assert lake.calls == []

        house.engine.start_job(job_id, Consents(empty_full_sync=True))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.published == {}


def test_an_empty_incremental_sync_just_ends(tmp_path: Path) -> None:
    lake = FakeLake()
    (tmp_path / "in").mkdir()
    with House(tmp_path, lake) as house:
        assert house.wait(house.start(tmp_path / "in"), *RESTS).state is JobState.FINISHED
    assert lake.job(1).sync_status is SyncStatus.FINISHED


def test_a_file_that_has_grown_since_it_was_found_is_counted_as_it_is(tmp_path: Path) -> None:
    lake = FakeLake()
    folder = write_files(tmp_path / "in", **THREE)
    settings = RunSettings(batched_file_bytes=100, retry=AT_ONCE)
    with House(tmp_path, lake, settings=settings) as house:
        job_id = house.add(folder)
        (folder / "a.csv").write_bytes(b"a" * 50)
        (folder / "b.csv").write_bytes(b"b" * 5_000)  # too large for a batch by now
        house.engine.start_job(job_id, Consents())
        done = house.wait(job_id, *RESTS)

        assert (done.state, done.bytes, done.bytes_sent) == (JobState.FINISHED, 5_053, 5_053)
        assert house.items(job_id)["b.csv"].size_bytes == 5_000
    assert [call.files for call in lake.calls_of("upload")] == [((DESTINATION, "b.csv"),)]


# -- what may pass -----------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [None, frozenset({"digest"})], ids=["batched", "single"])
def test_other_bytes_in_the_lake_are_sent_again(
    tmp_path: Path, extensions: frozenset[str] | None
) -> None:
    lake = FakeLake(extensions=extensions)
    lake.corrupt("b.csv", times=2)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        done = house.wait(job_id, *RESTS)

        assert (done.state, done.bytes_sent) == (JobState.FINISHED, 6)
        assert house.items(job_id)["b.csv"].tries == 3
    assert lake.published == in_lake(**THREE)


def test_bytes_that_stay_wrong_fail_the_file(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.corrupt("b.csv", times=3)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        rests = house.wait(job_id, *RESTS)

        assert rests.state is JobState.NEEDS_ATTENTION
        assert (rests.files_arrived, rests.files_verified, rests.files_failed) == (2, 2, 1)
        assert "other bytes" in house.items(job_id)["b.csv"].message
    assert lake.calls_of("end_sync") == []

"""A full sync that cannot do harm: nothing is taken away that nobody agreed to lose."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE, Connection
from app.domain.errors import WrongUse
from app.domain.impact import Extent
from app.domain.queue_item import ItemState
from app.domain.upload_job import Consents, JobState, Source
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import DESTINATION, ONE_BY_ONE, RESTS, House, in_lake, write_files

FULL = SyncType.FULL
OLD = {f"{DESTINATION}/{number}.csv": b"12345" for number in range(10)}
PROD = Connection("prod", "https://lake.example.com/base")


def lake_with_data(*, plain: bool = False) -> FakeLake:
    lake = FakeLake(plain=plain)
    lake.seed(published=OLD)
    return lake


def files(count: int) -> dict[str, bytes]:
    return {f"f{number}": b"12345" for number in range(count)}


# -- shrinking -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "state"), [(4, JobState.NEEDS_ATTENTION), (5, JobState.FINISHED)]
)
def test_data_that_would_shrink_by_more_than_half_stays_without_a_consent(
    tmp_path: Path, count: int, state: JobState
) -> None:
    lake = lake_with_data()
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **files(count)), mode=FULL)
        rests = house.wait(job_id, *RESTS)
        assert rests.state is state
        if state is JobState.NEEDS_ATTENTION:
            assert "10 files (50 bytes) to 4 files (20 bytes)" in rests.message
            assert lake.calls_of("start_sync") == []
            assert lake.published == OLD


def test_bytes_count_as_files_do(tmp_path: Path) -> None:
    lake = lake_with_data()
    many_small = {f"f{number}": b"1" for number in range(20)}
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **many_small), mode=FULL)
        assert house.wait(job_id, *RESTS).state is JobState.NEEDS_ATTENTION
    assert lake.published == OLD


def test_the_consent_to_shrink_is_one_of_its_own(tmp_path: Path) -> None:
    lake = lake_with_data()
    others = Consents(
        empty_full_sync=True,
        empty_sources=True,
        same_names_on_plain_server=True,
        end_without_failed_files=True,
    )
    folder = write_files(tmp_path / "in", **files(1))
    with House(tmp_path, lake) as house:
        refused = house.start(folder, mode=FULL, consents=others)
        assert house.wait(refused, *RESTS).state is JobState.NEEDS_ATTENTION
        assert lake.published == OLD
        agreed = house.start(folder, mode=FULL, consents=Consents(shrink=True))
        assert house.wait(agreed, *RESTS).state is JobState.FINISHED
    assert lake.published == in_lake(**files(1))


def test_an_incremental_sync_shrinks_nothing(tmp_path: Path) -> None:
    lake = lake_with_data()
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **files(1)))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.published == OLD | in_lake(**files(1))


@pytest.mark.parametrize(
    ("percent", "state"), [(90, JobState.FINISHED), (89, JobState.NEEDS_ATTENTION)]
)
def test_the_share_is_the_jobs_own_and_outlives_the_engine(
    tmp_path: Path, percent: int, state: JobState
) -> None:
    folder = write_files(tmp_path / "in", **files(1))
    with House(tmp_path, lake_with_data()) as house:
        job_id = house.engine.drafts.add(
            LOCAL_LAKE,
            DESTINATION,
            FULL,
            "",
            [Source(str(folder), contents_only=True)],
            kept=True,
            most_shrink_percent=percent,
        )
        house.engine.wait_intake(job_id)
    with House(tmp_path, lake_with_data()) as house:
        house.engine.start_job(job_id, Consents())
        assert house.wait(job_id, *RESTS).state is state


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_that_is_none_is_refused(tmp_path: Path, percent: int) -> None:
    with House(tmp_path) as house, pytest.raises(WrongUse, match="between 0 and 100"):
        house.engine.drafts.add(
            LOCAL_LAKE, DESTINATION, FULL, "", [Source("/in")], most_shrink_percent=percent
        )


def test_data_that_grew_while_the_job_waited_is_seen(tmp_path: Path) -> None:
    """The impact was known before; what counts is what is there when the sync begins."""
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        job_id = house.add(write_files(tmp_path / "in", **files(1)), mode=FULL)
        assert not house.engine.impact(job_id).shrinks_data
        lake.seed(published=OLD)
        assert house.engine.impact(job_id).shrinks_data
        house.engine.start_job(job_id, Consents())
        assert house.wait(job_id, *RESTS).state is JobState.NEEDS_ATTENTION
    assert lake.published == OLD


def test_one_that_rests_because_the_data_would_shrink_goes_on_by_consent_alone(
    tmp_path: Path,
) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        job_id = house.add(write_files(tmp_path / "in", **files(1)), mode=FULL)
        lake.seed(published=OLD)
        house.engine.start_job(job_id, Consents())
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.sync_id) == (JobState.NEEDS_ATTENTION, None)
        assert "would shrink" in rests.message
        house.wait_idle()
        house.engine.retry_job(job_id)
        house.wait_idle()
        assert house.engine.snapshot(job_id).state is JobState.NEEDS_ATTENTION
        assert lake.published == OLD
        house.engine.retry_job(job_id, allow_shrink=True)
        assert house.wait(job_id, JobState.FINISHED, JobState.FAILED).state is JobState.FINISHED
    assert len(lake.published) == 1


def test_a_sync_that_has_begun_is_not_asked_about_again(tmp_path: Path) -> None:
    lake = FakeLake()
    folder = write_files(tmp_path / "in", **files(1))
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        gate = lake.hold("upload")
        job_id = house.start(folder, mode=FULL)
        gate.wait_until_reached()
        house.engine.pause_job(job_id)
        gate.release()
        house.wait(job_id, JobState.PAUSED)
        lake.seed(published=OLD)
        house.engine.resume_job(job_id)
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED


def full_sync(house: House, folder: Path, connection: Connection = PROD) -> JobState:
    job_id = house.start(folder, mode=FULL, connection=connection)
    state = house.wait(job_id, *RESTS).state
    house.wait_idle()
    return state


def test_on_a_plain_server_the_last_full_sync_of_this_client_is_the_measure(
    tmp_path: Path,
) -> None:
    lake = FakeLake(plain=True)
    with House(tmp_path, lake) as house:
        many = write_files(tmp_path / "many", **files(10))
        few = write_files(tmp_path / "few", **files(4))
        # What others put there is not known, so nothing speaks against the first one.
        assert full_sync(house, few) is JobState.FINISHED
        assert full_sync(house, many) is JobState.FINISHED
        impact = house.engine.impact(house.add(few, mode=FULL, connection=PROD))
        assert (impact.before_files, impact.before_bytes) == (10, 50)
        assert impact.before_is_last_sync
        assert impact.shrinks_data
        assert impact.replaced_files is None
        assert full_sync(house, few) is JobState.NEEDS_ATTENTION
        assert len(lake.published) == 10
        # Another server, or another folder, is another matter.
        other = replace(PROD, name="other", base_url="https://other.example.com")
        assert full_sync(house, few, other) is JobState.FINISHED


def test_the_measure_outlives_the_job_and_the_engine(tmp_path: Path) -> None:
    lake = FakeLake(plain=True)
    few = write_files(tmp_path / "few", **files(4))
    with House(tmp_path, lake) as house:
        assert full_sync(house, write_files(tmp_path / "many", **files(10))) is JobState.FINISHED
        for job in house.journal.jobs():
            house.engine.remove_job(job.job_id)
    with House(tmp_path, lake) as house:
        renamed = replace(PROD, name="renamed", base_url="https://LAKE.example.com:443/base")
        assert full_sync(house, few, renamed) is JobState.NEEDS_ATTENTION


def test_only_a_sync_that_has_ended_is_a_measure(tmp_path: Path) -> None:
    lake = FakeLake(plain=True)
    with House(tmp_path, lake) as house:
        many = write_files(tmp_path / "many", **files(10))
        job_id = house.add(many, mode=FULL, connection=PROD)
        (many / "f0.csv").unlink()
        house.engine.start_job(job_id, Consents())
        assert house.wait(job_id, *RESTS).state is JobState.NEEDS_ATTENTION
        assert full_sync(house, write_files(tmp_path / "few", **files(1))) is JobState.FINISHED


def test_the_journal_keeps_the_newest_measure_of_each_place(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    assert journal.last_full_sync("local", "/a") is None
    journal.remember_full_sync("local", "/a", Extent(1, 2))
    journal.remember_full_sync("local", "/b", Extent(3, 4))
    journal.remember_full_sync("local", "/a", Extent(5, 2**62))
    journal.close()
    journal = SqliteJournal(tmp_path / "journal.db")
    assert journal.last_full_sync("local", "/a") == Extent(5, 2**62)
    assert journal.last_full_sync("local", "/b") == Extent(3, 4)
    assert journal.last_full_sync("other", "/a") is None
    journal.close()


# -- empty -----------------------------------------------------------------------------------


def test_an_empty_folder_among_others_needs_a_consent_of_its_own(tmp_path: Path) -> None:
    """What a disk that is not mounted leaves."""
    (tmp_path / "unmounted").mkdir()
    folder = write_files(tmp_path / "in", **files(2))
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        job_id = house.add(folder, tmp_path / "unmounted", mode=FULL)
        assert house.engine.impact(job_id).empty_sources == (str(tmp_path / "unmounted"),)
        assert house.engine.impact(job_id).loses_a_source
        for consents in (Consents(), Consents(empty_full_sync=True, shrink=True)):
            with pytest.raises(WrongUse, match="unmounted"):
                house.engine.start_job(job_id, consents)
        assert lake.calls_of("start_sync") == []
        house.engine.start_job(job_id, Consents(empty_sources=True))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED


def test_a_folder_whose_files_are_all_left_out_is_empty_as_well(tmp_path: Path) -> None:
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / ".DS_Store").write_bytes(b"x")
    folder = write_files(tmp_path / "in", **files(2))
    with House(tmp_path) as house:
        job_id = house.add(folder, tmp_path / "junk", mode=FULL)
        assert house.engine.impact(job_id).empty_sources == (str(tmp_path / "junk"),)


def test_a_file_that_is_left_out_by_itself_is_no_empty_folder(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **files(2))
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    with House(tmp_path) as house:
        job_id = house.add(folder, tmp_path / "Thumbs.db", mode=FULL)
        assert house.engine.impact(job_id).empty_sources == ()
        assert house.engine.snapshot(job_id).files_left_out == 1


def test_an_empty_folder_is_no_question_for_an_incremental_sync(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with House(tmp_path) as house:
        job_id = house.start(write_files(tmp_path / "in", **files(2)), tmp_path / "empty")
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED


def test_a_full_sync_without_files_is_not_ended_whatever_happened_to_its_files(
    tmp_path: Path,
) -> None:
    """A second wall: the engine counts again before the end."""
    lake = lake_with_data()
    with House(tmp_path, lake, recover=False) as house:
        made = house.add(write_files(tmp_path / "in", **files(1)), mode=FULL)
        job = house.journal.job(made)
        assert job is not None
        sync_id = lake.start_sync("nightly", DESTINATION, FULL)
        house.journal.remove_items(made, [(1, 100)])
        begun = replace(
            job, state=JobState.UPLOADING, sync_id=sync_id, created_at_ms=SystemClock().now_ms()
        )
        house.journal.save_job(begun)
    with House(tmp_path, lake) as house:
        rests = house.wait(made, *RESTS)
        assert rests.state is JobState.NEEDS_ATTENTION
        assert "consent" in rests.message
    assert lake.calls_of("end_sync") == []
    assert lake.published == OLD


# -- gone ------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", ["nothing", "an empty folder"])
@pytest.mark.parametrize("mode", list(SyncType))
def test_a_source_that_vanished_stops_the_job_with_its_files_still_queued(
    tmp_path: Path, leaves: str, mode: SyncType
) -> None:
    lake = FakeLake()
    disk = write_files(tmp_path / "disk", **files(3), deep__g=b"1")
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.add(disk, mode=mode)
        disk.rename(tmp_path / "pulled")
        if leaves == "an empty folder":
            disk.mkdir()
        agreed = Consents(end_without_failed_files=True, shrink=True)
        house.engine.start_job(job_id, agreed)
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.problem) == (JobState.NEEDS_ATTENTION, "SourceGone")
        assert str(disk) in rests.message
        assert set(house.states(job_id).values()) == {ItemState.QUEUED}
        assert lake.calls_of("end_sync") == []

        if disk.exists():
            disk.rmdir()
        (tmp_path / "pulled").rename(disk)
        house.engine.retry_job(job_id)
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert len(lake.published) == 4


def test_a_batch_stops_as_well_when_its_source_is_gone(tmp_path: Path) -> None:
    disk = write_files(tmp_path / "disk", **files(30))
    with House(tmp_path) as house:
        job_id = house.add(disk, mode=FULL)
        shutil.rmtree(disk)
        house.engine.start_job(job_id, Consents())
        assert house.wait(job_id, *RESTS).problem == "SourceGone"
        assert set(house.states(job_id).values()) == {ItemState.QUEUED}


def test_a_folder_below_the_dropped_one_that_was_deleted_fails_its_files_alone(
    tmp_path: Path,
) -> None:
    lake = FakeLake()
    folder = write_files(tmp_path / "in", a=b"1", deep__b=b"2", deep__deeper__c=b"3")
    with House(tmp_path, lake) as house:
        job_id = house.engine.drafts.add(
            LOCAL_LAKE, DESTINATION, SyncType.INCREMENTAL, "", [Source(str(folder))]
        )
        house.engine.wait_intake(job_id)
        shutil.rmtree(folder / "deep")
        house.engine.start_job(job_id, Consents(end_without_failed_files=True))
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.files_failed) == (JobState.FINISHED, 2)
    assert lake.published == {f"{DESTINATION}/in/a.csv": b"1"}

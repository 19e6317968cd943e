"""What the next engine makes of each state that an engine can die in."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import SyncAlreadyEnded
from app.domain.picking import TAKE_ALL
from app.domain.queue_item import FoundFile, ItemState
from app.domain.upload_job import ENDED, RUNNING, JobState, Source, UploadJob
from app.engine.picker import Picker
from app.infra.source_files import LocalSourceFiles
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import DESTINATION, House, in_lake, write_files

THREE = {"a": b"1", "b": b"22", "c": b"333"}


def left_behind(
    home: Path,
    state: JobState,
    *,
    sync_id: int | None = None,
    end_sent: bool = False,
    made_at_ms: int | None = None,
) -> int:
    """A journal with a job of three files in that state, as a killed engine leaves it."""
    folder = write_files(home / "in", **THREE)
    journal = SqliteJournal(home / "journal.db")
    source = Source(str(folder), contents_only=True)
    job = journal.add_job(
        UploadJob(
            0,
            LOCAL_LAKE,
            DESTINATION,
            SyncType.FULL,
            "nightly",
            created_at_ms=SystemClock().now_ms() if made_at_ms is None else made_at_ms,
        )
    )
    found = [
        f for f in LocalSourceFiles().walk(source, Picker(TAKE_ALL)) if isinstance(f, FoundFile)
    ]
    journal.add_items(job.job_id, found, [])
    journal.save_job(
        replace(job, state=state, intake_done=True, sync_id=sync_id, end_sent=end_sent)
    )
    journal.close()
    return job.job_id


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.STARTING])
def test_a_job_that_had_no_sync_yet_begins_one(tmp_path: Path, state: JobState) -> None:
    lake = FakeLake()
    job_id = left_behind(tmp_path, state)
    with House(tmp_path, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)


def test_uploading_goes_on_under_the_same_sync_without_what_arrived(tmp_path: Path) -> None:
    lake = FakeLake()
    sync_id = lake.start_sync("nightly", DESTINATION, SyncType.FULL)
    job_id = left_behind(tmp_path, JobState.UPLOADING, sync_id=sync_id)
    with House(tmp_path, lake, recover=False) as house:
        a, b, _ = house.items(job_id).values()
        flying = b.moved_to(ItemState.UPLOADING).moved_to(ItemState.WAITING, "busy")
        house.journal.record([flying])
        with LocalSourceFiles().open(a, lambda: None) as content:
            lake.upload(sync_id, a.folder, a.name, content, lambda _: None)
        arrived = a.moved_to(ItemState.UPLOADING).moved_to(ItemState.VERIFYING)
        house.journal.record([replace(arrived, state=ItemState.UPLOADED)])
        house.engine.recover()
        done = house.wait(job_id, *ENDED)

        assert (done.state, done.files_arrived, done.bytes_sent) == (JobState.FINISHED, 3, 6)
    assert sorted(lake.names_sent()) == ["a.csv", "b.csv", "c.csv"]
    assert len(lake.calls_of("start_sync")) == 1
    assert lake.published == in_lake(**THREE)


@pytest.mark.parametrize("got_through", [True, False])
def test_an_end_that_may_have_been_sent_is_sent_again(tmp_path: Path, got_through: bool) -> None:
    lake = FakeLake()
    sync_id = lake.start_sync("nightly", DESTINATION, SyncType.FULL)
    if got_through:
        lake.end_sync(sync_id)
    job_id = left_behind(tmp_path, JobState.ENDING, sync_id=sync_id, end_sent=True)
    with House(tmp_path, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert len(lake.calls_of("end_sync")) == 1 + got_through
    assert lake.names_sent() == []


def test_already_ended_is_no_success_for_a_job_that_never_sent_an_end(tmp_path: Path) -> None:
    lake = FakeLake()
    sync_id = lake.start_sync("nightly", DESTINATION, SyncType.FULL)
    lake.fail("end_sync", SyncAlreadyEnded("The sync has ended."))
    job_id = left_behind(tmp_path, JobState.UPLOADING, sync_id=sync_id)
    with House(tmp_path, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FAILED


def test_a_draft_whose_files_were_all_found_can_still_be_started(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path) as house:
        job_id = house.add(folder)
    with House(tmp_path) as house:
        assert house.engine.snapshot(job_id).state is JobState.DRAFT
        assert not house.engine.is_busy


@pytest.mark.parametrize("state", [state for state in JobState if state not in RUNNING])
def test_a_job_at_rest_stays_as_it_is(tmp_path: Path, state: JobState) -> None:
    lake = FakeLake()
    job_id = left_behind(tmp_path, state)
    with House(tmp_path, lake) as house:
        assert house.engine.snapshot(job_id).state is state
        assert house.engine.snapshot(job_id).files == 3
        assert not house.engine.is_busy
    assert lake.calls == []


def test_a_journal_copied_amid_the_uploads_goes_on_to_exactly_the_same_lake(
    tmp_path: Path,
) -> None:
    """The copy is what a machine that lost its power finds; the first engine is still running."""
    lake = FakeLake(extensions=frozenset({"digest"}))
    ending = lake.hold("end_sync")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    files = {f"f{number}": b"x" * number for number in range(40)}
    with House(one, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **files), mode=SyncType.FULL)
        ending.wait_until_reached()
        for path in one.glob("journal.db*"):
            shutil.copy(path, two / path.name)
        ending.release()
        house.wait(job_id, JobState.FINISHED)
    with House(two, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**files)
    assert lake.trash == {}


@pytest.mark.parametrize(
    ("state", "age_days", "kept"),
    [
        (JobState.FINISHED, 29, True),
        (JobState.FINISHED, 31, False),
        (JobState.CANCELLED, 31, False),
        (JobState.NEEDS_ATTENTION, 400, True),
        (JobState.DRAFT, 6, True),
        (JobState.DRAFT, 8, False),
    ],
)
def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(
    tmp_path: Path, state: JobState, age_days: int, kept: bool
) -> None:
    then_ms = SystemClock().now_ms() - age_days * 24 * 60 * 60 * 1000
    job_id = left_behind(tmp_path, state, made_at_ms=then_ms)
    with House(tmp_path, FakeLake()) as house:
        assert [job.job_id for job in house.journal.jobs()] == ([job_id] if kept else [])
        assert len(house.journal.items(job_id, None, 0, 10)) == (3 if kept else 0)


def test_what_kind_of_server_it_was_is_known_to_the_next_engine(tmp_path: Path) -> None:
    lake = FakeLake(plain=True)
    sync_id = lake.start_sync("nightly", DESTINATION, SyncType.FULL)
    job_id = left_behind(tmp_path, JobState.ENDING, sync_id=sync_id, end_sent=True)
    with House(tmp_path, lake, recover=False) as house:
        [job] = house.journal.jobs()
        house.journal.save_job(replace(job, plain_server=True))
        house.engine.recover()
        assert house.wait(job_id, *ENDED).plain_server

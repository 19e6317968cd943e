"""Cancelling, retrying and leaving at every awkward moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import FileRefused, LakeBusy, LakeUnreachable, WrongUse
from app.domain.ports import ItemCounts, Picks, SmallFile
from app.domain.queue_item import FoundFile, ItemState, LeftOut, QueueItem
from app.domain.upload_job import ENDED, Consents, JobState, Source
from app.engine.run_ports import RunSettings
from app.infra.source_files import LocalSourceFiles, OpenedFile
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.support.fault_plan import Gate
from tests.unit.engine.house import DESTINATION, IN_A_YEAR, House, in_lake, write_files

THREE = {"a": b"1", "b": b"22", "c": b"333"}


class GatedWalk(LocalSourceFiles):
    """Finds three files, and waits at a gate before the second."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
        yield FoundFile("/a", "", "a", 1, 0)
        self._gate.pass_through()
        yield FoundFile("/b", "", "b", 1, 0)
        yield FoundFile("/c", "", "c", 1, 0)


def waits_in_back_off(house: House, job_id: int) -> None:
    house.sighting.wait_for(
        lambda: house.engine.snapshot(job_id).waiting_reason != "", "a call that waits"
    )


@pytest.mark.parametrize("call", ["capabilities", "start_sync", "upload_batch", "upload"])
def test_a_cancel_during_a_call_takes_effect_after_it(tmp_path: Path, call: str) -> None:
    lake = FakeLake(extensions=frozenset({"digest"}) if call == "upload" else None)
    held = lake.hold(call)
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        held.wait_until_reached()
        house.engine.cancel_job(job_id)
        house.engine.cancel_job(job_id)  # twice is once
        held.release()
        ended = house.wait(job_id, *ENDED)
        house.wait_idle()

        assert ended.state is JobState.CANCELLED
        assert ended.files_arrived + ended.files_cancelled == 3
        assert ended.files_failed == 0
        assert ItemState.QUEUED not in house.states(job_id).values()
        house.engine.cancel_job(job_id)  # a third time, when all is over
        assert house.engine.snapshot(job_id).state is JobState.CANCELLED
    assert lake.calls_of("end_sync") == []


@pytest.mark.parametrize("call", ["capabilities", "start_sync", "upload_batch", "upload"])
def test_a_cancel_ends_the_wait_for_a_next_try(tmp_path: Path, call: str) -> None:
    lake = FakeLake(extensions=frozenset({"digest"}) if call == "upload" else None)
    lake.fail(call, LakeUnreachable("nobody there"), times=10_000)
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        waits_in_back_off(house, job_id)
        house.engine.cancel_job(job_id)
        ended = house.wait(job_id, *ENDED)
    assert (ended.state, ended.files_cancelled) == (JobState.CANCELLED, 3)
    assert ended.waiting_reason == ""


def test_an_end_under_way_is_not_cancelled_half_way(tmp_path: Path) -> None:
    lake = FakeLake()
    ending = lake.hold("end_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        ending.wait_until_reached()
        house.engine.cancel_job(job_id)
        ending.release()
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)


def test_a_cancel_while_the_end_fails_for_good_is_not_forgotten(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("end_sync", LakeUnreachable("nobody there"), times=3)
    ending = lake.hold("end_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        ending.wait_until_reached()
        house.engine.cancel_job(job_id)
        ending.release()
        assert house.wait(job_id, *ENDED).state is JobState.CANCELLED


def test_a_cancelled_end_that_waits_goes_on_with_the_next_engine(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("end_sync", LakeUnreachable("nobody there"))
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        waits_in_back_off(house, job_id)
        house.engine.cancel_job(job_id)
    with House(tmp_path, lake) as house:
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED


def test_a_cancel_that_meets_a_run_as_it_comes_to_rest_is_not_lost(tmp_path: Path) -> None:
    """The screen answers at once to *needs attention*, before the run's thread has ended."""
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv")
    with House(tmp_path, lake) as house:
        house.on_change = _once_at(house, JobState.NEEDS_ATTENTION, house.engine.cancel_job)
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        ended = house.wait(job_id, *ENDED)
    assert (ended.state, ended.files_arrived, ended.files_failed) == (JobState.CANCELLED, 2, 1)


def test_a_retry_that_meets_a_run_as_it_comes_to_rest_is_not_lost(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv")
    with House(tmp_path, lake) as house:
        house.on_change = _once_at(house, JobState.NEEDS_ATTENTION, house.engine.retry_job)
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)


def test_of_many_starts_and_retries_at_once_only_one_counts(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("No."), file_name="a.csv")
    with House(tmp_path, lake) as house:
        job_id = house.add(write_files(tmp_path / "in", **THREE))
        starts = _at_once(8, lambda: house.engine.start_job(job_id, Consents()))
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        house.wait_idle()
        retries = _at_once(8, lambda: house.engine.retry_job(job_id))
        done = house.wait(job_id, *ENDED)

    assert (starts.count(True), retries.count(True)) == (1, 1)
    assert done.state is JobState.FINISHED
    assert len(lake.calls_of("start_sync")) == len(lake.calls_of("end_sync")) == 1
    assert sorted(lake.names_sent()) == ["a.csv", "a.csv", "b.csv", "c.csv"]


def test_a_job_that_ended_can_be_neither_started_nor_retried(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.FINISHED)
        with pytest.raises(WrongUse, match="finished"):
            house.engine.start_job(job_id, Consents())
        with pytest.raises(WrongUse, match="finished"):
            house.engine.retry_job(job_id)
        house.engine.cancel_job(job_id)
        assert house.engine.snapshot(job_id).state is JobState.FINISHED
        with pytest.raises(WrongUse, match="no job 99"):
            house.engine.cancel_job(99)


# -- while the files are looked for ------------------------------------------------------------


def test_a_cancel_while_files_are_looked_for_leaves_none_in_the_queue(tmp_path: Path) -> None:
    gate = Gate()
    with House(tmp_path, sources=GatedWalk(gate)) as house:
        job_id = house.engine.add_job(LOCAL_LAKE, DESTINATION, SyncType.FULL, "", (Source("/any"),))
        gate.wait_until_reached()
        with pytest.raises(WrongUse, match="draft"):
            house.engine.start_job(job_id, Consents())  # not all files are found yet
        house.engine.cancel_job(job_id)
        assert house.engine.wait_intake(job_id).state is JobState.CANCELLED
        assert house.engine.is_busy
        gate.release()
        house.wait_idle()

        snapshot = house.engine.snapshot(job_id)
        assert (snapshot.state, snapshot.files) == (JobState.CANCELLED, snapshot.files_cancelled)
        assert ItemState.QUEUED not in house.states(job_id).values()


def test_a_cancel_right_after_the_last_file_was_found_is_not_overwritten(tmp_path: Path) -> None:
    """The intake's last word comes after the cancel."""
    gate = Gate()

    class LastWord(LocalSourceFiles):
        def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
            yield FoundFile("/a", "", "a", 1, 0)
            gate.pass_through()

    with House(tmp_path, sources=LastWord()) as house:
        job_id = house.engine.add_job(LOCAL_LAKE, DESTINATION, SyncType.FULL, "", (Source("/any"),))
        gate.wait_until_reached()
        house.engine.cancel_job(job_id)
        gate.release()
        house.wait_idle()
        assert house.engine.snapshot(job_id).state is JobState.CANCELLED
        assert set(house.states(job_id).values()) == {ItemState.CANCELLED}
        stored = house.journal.job(job_id)
        assert stored is not None
        assert stored.state is JobState.CANCELLED


def test_files_written_into_the_queue_amid_a_cancel_do_not_stay_in_it(tmp_path: Path) -> None:
    gate = Gate()

    class GatedJournal(SqliteJournal):
        def add_items(
            self,
            job_id: int,
            found: Sequence[FoundFile],
            left_out: Sequence[LeftOut],
            taken_in_to: int = 0,
        ) -> None:
            gate.pass_through()
            super().add_items(job_id, found, left_out, taken_in_to)

    class Many(LocalSourceFiles):
        def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
            for number in range(2_500):  # more than are written at once
                yield FoundFile(f"/{number}", "", str(number), 1, 0)

    journal = GatedJournal(tmp_path / "journal.db")
    with House(tmp_path, journal=journal, sources=Many()) as house:
        job_id = house.engine.add_job(LOCAL_LAKE, DESTINATION, SyncType.FULL, "", (Source("/any"),))
        gate.wait_until_reached()
        house.engine.cancel_job(job_id)
        gate.release()
        house.wait_idle()
        assert set(house.states(job_id).values()) == {ItemState.CANCELLED}
        assert house.engine.snapshot(job_id).files == len(house.states(job_id))


def test_a_cancel_just_before_the_end_is_sent_is_in_time(tmp_path: Path) -> None:
    lake = FakeLake()

    class Reconciling(SqliteJournal):
        def counts(self, job_id: int) -> ItemCounts:
            counts = super().counts(job_id)
            if counts.files.get(ItemState.UPLOADED) == 3:
                house.engine.cancel_job(job_id)
            return counts

    with House(tmp_path, lake, journal=Reconciling(tmp_path / "journal.db")) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        assert house.wait(job_id, *ENDED).state is JobState.CANCELLED
    assert lake.published == {}


def test_a_dropped_path_that_is_not_there_fails_the_job_and_says_so(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.add(tmp_path / "nowhere")
        failed = house.engine.snapshot(job_id)
    assert failed.state is JobState.FAILED
    assert str(tmp_path / "nowhere") in failed.message
    assert "no such file" in failed.message


def test_a_path_with_a_name_that_is_no_text_is_told_too(tmp_path: Path) -> None:
    odd = tmp_path / "no-\udcff-utf8"
    with House(tmp_path) as house:
        job_id = house.add(odd)
        assert house.engine.snapshot(job_id).state is JobState.FAILED
    with House(tmp_path) as house:
        assert r"no-\udcff-utf8" in house.engine.snapshot(job_id).message


def test_a_bug_while_files_are_looked_for_does_not_leave_anybody_waiting(tmp_path: Path) -> None:
    class Broken(LocalSourceFiles):
        def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
            yield FoundFile("/a", "", "a", 1, 0)
            raise ZeroDivisionError

    with House(tmp_path, sources=Broken()) as house:
        job_id = house.add(tmp_path)
        failed = house.engine.snapshot(job_id)
        assert failed.state is JobState.FAILED
        assert "its log has the details" in failed.message


def test_a_bug_while_a_file_is_read_stops_the_run_and_says_so(tmp_path: Path) -> None:
    class Broken(LocalSourceFiles):
        def open(self, item: QueueItem, raise_if_cancelled: Callable[[], None]) -> OpenedFile:
            raise ZeroDivisionError

        def read_small(self, item: QueueItem, most_bytes: int) -> SmallFile | None:
            raise ZeroDivisionError

    raised: list[type[BaseException]] = []
    before, threading.excepthook = threading.excepthook, lambda args: raised.append(args.exc_type)
    try:
        with House(tmp_path, sources=Broken()) as house:
            job_id = house.start(write_files(tmp_path / "in", **THREE))
            assert house.wait(job_id, *ENDED, JobState.NEEDS_ATTENTION).state is (
                JobState.NEEDS_ATTENTION
            )
    finally:
        threading.excepthook = before
    assert raised == [ZeroDivisionError]  # it looks like the bug it is


# -- leaving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["capabilities", "start_sync", "upload_batch", "end_sync"])
def test_leaving_during_a_back_off_lets_the_next_engine_go_on(tmp_path: Path, call: str) -> None:
    lake = FakeLake()
    lake.fail(call, LakeBusy("busy"), times=1)
    with House(tmp_path, lake, retry=IN_A_YEAR) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        waits_in_back_off(house, job_id)
    with House(tmp_path, lake) as house:
        done = house.wait(job_id, *ENDED)
    assert (done.state, done.files_verified) == (JobState.FINISHED, 3)
    assert lake.published == in_lake(**THREE)
    assert len([job for job in lake.sync_jobs(0, 10) if job.total_files]) == 1


def test_leaving_while_files_are_looked_for_gives_the_job_up(tmp_path: Path) -> None:
    gate = Gate()
    house = House(tmp_path, sources=GatedWalk(gate))
    job_id = house.engine.add_job(LOCAL_LAKE, DESTINATION, SyncType.FULL, "", (Source("/any"),))
    gate.wait_until_reached()
    waiting = threading.Thread(target=house.engine.wait_intake, args=(job_id,))
    waiting.start()
    closing = threading.Thread(target=house.close)
    closing.start()
    waiting.join()  # whoever waited for the files is let go at once
    gate.release()
    closing.join()
    with House(tmp_path) as house:
        assert house.engine.snapshot(job_id).state is JobState.CANCELLED


def test_a_closed_engine_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with House(tmp_path) as house:
        for number in range(6):  # more than run at once
            house.start(write_files(tmp_path / f"in{number}", **THREE))
    assert set(threading.enumerate()) <= before


def test_more_jobs_than_run_at_once_all_come_to_their_end(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake, settings=RunSettings(workers=1)) as house:
        folder = write_files(tmp_path / "in", **THREE)
        jobs = [house.start(folder) for _ in range(9)]
        assert {house.wait(job_id, *ENDED).state for job_id in jobs} == {JobState.FINISHED}
    assert len(lake.sync_jobs(0, 100)) == 9


def _once_at(house: House, state: JobState, act: Callable[[int], None]) -> Callable[[int], None]:
    done = threading.Event()

    def told(job_id: int) -> None:
        if house.engine.snapshot(job_id).state is state and not done.is_set():
            done.set()
            act(job_id)

    return told


def _at_once(count: int, act: Callable[[], None]) -> list[bool]:
    """Whether it was allowed, for each of so many threads that begin together."""
    barrier, outcomes = threading.Barrier(count), [False] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            act()
        except WrongUse:
            return
        outcomes[number] = True

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

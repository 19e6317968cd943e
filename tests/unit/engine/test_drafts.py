"""Jobs that a window puts together: files come and go, and the job is changed, before the start."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE, Connection
from app.domain.errors import WrongUse
from app.domain.ports import Picks
from app.domain.queue_item import FoundFile, ItemState, LeftOut
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, Consents, JobState, Source
from app.engine.drafts import DraftChange
from app.infra.source_files import LocalSourceFiles
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.support.fault_plan import Gate
from tests.unit.engine.house import DESTINATION, House, write_files

THREE = {"a": b"1", "b": b"22", "deep__c": b"333"}


def kept(house: House, *paths: Path, mode: SyncType = SyncType.INCREMENTAL) -> int:
    sources = [Source(str(path)) for path in paths]
    return house.engine.drafts.add(LOCAL_LAKE, DESTINATION, mode, "nightly", sources, kept=True)


def drop(house: House, job_id: int, *paths: Path) -> JobSnapshot:
    """Drops them on the draft, and waits until all are in the journal."""
    house.engine.drafts.add_sources(job_id, [Source(str(path)) for path in paths])
    return house.engine.wait_intake(job_id)


def names(house: House, job_id: int) -> list[str]:
    return list(house.items(job_id))


class GatedWalk(LocalSourceFiles):
    """Finds ten files in any path, and waits at a gate before the last three of this one."""

    def __init__(self, gate: Gate, path: str) -> None:
        self._gate = gate
        self._path = path

    def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
        for number in range(10):
            if number == 7 and source.path == self._path:
                self._gate.pass_through()
            yield FoundFile(f"{source.path}/{number}", "", str(number), 1, 0)


def sources_of(house: House, job_id: int) -> list[str]:
    return [item.source for item in house.journal.items(job_id, None, 0, 1_000)]


def leave_amid_intake(house: House, job_id: int, gate: Gate) -> None:
    """The engine ends while an intake stands at the gate."""
    waiting = threading.Thread(target=house.engine.wait_intake, args=(job_id,))
    closing = threading.Thread(target=house.close)
    waiting.start()
    closing.start()
    waiting.join()  # let go by the leaving engine
    gate.release()
    closing.join()


# -- files come --------------------------------------------------------------------------------


def test_a_draft_begins_empty_and_takes_drops_one_after_the_other(tmp_path: Path) -> None:
    one, two = write_files(tmp_path / "one", a=b"1"), write_files(tmp_path / "two", b=b"22")
    with House(tmp_path) as house:
        job_id = kept(house)
        assert house.engine.wait_intake(job_id).files == 0
        assert drop(house, job_id, one).files == 1
        grown = drop(house, job_id, two, one / "a.csv")
        assert (grown.files, grown.bytes, grown.kept) == (2, 3, True)
        assert names(house, job_id) == ["one/a.csv", "two/b.csv"]


def test_a_file_that_the_job_has_is_passed_over_however_it_comes_again(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path) as house:
        job_id = kept(house, folder, folder, folder / "a.csv")
        house.engine.wait_intake(job_id)
        again = drop(house, job_id, folder / "b.csv", folder, folder / "deep")
        assert sorted(names(house, job_id)) == ["in/a.csv", "in/b.csv", "in/deep/c.csv"]
        assert again.files == 3


def test_a_command_lines_job_has_what_it_was_told_twice_twice(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", a=b"1")
    with House(tmp_path) as house:
        assert house.engine.snapshot(house.add(folder, folder / "a.csv")).files == 2


def test_a_dropped_path_that_is_not_there_is_a_file_that_failed(tmp_path: Path) -> None:
    there = write_files(tmp_path / "in", a=b"1")
    with House(tmp_path) as house:
        job_id = kept(house, tmp_path / "nowhere.csv", there)
        draft = house.engine.wait_intake(job_id)
        assert (draft.state, draft.files, draft.files_failed) == (JobState.DRAFT, 2, 1)
        item = house.items(job_id)["nowhere.csv"]
        assert (item.state, item.problem) == (ItemState.FAILED, "SourceUnreadable")
        assert "no such file" in item.message


def test_a_draft_whose_files_are_looked_for_cannot_be_started(tmp_path: Path) -> None:
    gate = Gate()
    with House(tmp_path, sources=GatedWalk(gate, "/any")) as house:
        job_id = kept(house, Path("/any"))
        gate.wait_until_reached()
        assert not house.engine.snapshot(job_id).intake_done
        with pytest.raises(WrongUse, match="still being looked for"):
            house.engine.start_job(job_id, Consents())
        gate.release()


def test_what_is_dropped_while_files_are_looked_for_is_taken_in_after_them(tmp_path: Path) -> None:
    gate = Gate()
    with House(tmp_path, sources=GatedWalk(gate, "/one")) as house:
        job_id = kept(house, Path("/one"))
        gate.wait_until_reached()
        for name in ("/two", "/three", "/one"):
            house.engine.drafts.add_sources(job_id, [Source(name)])
        assert not house.engine.snapshot(job_id).intake_done
        gate.release()
        assert house.engine.wait_intake(job_id).files == 30
        assert sources_of(house, job_id)[::10] == ["/one/0", "/two/0", "/three/0"]
        assert house.journal.pending_sources(job_id, 10) == []


# -- files go ----------------------------------------------------------------------------------


def test_removed_files_are_not_uploaded(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        job_id = kept(house, write_files(tmp_path / "in", **THREE), tmp_path / "nowhere")
        before = house.engine.wait_intake(job_id)
        ids = {name: item.item_id for name, item in house.items(job_id).items()}
        gone = [(ids["in/a.csv"],) * 2, (ids["nowhere"],) * 2]
        assert house.engine.drafts.remove_items(job_id, gone) == 2
        after = house.engine.snapshot(job_id)
        assert (after.files, after.bytes, after.files_failed) == (2, 5, 0)
        assert after.rows_version > before.rows_version
        assert house.engine.drafts.remove_items(job_id, gone) == 0
        house.engine.start_job(job_id, Consents())
        assert house.wait(job_id, *ENDED).files_verified == 2
    assert sorted(lake.published) == [f"{DESTINATION}/in/b.csv", f"{DESTINATION}/in/deep/c.csv"]


def test_what_is_removed_while_files_are_looked_for_does_not_come_again(tmp_path: Path) -> None:
    gate = Gate()
    with House(tmp_path, sources=GatedWalk(gate, "/second")) as house:
        job_id = kept(house, Path("/first"), Path("/second"), Path("/first"))
        gate.wait_until_reached()
        assert house.engine.drafts.remove_items(job_id, [(1, 10_000)]) == 10
        gate.release()
        assert house.engine.wait_intake(job_id).files == 10
        assert sources_of(house, job_id) == [f"/second/{number}" for number in range(10)]


def test_nor_does_it_come_again_with_the_next_engine(tmp_path: Path) -> None:
    gate = Gate()
    first = House(tmp_path, sources=GatedWalk(gate, "/second"))
    job_id = kept(first, Path("/first"), Path("/second"), Path("/first"))
    gate.wait_until_reached()
    first.engine.drafts.remove_items(job_id, [(1, 5)])
    leave_amid_intake(first, job_id, gate)
    with House(tmp_path, sources=GatedWalk(gate, "")) as house:
        assert house.engine.wait_intake(job_id).files == 15
        assert sources_of(house, job_id)[:5] == [f"/first/{number}" for number in range(5, 10)]


def test_a_removed_file_can_be_dropped_again(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", a=b"1")
    with House(tmp_path) as house:
        job_id = kept(house, folder)
        house.engine.wait_intake(job_id)
        house.engine.drafts.remove_items(job_id, [(1, 10_000)])
        assert drop(house, job_id, folder / "a.csv").files == 1


# -- the job is changed ------------------------------------------------------------------------


def test_a_name_that_nobody_gave_follows_what_the_job_does(tmp_path: Path) -> None:
    with House(tmp_path, FakeLake()) as house:
        job_id = kept(house, write_files(tmp_path / "in", **THREE))
        edit = house.engine.drafts.edit
        assert edit(job_id, DraftChange(name="")).name.startswith("x incremental sync ")
        assert edit(job_id, DraftChange(mode=SyncType.FULL)).name.startswith("x full sync ")
        moved = edit(job_id, DraftChange(destination="/data/sales"))
        assert moved.name.startswith("sales full sync ")

        edit(job_id, DraftChange(name="weekly"))

        assert edit(job_id, DraftChange(destination="/data/z")).name == "weekly"
        assert edit(job_id, DraftChange(name="  ")).name.startswith("z full sync ")


def test_a_draft_is_changed_and_its_lake_paths_follow(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        job_id = kept(house, write_files(tmp_path / "in", **THREE), mode=SyncType.FULL)
        before = house.engine.wait_intake(job_id)
        prod = Connection("prod", "https://lake.example.com")
        edit = house.engine.drafts.edit
        assert edit(job_id, DraftChange(connection=prod)).connection == "prod"
        assert edit(job_id, DraftChange(name=" weekly ")).name == "weekly"
        assert edit(job_id, DraftChange(mode=SyncType.INCREMENTAL)).mode is SyncType.INCREMENTAL
        assert edit(job_id, DraftChange(name="")).name.startswith("x incremental sync ")
        assert house.engine.snapshot(job_id).rows_version == before.rows_version
        moved = edit(job_id, DraftChange(destination="/data/y/"))
        assert moved.destination == "/data/y"
        bare = edit(job_id, DraftChange(contents_only=True, connection=LOCAL_LAKE))
        assert before.rows_version < moved.rows_version < bare.rows_version
        house.engine.start_job(job_id, Consents())
        house.wait(job_id, JobState.FINISHED)
    assert sorted(lake.published) == ["/data/y/a.csv", "/data/y/b.csv", "/data/y/deep/c.csv"]


def test_a_change_that_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = kept(house)
        before = house.engine.snapshot(job_id)
        with pytest.raises(WrongUse, match="destination"):
            house.engine.drafts.edit(job_id, DraftChange(destination="no/slash", name="new"))
        assert house.engine.snapshot(job_id) == before


def test_what_was_started_is_changed_no_more(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path) as house:
        job_id = kept(house, folder)
        house.engine.wait_intake(job_id)
        house.engine.start_job(job_id, Consents())
        house.wait(job_id, JobState.FINISHED)
        drafts = house.engine.drafts
        with pytest.raises(WrongUse, match="finished"):
            drafts.add_sources(job_id, [Source(str(folder))])
        with pytest.raises(WrongUse, match="finished"):
            drafts.edit(job_id, DraftChange(name="new"))
        with pytest.raises(WrongUse, match="finished"):
            drafts.remove_items(job_id, [(1, 9)])
        assert house.engine.snapshot(job_id).files == 3


# -- the next engine ---------------------------------------------------------------------------


def test_the_next_engine_goes_on_looking_for_the_files_of_a_kept_draft(tmp_path: Path) -> None:
    gate = Gate()
    first = House(tmp_path, sources=GatedWalk(gate, "/two"))
    job_id = kept(first, Path("/one"), Path("/two"))
    gate.wait_until_reached()
    first.engine.drafts.add_sources(job_id, [Source("/three")])
    leave_amid_intake(first, job_id, gate)
    with House(tmp_path, sources=GatedWalk(gate, "")) as house:
        draft = house.engine.wait_intake(job_id)
        assert (draft.state, draft.files) == (JobState.DRAFT, 30)
        assert len(set(sources_of(house, job_id))) == 30


def test_a_kept_draft_is_there_again_however_old(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = kept(house, write_files(tmp_path / "in", **THREE))
        house.engine.wait_intake(job_id)
        job = house.journal.job(job_id)
        assert job is not None
        assert not job.may_be_forgotten(job.created_at_ms + 10**12)
    with House(tmp_path) as house:
        assert house.engine.snapshot(job_id).files == 3
        assert house.engine.shown_jobs() == [job_id]


# -- forgotten ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [JobState.DRAFT, JobState.FINISHED, JobState.CANCELLED])
def test_a_draft_or_an_ended_job_is_forgotten_with_all_it_had(
    tmp_path: Path, state: JobState
) -> None:
    with House(tmp_path) as house:
        job_id = kept(house, write_files(tmp_path / "in", **THREE))
        house.engine.wait_intake(job_id)
        if state is JobState.FINISHED:
            house.engine.start_job(job_id, Consents())
        elif state is JobState.CANCELLED:
            house.engine.cancel_job(job_id)
        house.wait(job_id, state)
        house.engine.remove_job(job_id)
        with pytest.raises(WrongUse, match="no job"):
            house.engine.snapshot(job_id)
        assert house.engine.shown_jobs() == []
        house.wait_idle()
        assert house.journal.jobs() == []
        assert house.journal.items(job_id, None, 0, 9) == []


def test_a_job_that_runs_is_not_forgotten(tmp_path: Path) -> None:
    lake = FakeLake()
    held = lake.hold("start_sync")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        held.wait_until_reached()
        with pytest.raises(WrongUse, match=r"starting\. Cancel it first"):
            house.engine.remove_job(job_id)
        held.release()
        assert house.wait(job_id, *ENDED).state is JobState.FINISHED


def test_a_draft_that_is_forgotten_amid_its_intake_leaves_nothing_behind(tmp_path: Path) -> None:
    gate = Gate()
    with House(tmp_path, sources=GatedWalk(gate, "/any")) as house:
        job_id = kept(house, Path("/any"))
        gate.wait_until_reached()
        house.engine.remove_job(job_id)
        gate.release()
        house.wait_idle()
        assert house.journal.items(job_id, None, 0, 100) == []
        assert drop(house, kept(house), Path("/other")).files == 10  # and the engine is well


def test_a_command_lines_draft_is_shown_when_it_is_started(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.add(write_files(tmp_path / "in", **THREE))
        assert house.engine.shown_jobs() == []
        house.engine.start_job(job_id, Consents())
        assert house.engine.shown_jobs() == [job_id]
        house.wait(job_id, JobState.FINISHED)

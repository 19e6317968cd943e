"""A sync that is given up: what was staged goes, what was in sight stays, nothing comes after."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import (
    EndHasBegun,
    LakeError,
    LakeFault,
    SyncAborted,
    SyncAlreadyEnded,
    SyncNotFound,
)
from embedded_server.domain.sync import ABORTED
from tests.support.observed_disk import ObservedDisk, Step, tree
from tests.unit.server.conftest import Rooms

FULL = SyncType.FULL


def _job(rooms: Rooms, sync_id: int) -> tuple[SyncStatus, str]:
    sync = rooms.catalog.find_sync(sync_id)
    assert sync is not None
    return sync.status, sync.message


def _own_folders(rooms: Rooms) -> dict[str, bytes]:
    return tree(Path(rooms.layout.all_staging)) | tree(Path(rooms.layout.incoming))


def _full_sync_over_old_data(rooms: Rooms) -> int:
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", FULL)
    rooms.send(sync_id, "new.csv", b"new")
    rooms.send(sync_id, "deep.csv", b"new", "/data/x/a/b")
    return sync_id


def test_an_aborted_full_sync_leaves_the_old_data_and_nothing_of_its_own(rooms: Rooms) -> None:
    sync_id = _full_sync_over_old_data(rooms)
    assert rooms.syncs.abort(sync_id) == 0
    assert tree(rooms.files) == {"data/x/old.csv": b"old"}
    assert _own_folders(rooms) == {}
    assert tree(rooms.trash) == {}
    assert _job(rooms, sync_id) == (SyncStatus.FAILED, ABORTED)
    [*_, job] = rooms.syncs.jobs(0, 10)
    assert (job.sync_status, job.end_time > 0) == (SyncStatus.FAILED, True)


def test_what_an_aborted_incremental_sync_has_uploaded_stays_and_is_counted(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "a.csv", b"1")
    rooms.send(sync_id, "b.csv", b"2")
    with pytest.raises(LakeError):
        rooms.send(sync_id, "con", b"no such name")
    assert rooms.syncs.abort(sync_id) == 2
    assert tree(rooms.files) == {"data/x/a.csv": b"1", "data/x/b.csv": b"2"}


def test_nothing_comes_after_an_abort_and_it_may_be_asked_again(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "a.csv", b"1")
    assert [rooms.syncs.abort(sync_id) for _ in range(2)] == [1, 1]
    with pytest.raises(SyncAborted, match=f"sync {sync_id} was aborted"):
        rooms.send(sync_id, "b.csv", b"2")
    with pytest.raises(SyncAborted):
        rooms.syncs.end(sync_id)
    again = Rooms(rooms.root, recovered=False)
    with pytest.raises(SyncAborted):
        again.syncs.end(sync_id)
    again.close()


def test_a_sync_that_has_ended_cannot_be_aborted(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x", FULL)
    rooms.send(sync_id, "a.csv", b"1")
    rooms.syncs.end(sync_id)
    with pytest.raises(SyncAlreadyEnded):
        rooms.syncs.abort(sync_id)
    assert tree(rooms.files) == {"data/x/a.csv": b"1"}
    with pytest.raises(SyncNotFound):
        rooms.syncs.abort(999)


def test_of_an_abort_and_ends_at_once_one_wins_and_the_others_are_told(lake_root: Path) -> None:
    for _ in range(10):
        rooms = Rooms(lake_root)
        sync_id = _full_sync_over_old_data(rooms)
        calls = [rooms.syncs.end, rooms.syncs.abort] * 4
        with ThreadPoolExecutor(len(calls)) as pool:
            outcomes = [pool.submit(call, sync_id).exception() for call in calls]
        status, _ = _job(rooms, sync_id)
        if status is SyncStatus.FINISHED:
            assert outcomes.count(None) == 1
            assert {type(it) for it in outcomes if it} == {SyncAlreadyEnded}
            assert set(tree(rooms.files).values()) == {b"new"}
        else:
            assert [type(it) for it in outcomes] == [SyncAborted, type(None)] * 4
            assert set(tree(rooms.files).values()) == {b"old"}
        assert _own_folders(rooms) == {}
        rooms.close()


def test_an_upload_on_its_way_is_told_of_the_abort_and_leaves_nothing(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    gate = rooms.uploads.find_sync(sync_id)
    upload = rooms.uploads.begin(gate, gate.sync.path, "late.csv")
    upload.write(b"1")
    upload.arrived(None)
    rooms.syncs.abort(sync_id)
    [failure] = rooms.uploads.commit([(gate, upload)])
    assert isinstance(failure, SyncAborted)
    assert tree(rooms.files) == {}
    assert _own_folders(rooms) == {}


@pytest.mark.parametrize("step", ["rename", "remove tree"])
def test_an_abort_that_is_killed_half_way_is_finished_by_the_next_start(
    lake_root: Path, step: str
) -> None:
    class Killed(BaseException):
        pass

    def dies(seen: Step) -> None:
        if seen[0] == step:
            raise Killed

    rooms = Rooms(lake_root)
    sync_id = _full_sync_over_old_data(rooms)
    rooms.close()
    rooms = Rooms(lake_root, ObservedDisk(dies), recovered=False)
    with pytest.raises(Killed):
        rooms.syncs.abort(sync_id)
    assert _own_folders(rooms) != {}
    rooms.close()
    rooms = Rooms(lake_root)
    assert _own_folders(rooms) == {}
    assert tree(rooms.trash) == {}
    assert tree(rooms.files) == {"data/x/old.csv": b"old"}
    assert rooms.syncs.abort(sync_id) == 0
    rooms.close()


def test_an_abort_whose_disk_failed_removes_the_rest_when_it_is_asked_again(
    lake_root: Path,
) -> None:
    failures = [errno.EIO]

    def fails_once(seen: Step) -> None:
        if seen[0] == "rename" and failures:
            raise OSError(failures.pop(), "a worn disk")

    rooms = Rooms(lake_root, ObservedDisk(fails_once))
    sync_id = _full_sync_over_old_data(rooms)
    with pytest.raises(LakeFault):
        rooms.syncs.abort(sync_id)
    assert rooms.syncs.abort(sync_id) == 0
    assert _own_folders(rooms) == {}
    rooms.close()


def test_a_swap_that_has_begun_is_not_aborted(lake_root: Path) -> None:
    failures = [errno.EIO]

    def fails_once(seen: Step) -> None:
        if seen[0] == "exchange" and failures:
            raise OSError(failures.pop(), "a worn disk")

    rooms = Rooms(lake_root, ObservedDisk(fails_once))
    sync_id = _full_sync_over_old_data(rooms)
    with pytest.raises(LakeFault):
        rooms.syncs.end(sync_id)
    with pytest.raises(EndHasBegun):
        rooms.syncs.abort(sync_id)
    rooms.syncs.end(sync_id)
    assert set(tree(rooms.files).values()) == {b"new"}
    rooms.close()

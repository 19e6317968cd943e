"""A full sync whose place is taken by something else before, while or after it swaps."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import LakeFault, PathConflict, SyncAlreadyEnded
from tests.support.observed_disk import ObservedDisk, PowerCut, Step, tree
from tests.unit.server.conftest import Rooms


def _status(rooms: Rooms, sync_id: int) -> SyncStatus:
    [job] = rooms.syncs.jobs(sync_id - 1, 1)
    return job.sync_status


def _staged_full_sync(rooms: Rooms) -> int:
    """Over old data at the same path."""
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "new.csv", b"new")
    return sync_id


def _a_file_takes_the_place(rooms: Rooms) -> None:
    shutil.rmtree(rooms.files / "data")
    (rooms.files / "data").write_bytes(b"in the way")


def test_two_full_syncs_that_end_at_once_end_one_after_the_other(lake_root: Path) -> None:
    """The outer one brings a file where the inner one, about to swap, needs a folder."""
    outer_ends: list[Future[None]] = []

    def on_step(step: Step) -> None:
        if step[0] == "mark" and not outer_ends:
            outer_ends.append(pool.submit(rooms.syncs.end, outer))
            wait(outer_ends, timeout=0.5)  # it gets through only where nothing holds it back

    rooms = Rooms(lake_root, ObservedDisk(on_step))
    inner = rooms.start("/data/x/y", SyncType.FULL)
    rooms.send(inner, "f.csv", b"1")
    outer = rooms.start("/data", SyncType.FULL)
    rooms.send(outer, "x", b"a file where the other wants a folder")
    with ThreadPoolExecutor(1) as pool:
        rooms.syncs.end(inner)
        outer_ends[0].result(30)
    rooms.close()

    again = Rooms(lake_root)
    assert tree(again.files) == {"data/x": b"a file where the other wants a folder"}
    assert b"1" in tree(again.trash).values()
    assert {_status(again, inner), _status(again, outer)} == {SyncStatus.FINISHED}
    again.close()


def test_a_place_that_is_taken_before_the_swap_begins_leaves_the_sync_open(rooms: Rooms) -> None:
    sync_id = _staged_full_sync(rooms)
    _a_file_takes_the_place(rooms)
    with pytest.raises(PathConflict):
        rooms.syncs.end(sync_id)
    (rooms.files / "data").unlink()
    rooms.send(sync_id, "more.csv", b"more")
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {"data/x/new.csv": b"new", "data/x/more.csv": b"more"}


@pytest.mark.parametrize("in_the_way", ["above", "in the very place"])
def test_one_sync_that_lost_its_place_does_not_keep_the_lake_shut(
    lake_root: Path, in_the_way: str
) -> None:
    def cut(step: Step) -> None:
        if step[0] == "exchange":
            raise PowerCut

    rooms = Rooms(lake_root, ObservedDisk(cut))
    lost = _staged_full_sync(rooms)
    sound = rooms.start("/other", SyncType.FULL)
    rooms.send(sound, "sound.csv", b"sound")
    (rooms.files / "other").mkdir()
    for sync_id in (lost, sound):
        with pytest.raises(PowerCut):
            rooms.syncs.end(sync_id)
    rooms.close()
    if in_the_way == "above":
        _a_file_takes_the_place(rooms)
    else:
        shutil.rmtree(rooms.files / "data/x")
        (rooms.files / "data/x").write_bytes(b"in the way")

    for _ in range(2):  # and it is over: the next start has nothing left to do
        again = Rooms(lake_root)
        assert _status(again, lost) is SyncStatus.FAILED
        assert _status(again, sound) is SyncStatus.FINISHED
        assert set(tree(again.files).values()) == {b"in the way", b"sound"}
        assert b"new" in tree(again.trash).values()
        assert list(Path(again.layout.all_staging).iterdir()) == []
        with pytest.raises(SyncAlreadyEnded):
            again.syncs.end(lost)
        again.close()


def test_an_end_that_can_never_succeed_any_more_says_so_and_closes_the_sync(
    lake_root: Path,
) -> None:
    def fail(step: Step) -> None:
        if step[0] == "exchange":
            raise OSError(5, "Input/output error")

    rooms = Rooms(lake_root, ObservedDisk(fail))
    sync_id = _staged_full_sync(rooms)
    with pytest.raises(LakeFault):
        rooms.syncs.end(sync_id)
    _a_file_takes_the_place(rooms)
    with pytest.raises(PathConflict, match="has failed and what it sent is in the trash"):
        rooms.syncs.end(sync_id)
    assert _status(rooms, sync_id) is SyncStatus.FAILED
    assert list(tree(rooms.trash).values()) == [b"new"]
    with pytest.raises(SyncAlreadyEnded):
        rooms.syncs.end(sync_id)
    rooms.close()


def test_a_swap_that_was_in_place_is_finished_whatever_came_after(lake_root: Path) -> None:
    is_broken = True

    def fail(step: Step) -> None:
        if is_broken and step[0] == "rename":
            raise OSError(5, "Input/output error")

    rooms = Rooms(lake_root, ObservedDisk(fail))
    sync_id = _staged_full_sync(rooms)
    with pytest.raises(LakeFault):
        rooms.syncs.end(sync_id)
    _a_file_takes_the_place(rooms)
    is_broken = False
    rooms.syncs.end(sync_id)
    assert _status(rooms, sync_id) is SyncStatus.FINISHED
    assert tree(rooms.trash) == {f"{sync_id}/1/data/x/old.csv": b"old"}
    rooms.close()

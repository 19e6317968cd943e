"""A full sync's swap, stopped at every step it takes, also while it is being recovered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from embedded_server.contract import SyncStatus, SyncType
from tests.support.observed_disk import ObservedDisk, PowerCut, Step, tree
from tests.unit.server.conftest import Rooms

OLD = {"data/x/a.csv": b"old a", "data/x/gone.csv": b"old gone"}
NEW = {"data/x/a.csv": b"new a", "data/x/sub/b.csv": b"new b"}


class _CutAt:
    """Cuts the power before the step of that number."""

    def __init__(self, number: int | None) -> None:
        self.left = number

    def __call__(self, _: Step) -> None:
        if self.left is not None:
            if self.left == 0:
                raise PowerCut
            self.left -= 1


@pytest.fixture(scope="module")
def staged_lake(empty_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Old data in sight, new data staged, *end* not yet called."""
    root = Path(shutil.copytree(empty_lake, tmp_path_factory.mktemp("staged") / "lake"))
    rooms = Rooms(root)
    first = rooms.start("/data/x")
    rooms.send(first, "a.csv", b"old a")
    rooms.send(first, "gone.csv", b"old gone")
    rooms.syncs.end(first)
    second = rooms.start("/data/x", SyncType.FULL)
    rooms.send(second, "a.csv", b"new a")
    rooms.send(second, "b.csv", b"new b", "/data/x/sub")
    rooms.close()
    return root, second


def _end_with_a_cut(root: Path, sync_id: int, cut: _CutAt, *, can_exchange: bool) -> bool:
    """Whether *end* got through."""
    rooms = Rooms(root, ObservedDisk(cut, can_exchange=can_exchange))
    try:
        rooms.syncs.end(sync_id)
    except PowerCut:
        return False
    finally:
        rooms.close()
    return True


def _recover_with_a_cut(root: Path, cut: _CutAt, *, can_exchange: bool) -> bool:
    rooms = Rooms(root, ObservedDisk(cut, can_exchange=can_exchange), recovered=False)
    try:
        rooms.recover()
    except PowerCut:
        return False
    finally:
        rooms.close()
    return True


def _trashed(root: Path, sync_id: int) -> dict[str, bytes]:
    trash = root / ".lakedrop" / "trash" / str(sync_id)
    if not trash.exists():
        return {}
    return {path.partition("/")[2]: data for path, data in tree(trash).items()}


def _assert_sound(root: Path, sync_id: int, *, ended: bool) -> bool:
    """Wholly old or wholly new, nothing lost. Returns whether it is the new data."""
    rooms = Rooms(root)
    seen = tree(rooms.files)
    [job] = rooms.syncs.jobs(sync_id - 1, 1)
    rooms.close()
    if job.sync_status is SyncStatus.FINISHED:
        assert seen == NEW
        assert _trashed(root, sync_id) == OLD
        assert not (root / ".lakedrop" / "staging" / str(sync_id)).exists()
        return True
    assert not ended
    assert seen == OLD
    assert tree(root / ".lakedrop" / "staging" / str(sync_id)) == {
        "a.csv": b"new a",
        "sub/b.csv": b"new b",
    }
    return False


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchange", "two renames"])
def test_a_swap_cut_at_any_step_is_wholly_old_or_wholly_new(
    staged_lake: tuple[Path, int], tmp_path: Path, can_exchange: bool
) -> None:
    template, sync_id = staged_lake
    outcomes = []
    for number in range(100):
        root = Path(shutil.copytree(template, tmp_path / f"cut-{number}"))
        ended = _end_with_a_cut(root, sync_id, _CutAt(number), can_exchange=can_exchange)
        if can_exchange:
            # Without recovery, as a reader of the dead server's folder sees it.
            assert tree(root / "files") in (OLD, NEW)
        outcomes.append(_assert_sound(root, sync_id, ended=ended))
        if ended:
            break
    assert len(outcomes) > 8
    assert outcomes[0] is False
    assert outcomes == sorted(outcomes), "once new, never old again"


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchange", "two renames"])
def test_a_recovery_that_is_cut_itself_loses_nothing(
    staged_lake: tuple[Path, int], tmp_path: Path, can_exchange: bool
) -> None:
    template, sync_id = staged_lake
    recoveries = 0
    for number in range(4, 100, 3):
        cut_root = Path(shutil.copytree(template, tmp_path / f"cut-{number}"))
        if _end_with_a_cut(cut_root, sync_id, _CutAt(number), can_exchange=can_exchange):
            break
        for again in range(0, 100, 2):
            root = Path(shutil.copytree(cut_root, tmp_path / f"cut-{number}-{again}"))
            done = _recover_with_a_cut(root, _CutAt(again), can_exchange=can_exchange)
            recoveries += 1
            _assert_sound(root, sync_id, ended=False)
            if done:
                break
    assert recoveries > 10


def test_of_the_test_a_recovery_blind_to_the_exchange_is_caught(
    staged_lake: tuple[Path, int], tmp_path: Path
) -> None:
    """A recovery that takes whatever is staged for the new data swaps the old data back."""
    template, sync_id = staged_lake
    root = Path(shutil.copytree(template, tmp_path / "lake"))
    exchanged = False

    def cut_after_the_exchange(step: Step) -> None:
        nonlocal exchanged
        if exchanged:
            raise PowerCut
        exchanged = step[0] == "exchange"

    rooms = Rooms(root, ObservedDisk(cut_after_the_exchange))
    with pytest.raises(PowerCut):
        rooms.syncs.end(sync_id)
    rooms.close()

    class BlindDisk(ObservedDisk):
        def mtime_ns(self, path: str) -> int:
            [intent] = blind.catalog.open_intents()
            return intent.staged_mtime_ns

    blind = Rooms(root, BlindDisk(), recovered=False)
    blind.recover()
    assert tree(blind.files) == OLD  # the wrong outcome, which _assert_sound notices:
    blind.close()
    with pytest.raises(AssertionError):
        _assert_sound(root, sync_id, ended=False)


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchange", "two renames"])
def test_a_recovery_syncs_the_trash_that_a_killed_run_moved_the_old_folder_to(
    staged_lake: tuple[Path, int], tmp_path: Path, can_exchange: bool
) -> None:
    template, sync_id = staged_lake
    root = Path(shutil.copytree(template, tmp_path / "lake"))
    place = root / ".lakedrop" / "trash" / str(sync_id) / "1" / "data" / "x"
    is_moved = False

    def cut_after_the_move(step: Step) -> None:
        nonlocal is_moved
        if is_moved:
            raise PowerCut
        is_moved = step == ("rename", str(place))

    rooms = Rooms(root, ObservedDisk(cut_after_the_move, can_exchange=can_exchange))
    with pytest.raises(PowerCut):
        rooms.syncs.end(sync_id)
    rooms.close()
    assert place.is_dir()

    disk = ObservedDisk(can_exchange=can_exchange)
    Rooms(root, disk).close()
    synced = disk.steps.index(("fsync folder", str(place.parent)))
    assert all(what != "rename" for what, _ in disk.steps[:synced]), "before anything rests on it"
    _assert_sound(root, sync_id, ended=True)


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchange", "two renames"])
def test_a_full_sync_of_a_new_path_leaves_no_trash(lake_root: Path, can_exchange: bool) -> None:
    rooms = Rooms(lake_root, ObservedDisk(can_exchange=can_exchange))
    sync_id = rooms.start("/data/new/x", SyncType.FULL)
    rooms.send(sync_id, "a.csv", b"1")
    assert tree(rooms.files) == {}
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {"data/new/x/a.csv": b"1"}
    assert list(rooms.trash.iterdir()) == []
    rooms.close()


def test_an_end_that_failed_at_the_disk_can_be_asked_again(
    staged_lake: tuple[Path, int], tmp_path: Path
) -> None:
    template, sync_id = staged_lake
    root = Path(shutil.copytree(template, tmp_path / "lake"))
    broken = True

    def on_step(step: Step) -> None:
        if broken and step[0] == "exchange":
            raise OSError(5, "Input/output error")

    rooms = Rooms(root, ObservedDisk(on_step))
    with pytest.raises(Exception, match="disk failed"):
        rooms.syncs.end(sync_id)
    assert tree(rooms.files) == OLD
    with pytest.raises(Exception, match="job is already ended"):
        rooms.send(sync_id, "late.csv", b"would take the mark off the staged folder")
    broken = False
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == NEW
    rooms.close()


def test_what_a_forgotten_catalog_staged_is_published_by_nobody(lake_root: Path) -> None:
    stale = lake_root / ".lakedrop" / "staging" / "1"
    stale.mkdir(parents=True)
    (stale / "stale.csv").write_bytes(b"of another life")
    rooms = Rooms(lake_root)
    sync_id = rooms.start("/data/x", SyncType.FULL)
    assert sync_id == 1
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {}
    assert list(tree(rooms.trash).values()) == [b"of another life"]
    rooms.close()

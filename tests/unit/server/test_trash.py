"""What syncs replaced comes back, whole or not at all, wherever it is cut off."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded_server.catalog.sql_origins import SqlOrigins
from embedded_server.contract import SyncType
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import (
    ChangedMeanwhile,
    NotAllowed,
    NothingThere,
    PathConflict,
    Refused,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.trash import Version
from embedded_server.services.trash_service import DAY_MS, TrashService
from embedded_server.storage.disk import Disk
from tests.support.observed_disk import ObservedDisk, PowerCut, tree
from tests.unit.server.conftest import Rooms

_OLD = {"a.csv": b"old a", "deep/b.csv": b"old b", "deep/c.csv": b"old c"}
_PATH = LakePath.parse("/data/x")


def _trash(rooms: Rooms, clock: Callable[[], int] | None = None) -> TrashService:
    lake = rooms.lake
    origins = SqlOrigins(rooms.catalog)
    return TrashService(
        lake.trashed, lake.putting_back, rooms.catalog, origins, clock or rooms.clock
    )


def _send(rooms: Rooms, sync_id: int, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        folder, _, name = f"/data/x/{path}".rpartition("/")
        rooms.send(sync_id, name, data, folder)


def _synced(rooms: Rooms, sync_type: SyncType, files: dict[str, bytes]) -> int:
    sync_id = rooms.start("/data/x", sync_type)
    _send(rooms, sync_id, files)
    rooms.syncs.end(sync_id)
    return sync_id


def _published(root: Path) -> dict[str, bytes]:
    return tree(root / "files" / "data" / "x")


@pytest.fixture(params=[SyncType.FULL, SyncType.INCREMENTAL])
def replaced(request: pytest.FixtureRequest, lake_root: Path) -> tuple[Path, Version, Any]:
    """A lake with old files that a sync replaced; (root, version, what stands there now)."""
    rooms = Rooms(lake_root)
    _synced(rooms, SyncType.INCREMENTAL, _OLD)
    new = {"a.csv": b"new a", "deep/b.csv": b"new b", "added.csv": b"added"}
    sync_id = _synced(rooms, request.param, new)
    now = _published(lake_root)
    rooms.close()
    return lake_root, Version(sync_id, 1), (request.param, now)


def _expected(sync_type: SyncType, now: dict[str, bytes]) -> dict[str, bytes]:
    """A full sync's folder is as it was; of an incremental one the replaced files are."""
    if sync_type is SyncType.FULL:
        return _OLD
    return {**now, "a.csv": b"old a", "deep/b.csv": b"old b"}


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_sync_is_taken_back_as_one_unit_and_that_is_taken_back_too(
    replaced: tuple[Path, Version, Any], can_exchange: bool
) -> None:
    root, version, (sync_type, now) = replaced
    rooms = Rooms(root, ObservedDisk(can_exchange=can_exchange))
    done = _trash(rooms).restore(OWNER, version, None)
    assert _published(root) == _expected(sync_type, now)
    assert done.undo is not None
    again = _trash(rooms).restore(OWNER, done.undo, None)
    assert _published(root) == now
    assert again.undo is not None
    _trash(rooms).restore(OWNER, again.undo, None)
    assert _published(root) == _expected(sync_type, now)
    assert not any((root / ".lakedrop").glob("restoring/*"))
    rooms.close()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_two_restores_of_what_was_seen_at_the_same_time_are_one(
    replaced: tuple[Path, Version, Any], can_exchange: bool
) -> None:
    root, version, (sync_type, now) = replaced
    rooms = Rooms(root, ObservedDisk(can_exchange=can_exchange))
    [row] = _trash(rooms).list(OWNER, 0, 10)[1]
    _trash(rooms).restore(OWNER, version, None, row.state)
    with pytest.raises((ChangedMeanwhile, NothingThere)):
        _trash(rooms).restore(OWNER, version, None, row.state)
    assert _published(root) == _expected(sync_type, now)
    rooms.close()


def _steps_of_restore(root: Path, version: Version, scratch: Path, can_exchange: bool) -> int:
    copy = shutil.copytree(root, scratch / "counted")
    disk = ObservedDisk(can_exchange=can_exchange)
    rooms = Rooms(copy, disk)
    disk.forget_steps()
    _trash(rooms).restore(OWNER, version, None)
    rooms.close()
    return len(disk.steps)


@pytest.mark.parametrize("disk_is", ["modern", "without exchange", "without links"])
def test_a_restore_cut_at_any_step_is_wholly_done_or_not_begun(
    replaced: tuple[Path, Version, Any], tmp_path: Path, disk_is: str
) -> None:
    root, version, (sync_type, now) = replaced
    can_exchange = disk_is == "modern"
    has_links = disk_is != "without links"
    old = _expected(sync_type, now)
    count = _steps_of_restore(root, version, tmp_path, can_exchange)
    assert count >= 3
    outcomes = set()
    for cut_at in range(1, count + 1):
        copy = shutil.copytree(root, tmp_path / f"cut-{cut_at}")
        disk = _CutAt(cut_at, can_exchange, has_links=has_links)
        rooms = Rooms(copy, disk)
        disk.arm()
        with pytest.raises(PowerCut):
            _trash(rooms).restore(OWNER, version, None)
        rooms.close()
        started = Rooms(copy, _CutAt(0, can_exchange, has_links=has_links))
        found = _published(copy)
        assert found in (old, now), cut_at
        outcomes.add(found == old)
        kept = set(tree(copy / ".lakedrop" / "trash").values())
        other = now if found == old else old
        assert set(other.values()) <= kept | set(found.values()), cut_at
        assert not any((copy / ".lakedrop").glob("restoring/*"))
        started.close()
        shutil.rmtree(copy)
    assert outcomes == {True, False}


class _CutAt(ObservedDisk):
    """Never, until it is armed."""

    def __init__(self, number: int, can_exchange: bool, *, has_links: bool = True) -> None:
        super().__init__(self._count, can_exchange=can_exchange)
        self._has_links = has_links
        self._left: int | None = None
        self._number = number

    def arm(self) -> None:
        self._left = self._number

    def link(self, source: str, target: str) -> None:
        if not self._has_links:
            raise OSError(errno.EPERM, "no links on this disk")
        super().link(source, target)

    def _count(self, _: object) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise PowerCut


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_start_that_is_cut_while_it_goes_on_loses_nothing(
    replaced: tuple[Path, Version, Any], tmp_path: Path, can_exchange: bool
) -> None:
    root, version, (sync_type, now) = replaced
    count = _steps_of_restore(root, version, tmp_path, can_exchange)
    for cut_at in range(2, count + 1, 2):
        copy = shutil.copytree(root, tmp_path / f"cut-{cut_at}")
        disk = _CutAt(cut_at, can_exchange)
        rooms = Rooms(copy, disk)
        disk.arm()
        with pytest.raises(PowerCut):
            _trash(rooms).restore(OWNER, version, None)
        rooms.close()
        for next_cut in range(1, count):
            disk = _CutAt(next_cut, can_exchange)
            disk.arm()
            rooms = Rooms(copy, disk, recovered=False)
            try:
                rooms.recover()
            except PowerCut:
                pass
            else:
                break
            finally:
                rooms.close()
        assert _published(copy) in (_expected(sync_type, now), now), cut_at
        everything = set(tree(copy).values())
        assert set(_OLD.values()) | set(now.values()) <= everything, cut_at
        shutil.rmtree(copy)


def test_one_file_comes_back_alone(replaced: tuple[Path, Version, Any]) -> None:
    root, version, (_, now) = replaced
    rooms = Rooms(root)
    trash = _trash(rooms)
    done = trash.restore(OWNER, version, LakePath.parse("/data/x/deep/b.csv"))
    assert _published(root) == {**now, "deep/b.csv": b"old b"}
    with pytest.raises(NothingThere):
        trash.restore(OWNER, version, LakePath.parse("/data/x/deep/b.csv"))
    assert done.undo is not None
    trash.restore(OWNER, done.undo, None)
    assert _published(root) == now
    rooms.close()


def test_a_part_put_back_is_never_taken_for_the_whole_folder(lake_root: Path) -> None:
    """Its undo merges: exchanged with the folder it would take all other files away."""
    rooms = Rooms(lake_root)
    _synced(rooms, SyncType.FULL, _OLD)
    new = {name: data.replace(b"old", b"new") for name, data in _OLD.items()}
    sync_id = _synced(rooms, SyncType.FULL, new)
    trash = _trash(rooms)
    done = trash.restore(OWNER, Version(sync_id, 1), LakePath.parse("/data/x/deep"))
    assert _published(lake_root) == {**_OLD, "a.csv": b"new a"}
    assert done.undo is not None
    trash.restore(OWNER, done.undo, None)
    assert _published(lake_root) == new
    rooms.close()


def test_versions_tell_their_sync_files_and_bytes(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    _synced(rooms, SyncType.INCREMENTAL, _OLD)
    full = _synced(rooms, SyncType.FULL, {"a.csv": b"new"})
    total, [row] = _trash(rooms).list(OWNER, 0, 10)
    assert (total, row.version, row.top) == (1, Version(full, 1), "/data/x")
    assert (row.files, row.size_bytes) == (3, sum(map(len, _OLD.values())))
    assert row.job is not None
    assert abs(row.replaced_at_ms - row.job.end_time) < 60_000
    page, more = _trash(rooms).files(OWNER, row.version, 1, 1)
    assert ([it.path for it in page], more) == (["/data/x/deep/b.csv"], True)
    rooms.close()


def test_a_running_sync_is_not_put_back(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    _synced(rooms, SyncType.INCREMENTAL, _OLD)
    running = rooms.start("/data/x")
    _send(rooms, running, {"a.csv": b"new a"})
    with pytest.raises(Refused, match="still runs"):
        _trash(rooms).restore(OWNER, Version(running, 1), None)
    rooms.close()


def test_a_link_in_the_way_changes_nothing(
    replaced: tuple[Path, Version, Any], tmp_path: Path
) -> None:
    root, version, _ = replaced
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(root / "files" / "data" / "x")
    (root / "files" / "data" / "x").symlink_to(outside)
    before = tree(root / ".lakedrop" / "trash")
    rooms = Rooms(root)
    with pytest.raises(PathConflict):
        _trash(rooms).restore(OWNER, version, None)
    with pytest.raises(PathConflict):
        _trash(rooms).restore(OWNER, version, LakePath.parse("/data/x/a.csv"))
    assert list(outside.iterdir()) == []
    assert tree(root / ".lakedrop" / "trash") == before
    rooms.close()


def test_a_folder_where_a_file_was_goes_to_the_trash(
    replaced: tuple[Path, Version, Any],
) -> None:
    root, version, _ = replaced
    (root / "files/data/x/a.csv").unlink()
    (root / "files/data/x/a.csv").mkdir()
    (root / "files/data/x/a.csv/inside").write_bytes(b"inside")
    now = _published(root)
    rooms = Rooms(root)
    done = _trash(rooms).restore(OWNER, version, LakePath.parse("/data/x/a.csv"))
    assert _published(root)["a.csv"] == b"old a"
    assert done.undo is not None
    _trash(rooms).restore(OWNER, done.undo, None)
    assert _published(root) == now
    rooms.close()


def test_keys_see_and_put_back_what_lies_at_their_path(
    replaced: tuple[Path, Version, Any],
) -> None:
    root, version, _ = replaced
    rooms = Rooms(root)
    trash = _trash(rooms)
    here, elsewhere = Caller("a", _PATH), Caller("b", LakePath.parse("/data/y"))
    assert trash.list(here, 0, 10)[0] == 1
    assert trash.list(elsewhere, 0, 10) == (0, [])
    for ask in (
        lambda: trash.restore(elsewhere, version, None),
        lambda: trash.restore(elsewhere, version, LakePath.parse("/data/x/a.csv")),
        lambda: trash.restore(Caller("c", None, is_read_only=True), version, None),
        lambda: trash.files(elsewhere, version, 0, 10),
    ):
        with pytest.raises(NotAllowed):
            ask()
    trash.restore(here, version, None)
    rooms.close()


def test_a_purge_goes_by_age_and_by_size(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    for data in (b"1", b"22", b"333", b"4444"):
        _synced(rooms, SyncType.FULL, {"a.csv": data})
    assert len(rooms.lake.trashed.versions()) == 3
    assert _trash(rooms).purge(DAY_MS, None).versions == 0
    later = _trash(rooms, lambda: rooms.clock() + 2 * DAY_MS)
    assert _trash(rooms).purge(None, 3).size_bytes == 3  # 1 and 22 are the oldest
    assert [it.sync_id for it in rooms.lake.trashed.versions()] == [4]
    (lake_root / ".lakedrop/trash/staged-1").mkdir()
    assert later.purge(DAY_MS, None).versions == 2
    assert list((lake_root / ".lakedrop/trash").iterdir()) == []
    assert _published(lake_root) == {"a.csv": b"4444"}
    rooms.close()


def test_a_purge_cut_at_any_step_is_done_or_not_begun(
    replaced: tuple[Path, Version, Any], tmp_path: Path
) -> None:
    root, version, (_, now) = replaced
    for cut_at in (1, 2):
        copy = shutil.copytree(root, tmp_path / f"cut-{cut_at}")
        before = tree(copy / ".lakedrop/trash")
        disk = _CutAt(cut_at, can_exchange=True)
        rooms = Rooms(copy, disk)
        disk.arm()
        with pytest.raises(PowerCut):
            rooms.lake.trashed.remove(version)
        rooms.close()
        Rooms(copy).close()
        assert tree(copy / ".lakedrop/trash") == (before if cut_at == 1 else {})
        assert list((copy / ".lakedrop/incoming").iterdir()) == []
        assert _published(copy) == now


@pytest.mark.parametrize("can_exchange", [True, False])
def test_what_was_put_back_is_durable_before_the_answer(
    replaced: tuple[Path, Version, Any], can_exchange: bool
) -> None:
    """Every folder that gained or lost a name is fsynced after that, and before what follows."""
    root, version, _ = replaced
    disk = ObservedDisk(can_exchange=can_exchange)
    rooms = Rooms(root, disk)
    disk.forget_steps()
    _trash(rooms).restore(OWNER, version, None)
    unsynced: set[str] = set()
    for what, path in disk.steps:
        folder = str(Path(path).parent)
        if what in ("rename", "replace", "exchange"):
            kept = {it for it in unsynced if "/trash/" in it}
            assert not kept, "what is replaced has no durable name in the trash yet"
            unsynced.add(folder)
        elif what in ("link", "make folder"):
            unsynced.add(folder)
        elif what == "fsync folder":
            unsynced.discard(path)
    assert not unsynced
    rooms.close()
    assert isinstance(disk, Disk)

"""What readers see of uploads, what goes to the trash, and the fence at *end*."""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_server.contract import SyncType
from embedded_server.domain.errors import (
    InvalidParam,
    LakeError,
    LakeFault,
    LakeFull,
    PathConflict,
    SyncAlreadyEnded,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.services.open_syncs import SyncGate
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.folder_syncer import FolderSyncer
from tests.support.observed_disk import ObservedDisk, Step, tree
from tests.unit.server.conftest import Rooms


def _versions_in_trash(rooms: Rooms, name: str) -> list[bytes]:
    return sorted(data for path, data in tree(rooms.trash).items() if path.endswith(name))


def test_a_replaced_file_lies_in_the_trash_under_its_own_path(rooms: Rooms) -> None:
    first = rooms.start("/data/x")
    rooms.send(first, "a.csv", b"one", "/data/x/sub")
    second = rooms.start("/data/x")
    rooms.send(second, "a.csv", b"two", "/data/x/sub")
    assert tree(rooms.files) == {"data/x/sub/a.csv": b"two"}
    assert tree(rooms.trash) == {f"{second}/1/data/x/sub/a.csv": b"one"}


def test_every_replaced_version_is_kept(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    for version in (b"1", b"2", b"3", b"4"):
        rooms.send(sync_id, "a.csv", version)
    assert tree(rooms.files) == {"data/x/a.csv": b"4"}
    assert _versions_in_trash(rooms, "a.csv") == [b"1", b"2", b"3"]


def test_the_same_bytes_sent_again_add_nothing_to_the_trash(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    digests = {rooms.send(sync_id, "a.csv", b"same") for _ in range(3)}
    assert len(digests) == 1
    assert tree(rooms.trash) == {}
    assert list(Path(rooms.layout.incoming).iterdir()) == []
    assert len(rooms.syncs.history(0, 10)) == 3
    # A later sync did not put them there: it replaces, as it is told.
    published = rooms.files / "data/x/a.csv"
    os.utime(published, (published.stat().st_mtime - 60,) * 2)
    rooms.send(rooms.start("/data/x"), "a.csv", b"same")
    assert _versions_in_trash(rooms, "a.csv") == [b"same"]


def test_a_crash_between_rename_and_catalog_leaves_nothing_twice(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    folder = rooms.files / "data/x"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"same")  # renamed into place; the catalog never heard of it
    rooms.send(sync_id, "a.csv", b"same")
    assert tree(rooms.trash) == {}


def test_a_resend_replaces_what_somebody_else_wrote_in_between(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "a.csv", b"mine")
    (rooms.files / "data/x/a.csv").write_bytes(b"hers")
    rooms.send(sync_id, "a.csv", b"mine")
    assert tree(rooms.files) == {"data/x/a.csv": b"mine"}
    assert _versions_in_trash(rooms, "a.csv") == [b"hers"]


def test_one_name_sent_32_times_at_once_loses_no_version(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    versions = [b"version %02d" % number * 1000 for number in range(32)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda data: rooms.send(sync_id, "a.csv", data), versions))
    seen = (rooms.files / "data/x/a.csv").read_bytes()
    assert sorted([seen, *_versions_in_trash(rooms, "a.csv")]) == sorted(versions)


def test_a_full_sync_shows_nothing_before_its_end(rooms: Rooms) -> None:
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "new.csv", b"1")
    rooms.send(sync_id, "new.csv", b"2")
    assert tree(rooms.files) == {"data/x/old.csv": b"old"}
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {"data/x/new.csv": b"2"}
    assert tree(rooms.trash) == {f"{sync_id}/1/data/x/old.csv": b"old"}


def test_a_full_sync_without_files_leaves_the_path_empty(rooms: Rooms) -> None:
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {}
    assert rooms.syncs.usage(LakePath.parse("/data/x")).files == 0
    assert tree(rooms.trash) == {f"{sync_id}/1/data/x/old.csv": b"old"}


def test_an_abandoned_full_sync_is_not_published_by_the_next(rooms: Rooms) -> None:
    abandoned = rooms.start("/data/x", SyncType.FULL)
    rooms.send(abandoned, "abandoned.csv", b"x")
    second = rooms.start("/data/x", SyncType.FULL)
    rooms.send(second, "b.csv", b"y")
    rooms.syncs.end(second)
    assert tree(rooms.files) == {"data/x/b.csv": b"y"}


@pytest.mark.parametrize("in_the_way", ["file", "link"])
@pytest.mark.parametrize("sync_type", list(SyncType))
def test_something_in_the_way_of_a_folder_is_refused(
    rooms: Rooms, tmp_path: Path, in_the_way: str, sync_type: SyncType
) -> None:
    (tmp_path / "outside").mkdir()
    blocked = rooms.files / "data"
    if in_the_way == "link":
        blocked.symlink_to(tmp_path / "outside", target_is_directory=True)
    else:
        blocked.write_bytes(b"a file")
    with pytest.raises(PathConflict):
        rooms.start("/data/x", sync_type)
    assert rooms.syncs.jobs(0, 10) == []
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "link", "link in a folder's place"])
def test_something_in_the_way_of_a_file_is_refused_and_left_alone(
    rooms: Rooms, tmp_path: Path, kind: str
) -> None:
    sync_id = rooms.start("/data/x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_bytes(b"precious")
    here = rooms.files / "data" / "x"
    here.mkdir(parents=True)
    folder = None
    if kind == "folder":
        (here / "a.csv").mkdir()
    elif kind == "link":
        (here / "a.csv").symlink_to(outside / "a.csv")
    else:
        (here / "sub").symlink_to(outside, target_is_directory=True)
        folder = "/data/x/sub"
    with pytest.raises(PathConflict):
        rooms.send(sync_id, "a.csv", b"new", folder)
    assert tree(outside) == {"a.csv": b"precious"}
    assert list(Path(rooms.layout.incoming).iterdir()) == []


def test_an_upload_is_either_before_the_end_or_out(rooms: Rooms) -> None:
    """*end* comes while uploads are on their way: acknowledged means in, refused means out."""
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    half_way = threading.Event()
    acknowledged: list[str] = []

    def upload(number: int) -> None:
        if number == 20:
            half_way.set()
        try:
            rooms.send(sync_id, f"f{number}.csv", b"x")
        except SyncAlreadyEnded:
            return
        acknowledged.append(f"data/x/f{number}.csv")

    with ThreadPoolExecutor(5) as pool:
        uploads = [pool.submit(upload, number) for number in range(60)]
        half_way.wait(30)
        rooms.syncs.end(sync_id)
        for done in uploads:
            done.result()
    assert sorted(tree(rooms.files)) == sorted(acknowledged)
    assert len(acknowledged) >= 15
    records = rooms.syncs.history(1, 1_000)
    assert sum(record.sync_status == "Finished" for record in records) == len(acknowledged)


def _go_in_again_and_again(gate: SyncGate) -> None:
    for _ in range(1_000_000):
        with gate.committing():
            pass


def test_end_waits_for_the_one_who_is_inside_and_lets_nobody_else_in(lake_root: Path) -> None:
    inside, let_go, swap_began = threading.Event(), threading.Event(), threading.Event()

    def on_step(step: Step) -> None:
        if step[0] == "replace":
            inside.set()
            let_go.wait(30)
        elif step[0] == "mark":
            swap_began.set()

    rooms = Rooms(lake_root, ObservedDisk(on_step))
    sync_id = rooms.start("/data/x", SyncType.FULL)
    gate = rooms.uploads.find_sync(sync_id)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(rooms.send, sync_id, "slow.csv", b"slow")
        inside.wait(30)
        ending = pool.submit(rooms.syncs.end, sync_id)
        try:
            with pytest.raises(SyncAlreadyEnded):
                _go_in_again_and_again(gate)
            # Returns at once where *end* does not wait, and then the slow file is lost.
            assert not swap_began.wait(0.5)
        finally:
            let_go.set()
        slow.result(30)
        ending.result(30)
    assert tree(rooms.files) == {"data/x/slow.csv": b"slow"}
    rooms.close()


def test_parallel_ends_swap_once(rooms: Rooms) -> None:
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "new.csv", b"new")

    def end(_: int) -> str:
        try:
            rooms.syncs.end(sync_id)
        except LakeError as error:
            return error.message
        return "ended"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(end, range(8)))
    assert outcomes == ["ended"] + ["job is already ended"] * 7
    assert tree(rooms.files) == {"data/x/new.csv": b"new"}
    assert tree(rooms.trash) == {f"{sync_id}/1/data/x/old.csv": b"old"}


def test_syncs_of_overlapping_paths_end_one_after_the_other(rooms: Rooms) -> None:
    for _ in range(5):
        outer, inner = rooms.start("/d", SyncType.FULL), rooms.start("/d/in", SyncType.FULL)
        rooms.send(outer, "o.csv", b"o")
        rooms.send(inner, "i.csv", b"i")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(rooms.syncs.end, [outer, inner]))
        assert tree(rooms.files) in ({"d/o.csv": b"o"}, {"d/o.csv": b"o", "d/in/i.csv": b"i"})


def test_an_fsync_that_was_running_already_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    """It may have begun before the caller's rename."""
    first_runs, let_go = threading.Event(), threading.Event()
    count = 0

    def on_step(_: Step) -> None:
        nonlocal count
        count += 1
        if count == 1:
            first_runs.set()
            let_go.wait(30)

    syncer = FolderSyncer(ObservedDisk(on_step))
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(syncer.fsync, str(tmp_path))
        first_runs.wait(30)
        others = [pool.submit(syncer.fsync, str(tmp_path)) for _ in range(3)]
        assert not any(done.done() for done in others)
        let_go.set()
        for done in [first, *others]:
            done.result(30)
    assert 2 <= count <= 4


def test_a_failed_fsync_is_told_to_everybody_who_waited(tmp_path: Path) -> None:
    class Failing(Disk):
        def fsync_folder(self, path: str) -> None:
            raise OSError(5, "Input/output error", path)

    syncer = FolderSyncer(Failing())
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(syncer.fsync, str(tmp_path)) for _ in range(20)]
        assert all(isinstance(done.exception(30), OSError) for done in outcomes)


@pytest.mark.parametrize(
    "name", ["Juillet\u202f: 5\u00a0000 €", "👩\u200d🔬", "x\u3000y", "\u200fx"]
)
def test_a_sync_may_have_any_name_that_fits_on_a_line(rooms: Rooms, name: str) -> None:
    sync_id = rooms.syncs.start(name, "/data/x", SyncType.FULL)
    [job] = rooms.syncs.jobs(sync_id - 1, 1)
    assert job.name == name


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "a\x85b", "\ud800", "a\u2028b", "a\u2029b"])
def test_a_sync_name_that_would_break_a_line_is_refused(rooms: Rooms, name: str) -> None:
    with pytest.raises(InvalidParam, match="control character"):
        rooms.syncs.start(name, "/data/x", SyncType.FULL)


def test_a_place_that_the_disk_does_not_let_us_see_is_told_as_the_disks_fault(
    lake_root: Path,
) -> None:
    class Locked(Disk):
        def kind(self, path: str) -> Kind:
            if path.endswith("data"):
                raise PermissionError(13, "Permission denied", path)
            return super().kind(path)

    rooms = Rooms(lake_root, Locked())
    with pytest.raises(LakeFault, match="Permission denied"):
        rooms.start("/data/x", SyncType.FULL)
    rooms.close()


def test_a_version_that_cannot_be_kept_whole_is_not_kept_in_part(lake_root: Path) -> None:
    """Where the disk knows no links, a copy goes to the trash, and the disk is full."""
    is_full = False

    class NoLinks(ObservedDisk):
        def link(self, source: str, target: str) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        def write(self, descriptor: int, data: bytes | memoryview) -> None:
            if is_full and data == b"old":
                super().write(descriptor, data[:1])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(descriptor, data)

    rooms = Rooms(lake_root, NoLinks())
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "a.csv", b"old")
    is_full = True
    with pytest.raises(LakeFull):
        rooms.send(sync_id, "a.csv", b"new")
    assert tree(rooms.trash) == {}
    assert tree(rooms.files) == {"data/x/a.csv": b"old"}
    is_full = False
    rooms.send(sync_id, "a.csv", b"new")
    assert list(tree(rooms.trash).values()) == [b"old"]
    rooms.close()


def test_usage_counts_nothing_behind_a_link(rooms: Rooms, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    (outside / "x" / "precious.csv").write_bytes(b"precious")
    (rooms.files / "data").symlink_to(outside, target_is_directory=True)
    for path in ("/data", "/data/x", "/data/x/precious.csv"):
        usage = rooms.syncs.usage(LakePath.parse(path))
        assert (usage.files, usage.bytes) == (0, 0)

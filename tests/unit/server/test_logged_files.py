"""What the log of small files keeps, when it may be forgotten, and what a start does with it."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import LakeFault, LakeFull
from embedded_server.domain.upload import UploadRow
from embedded_server.storage.disk import CAN_LOG, Disk
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.intake_log import SEGMENT_BYTES, logged_files
from embedded_server.storage.layout import Layout
from embedded_server.storage.local_lake import open_layout
from embedded_server.storage.logged_files import Held, LoggedFiles
from embedded_server.storage.replay import Replay, fact_row
from embedded_server.storage.small_files import InThisProcess, LogPlace, PutOutcome, ToPut
from tests.support.observed_disk import ObservedDisk
from tests.unit.server.conftest import Rooms

pytestmark = pytest.mark.skipif(not CAN_LOG, reason="there is no log on this system")

FOLDER = "/data/x"


class Log:
    """The log of a lake in a folder, with what happens to it written down in order."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.disk = disk or ObservedDisk()
        self.layout: Layout = open_layout(str(root), self.disk)
        self.folder = Path(self.layout.files, *FOLDER.split("/"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.happened: list[str] = []
        self.fails: Exception | None = None
        here = InThisProcess(self.disk)
        self.replay = Replay(self.disk, self.layout, DurableFolders(self.disk), here)
        self.files = LoggedFiles(self.disk, self.layout, here, self.replay, self._rows_to_disk)

    def _rows_to_disk(self) -> None:
        self.happened.append(f"rows, {sum(1 for _ in self.kept())} in the log")
        if self.fails is not None:
            raise self.fails

    def kept(self) -> Iterator[str]:
        for path in sorted(Path(self.layout.log).iterdir()):
            for logged in logged_files(str(path)):
                yield Path(logged.fact.target).name

    def to_put(self, name: str, data: bytes) -> ToPut:
        target = str(self.folder / name)
        row = UploadRow(
            *(1, FOLDER, name, len(data), hashlib.sha256(data).hexdigest(), 10, 20),
            *(SyncStatus.FINISHED, ""),
        )
        below = os.path.relpath(target, self.layout.root)
        temporary = Path(self.layout.incoming, f"t-{name}")
        return ToPut(str(temporary), target, [data], below, fact_row(row))

    def put(self, *files: tuple[str, bytes]) -> tuple[list[PutOutcome], Held]:
        return self.files.put([self.to_put(*file) for file in files])

    def standing(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "lake")


def test_what_was_put_is_in_sight_and_in_the_log(log: Log) -> None:
    outcomes, held = log.put(("a", b"one"), ("b", b""))
    assert outcomes == [(log.folder / name).stat().st_mtime_ns for name in "ab"]
    assert log.standing() == {"a": b"one", "b": b""}
    assert list(log.kept()) == ["a", "b"]
    assert held.is_held()
    assert list(Path(log.layout.incoming).iterdir()) == []


def test_the_log_is_forgotten_after_files_folder_and_rows_are_durable(log: Log) -> None:
    disk = log.disk
    assert isinstance(disk, ObservedDisk)
    _, held = log.put(("a", b"one"), ("b", b"two"))
    disk.forget_steps()
    log.files.settle()
    assert log.happened == ["rows, 2 in the log"]
    assert list(log.kept()) == []
    assert not held.is_held()
    assert ("fsync folder", str(log.folder)) in disk.steps


def test_rows_that_are_written_while_it_is_settled_are_not_held(log: Log) -> None:
    """They may come after `rows_to_disk`, and then the log is forgotten without them."""
    seen: list[bool] = []
    _, held = log.put(("a", b"one"))
    log.files._rows_to_disk = lambda: seen.append(held.is_held())  # the moment
    log.files.settle()
    assert seen == [False]


def test_nothing_is_forgotten_while_the_catalog_fails(log: Log) -> None:
    _, held = log.put(("a", b"one"))
    log.fails = LakeFull()
    with pytest.raises(LakeFull):
        log.files.settle()
    assert list(log.kept()) == ["a"]
    assert held.is_held()
    log.fails = None
    log.files.settle()
    assert list(log.kept()) == []


class _FailingFsync(ObservedDisk):
    """Of files below `files`, as long as `is_failing`; remembers which inodes it failed on."""

    is_failing = True

    def fsync_file(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if self.is_failing and "files" in path.parts and path.is_file():
            raise OSError(errno.EIO, "Input/output error")
        super().fsync_file(descriptor)


def test_after_an_fsync_that_failed_other_blocks_are_written(tmp_path: Path) -> None:
    disk = _FailingFsync()
    log = Log(tmp_path / "lake", disk)
    [mtime_ns], _ = log.put(("a", b"one"))
    inode = (log.folder / "a").stat().st_ino
    with pytest.raises(LakeFault):
        log.files.settle()
    assert list(log.kept()) == ["a"]
    disk.is_failing = False
    log.files.settle()
    assert log.standing() == {"a": b"one"}
    assert (log.folder / "a").stat().st_ino != inode
    assert (log.folder / "a").stat().st_mtime_ns == mtime_ns
    assert list(log.kept()) == []


def test_what_stands_in_the_way_is_told_and_stays_pending(log: Log) -> None:
    """A second put of a name must not take the first one's file for settled."""
    log.put(("a", b"one"), ("b", b"two"))
    outcomes, _ = log.put(("a", b"other"), ("c", b"three"))
    assert getattr(outcomes[0], "value", None) == "a file"
    assert log.files.is_pending(str(log.folder / "a"))
    assert log.standing() == {"a": b"one", "b": b"two", "c": b"three"}
    assert Path(log.layout.incoming, "t-a").read_bytes() == b"other"


class _NoRename(ObservedDisk):
    def replace(self, source: str, target: str) -> None:
        if target.endswith("/bad"):
            raise OSError(errno.ENOSPC, "No space left on device")
        super().replace(source, target)


def test_what_was_told_as_failed_does_not_come_back(tmp_path: Path) -> None:
    log = Log(tmp_path / "lake", _NoRename())
    outcomes, _ = log.put(("good", b"one"), ("bad", b"two"))
    assert isinstance(outcomes[1], OSError)
    assert list(log.kept()) == []
    again = Log(tmp_path / "lake")
    assert again.replay.go_on() == []
    assert again.standing() == {"good": b"one"}
    assert list(Path(log.layout.incoming).iterdir()) == []


class _NoLog(ObservedDisk):
    def fsync_data(self, descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_a_log_that_cannot_be_written_fails_what_it_was_to_hold(tmp_path: Path) -> None:
    log = Log(tmp_path / "lake", _NoLog())
    outcomes, _ = log.put(("a", b"one"), ("b", b"two"))
    assert all(isinstance(outcome, OSError) for outcome in outcomes)
    assert log.standing() == {}
    assert list(Path(log.layout.incoming).iterdir()) == []


def test_a_full_segment_makes_room(log: Log) -> None:
    data = bytes(range(256)) * 8_000
    for number in range(5 * SEGMENT_BYTES // len(data)):
        outcomes, _ = log.put((f"{number}", data))
        assert isinstance(outcomes[0], int)
    segments = list(Path(log.layout.log).iterdir())
    assert all(path.stat().st_size <= SEGMENT_BYTES for path in segments)
    assert log.happened, "it was never settled"
    log.files.settle()
    assert list(log.kept()) == []


def test_the_end_settles(log: Log) -> None:
    log.put(("a", b"one"))
    log.files.close()
    assert list(Path(log.layout.log).iterdir()) == []


def test_an_end_that_cannot_settle_leaves_all_to_the_next_start(log: Log) -> None:
    log.put(("a", b"one"))
    log.fails = LakeFull()
    log.files.close()
    assert [row.file_name for row in _left(log).replay.go_on()] == ["a"]


# -- what a start does ----------------------------------------------------------------------------


def _left(log: Log) -> Log:
    """The lake as the next server finds it, after a kill."""
    return Log(Path(log.layout.root))


def test_a_start_brings_back_what_was_not_there_torn_or_empty(log: Log) -> None:
    whole = bytes(range(1, 256)) * 40
    outcomes, _ = log.put(*((name, whole) for name in ("gone", "empty", "torn", "cut", "whole")))
    (log.folder / "gone").unlink()
    (log.folder / "empty").write_bytes(b"")
    (log.folder / "torn").write_bytes(whole[:500] + bytes(1000) + whole[1500:])
    (log.folder / "cut").write_bytes(whole[:5000])
    again = _left(log)
    rows = again.replay.go_on()
    assert again.standing() == dict.fromkeys(["cut", "empty", "gone", "torn", "whole"], whole)
    assert [(row.file_name, row.mtime_ns, row.sync_id) for row in rows] == [
        (name, mtime_ns, 1)
        for name, mtime_ns in zip(("gone", "empty", "torn", "cut", "whole"), outcomes, strict=True)
    ]
    for name, mtime_ns in zip(("gone", "empty", "torn", "cut", "whole"), outcomes, strict=True):
        assert (again.folder / name).stat().st_mtime_ns == mtime_ns
    assert list(again.kept()) != []
    again.replay.forget()
    assert list(again.kept()) == []


@pytest.mark.parametrize("other", [b"somebody else's", b"one and more", b"two"])
def test_what_somebody_put_there_since_is_left_alone(log: Log, other: bytes) -> None:
    log.put(("a", b"one"))
    (log.folder / "a").write_bytes(other)
    again = _left(log)
    [row] = again.replay.go_on()
    assert row.file_name == "a"
    assert again.standing() == {"a": other}


def test_a_link_in_the_way_is_left_alone(log: Log, tmp_path: Path) -> None:
    log.put(("a", b"one"))
    (log.folder / "a").unlink()
    (log.folder / "a").symlink_to(tmp_path / "elsewhere")
    assert len(_left(log).replay.go_on()) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_record_that_is_torn_was_never_acknowledged(log: Log) -> None:
    log.put(("a", b"one"))
    log.put(("b", b"two"))
    segment = Path(log.layout.log, "0")
    data = segment.read_bytes()
    for name in "ab":
        (log.folder / name).unlink()
    digest = data.index(hashlib.sha256(b"two").hexdigest().encode())
    for at in (4096, 4096 + 9, 4096 + 36, digest - 1, digest):
        segment.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert [row.file_name for row in _left(log).replay.go_on()] == ["a"]
    at = data.index(b"two", 4096)
    segment.write_bytes(data[:at] + b"tw0" + data[at + 3 :])
    assert [row.file_name for row in _left(log).replay.go_on()] == ["a"]


def test_what_an_older_run_left_behind_the_newest_record_is_not_done_again(log: Log) -> None:
    log.put(("a", b"one"))
    log.put(("b", b"two"))
    log.files.settle()
    log.put(("c", b"three"))
    (log.folder / "b").unlink()  # deleted, once it stood by itself
    again = _left(log)
    assert [row.file_name for row in again.replay.go_on()] == ["c"]
    assert again.standing() == {"a": b"one", "c": b"three"}


@pytest.mark.parametrize("cut", [0, 1, 39, 40, 200, 4095, 4096, 5000])
def test_a_segment_that_ends_anywhere_is_read_as_far_as_it_goes(log: Log, cut: int) -> None:
    log.put(("a", b"one" * 500), ("b", b"two" * 500))
    segment = Path(log.layout.log, "0")
    os.truncate(segment, cut)
    assert len(_left(log).replay.go_on()) <= 2


def test_records_of_two_processes_grow_one_segment(log: Log) -> None:
    """One of them remembers a size from before the other's records, and overwrites none."""
    one, other = InThisProcess(log.disk), InThisProcess(log.disk)
    path, end = log.layout.log_segment(0), 0
    for number in range(6):
        writer = (one, other)[number % 2]
        files = [log.to_put(f"{number}", b"%d" % number * 400_000)]
        _, end = writer.put(files, LogPlace(path, 7, end))
    assert [it.data for it in logged_files(path)] == [b"%d" % n * 400_000 for n in range(6)]


# -- in a whole lake ------------------------------------------------------------------------------


def test_rows_that_a_power_cut_took_from_the_catalog_come_back(lake_root: Path) -> None:
    rooms = Rooms(lake_root, has_log=True)
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "a.csv", b"one")
    rooms.lake.close()  # its row is durable
    rooms.stop()
    rooms.catalog.close()
    catalog = Path(rooms.layout.catalog)
    before = catalog.read_bytes()
    rooms = Rooms(lake_root, has_log=True)
    rooms.send(sync_id, "b.csv", b"two")
    told = rooms.syncs.history(0, 10)
    rooms.stop()  # no more than that: what the log holds stays there
    rooms.catalog.close()
    catalog.write_bytes(before)

    again = Rooms(lake_root, has_log=True)
    assert again.syncs.history(0, 10) == told
    assert [job.total_files for job in again.syncs.jobs(0, 10)] == [2]
    again.close()
    once_more = Rooms(lake_root, has_log=True)
    assert once_more.syncs.history(0, 10) == told
    once_more.close()


def test_what_is_staged_is_durable_before_the_swap(lake_root: Path) -> None:
    disk = ObservedDisk()
    rooms = Rooms(lake_root, disk, has_log=True)
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "a.csv", b"one")
    disk.forget_steps()
    rooms.syncs.end(sync_id)
    steps = disk.steps
    [synced] = [
        n for n, (what, path) in enumerate(steps) if (what, path[-6:]) == ("fsync", "/a.csv")
    ]
    assert synced < steps.index(("rename", str(rooms.files / "data/x")))
    rooms.close()


def test_what_comes_into_sight_was_synced_before_whatever_the_log_holds(lake_root: Path) -> None:
    disk = ObservedDisk()
    rooms = Rooms(lake_root, disk, has_log=True)
    sync_id = rooms.start("/data/x")
    disk.forget_steps()
    rooms.send(sync_id, "a.csv", b"one")
    at = disk.steps.index(("replace", str(rooms.files / "data/x/a.csv")))
    assert ("fsync", disk.sources[at]) in disk.steps[:at]
    rooms.close()

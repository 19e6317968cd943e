"""The order of steps that an acknowledgement rests on, and that a test of it can fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded_server.contract import SyncType
from embedded_server.storage.local_lake import open_layout
from tests.support.observed_disk import DiskWithoutFsync, ObservedDisk, Step, tree
from tests.unit.server.conftest import Rooms


def complaints(disk: ObservedDisk, files: Path) -> list[str]:
    """What a power cut right after the answer could take away."""
    found = []
    steps = disk.steps
    for number, (what, path) in enumerate(steps):
        before, after = steps[:number], steps[number + 1 :]
        folder = str(Path(path).parent)
        if what == "replace":
            if ("fsync", disk.sources[number]) not in before:
                found.append(f"{path} came in sight before its bytes were synced")
            if ("fsync folder", folder) not in after:
                found.append(f"the entry of {path} was never synced")
            for kept in [path for what, path in before if what == "link"]:
                if ("fsync folder", str(Path(kept).parent)) not in before:
                    found.append(f"{path} was replaced before {kept} was synced")
        if what == "make folder" and ("fsync folder", folder) not in after:
            found.append(f"the entry of the new folder {path} was never synced")
    if not any(what == "replace" and path.startswith(str(files)) for what, path in steps):
        found.append("nothing was published")
    return found


def disk_after_uploads(lake_root: Path, disk: ObservedDisk) -> ObservedDisk:
    """A file in a new nested folder, and one that replaces an older file."""
    rooms = Rooms(lake_root, disk)
    sync_id = rooms.start("/data/db")
    rooms.send(sync_id, "old.csv", b"one")
    disk.forget_steps()
    rooms.send(sync_id, "new.csv", b"data", "/data/db/a/b")
    rooms.send(sync_id, "old.csv", b"two")
    rooms.close()
    return disk


def test_an_acknowledged_file_survives_a_power_cut(lake_root: Path) -> None:
    disk = disk_after_uploads(lake_root, ObservedDisk())
    assert complaints(disk, lake_root / "files") == []
    assert sum(what == "fsync" for what, _ in disk.steps) == 2


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: DiskWithoutFsync(folders=False), "before its bytes were synced"),
        (lambda: DiskWithoutFsync(files=False), "was never synced"),
    ],
    ids=["without fsync of files", "without fsync of folders"],
)
def test_of_the_test_a_missing_fsync_is_noticed(
    lake_root: Path, broken: Callable[[], ObservedDisk], complaint: str
) -> None:
    found = complaints(disk_after_uploads(lake_root, broken()), lake_root / "files")
    assert any(complaint in it for it in found)


@pytest.mark.parametrize("failing", ["create", "write", "fsync", "replace", "fsync folder", "link"])
@pytest.mark.parametrize(("error", "status"), [(28, 507), (5, 500), (122, 507)])
def test_a_failing_disk_is_an_error_and_never_an_acknowledgement(
    lake_root: Path, failing: str, error: int, status: int
) -> None:
    armed = False

    def on_step(step: Step) -> None:
        if armed and step[0] == failing:
            raise OSError(error, os.strerror(error))

    rooms = Rooms(lake_root, ObservedDisk(on_step))
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "a.csv", b"old")
    armed = True
    with pytest.raises(Exception) as failure:  # noqa: PT011  # its status is what is looked at
        rooms.send(sync_id, "a.csv", b"new bytes")
    armed = False
    assert getattr(failure.value, "status", None) == status
    assert list((lake_root / ".lakedrop" / "incoming").iterdir()) == []
    # Not acknowledged; and wholly old or wholly new, whichever it is.
    assert tree(rooms.files)["data/x/a.csv"] in (b"old", b"new bytes")
    rooms.send(sync_id, "a.csv", b"new bytes")
    assert tree(rooms.files) == {"data/x/a.csv": b"new bytes"}
    rooms.close()


def test_after_a_failed_fsync_the_same_descriptor_is_never_asked_again(lake_root: Path) -> None:
    def on_step(step: Step) -> None:
        if step[0] == "fsync":
            raise OSError(5, "Input/output error")

    disk = ObservedDisk(on_step)
    rooms = Rooms(lake_root, disk)
    sync_id = rooms.start("/data/x")
    with pytest.raises(Exception, match="disk failed"):
        rooms.send(sync_id, "a.csv", b"x")
    assert [what for what, _ in disk.steps].count("fsync") == 1
    assert tree(rooms.files) == {}
    [record] = rooms.syncs.history(0, 10)
    assert record.sync_status == "Failed"
    rooms.close()


def test_a_staged_file_is_synced_before_the_swap(lake_root: Path) -> None:
    disk = ObservedDisk()
    rooms = Rooms(lake_root, disk)
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "a.csv", b"x", "/data/x/sub")
    rooms.syncs.end(sync_id)
    rooms.close()
    whats = [what for what, _ in disk.steps]
    target = str(lake_root / "files" / "data" / "x")
    assert whats.index("fsync") < whats.index("replace") < whats.index("rename")
    assert ("fsync folder", str(Path(target).parent)) in disk.steps[whats.index("rename") :]


def test_a_new_lake_survives_a_power_cut_with_all_folders_above_it(tmp_path: Path) -> None:
    disk = ObservedDisk()
    root = tmp_path / "new" / "deep" / "lake"
    open_layout(str(root), disk)
    for folder in (
        tmp_path / "new",
        tmp_path / "new/deep",
        root,
        root / ".lakedrop",
        root / "files",
    ):
        made = disk.steps.index(("make folder", str(folder)))
        assert ("fsync folder", str(folder.parent)) in disk.steps[made:]

"""What a power cut may leave of a disk, step by step; no mount is needed for this."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.support.disk_steps import SECTOR_BYTES, Cut, Kept
from tests.support.needs import needs_fuse
from tests.support.power_cuts import power_cut_mount
from tests.support.volatile_disk import VolatileDisk

_FILE, _FOLDER = stat.S_IFREG | 0o600, stat.S_IFDIR | 0o700
_ROOT = "/"


class _Disk(VolatileDisk):
    """With the few calls that these tests are about."""

    def put(self, path: str, data: bytes, *, synced: bool) -> None:
        inode = self.make(path, _FILE)
        self.write(inode.number, 0, data)
        if synced:
            self.fsync(inode.number)

    def sync_folder(self, path: str) -> None:
        self.fsync(self.find(path).number)


def left(disk: VolatileDisk, folder: Path, kept: Kept, seed: int = 0) -> dict[str, bytes | None]:
    """Paths → bytes, None for a folder."""
    into = folder / f"{kept}-{seed}-{disk.steps}"
    into.mkdir()
    disk.leave(Cut(disk.steps, kept, seed), into)
    return {
        str(path.relative_to(into)): path.read_bytes() if path.is_file() else None
        for path in into.rglob("*")
    }


def test_a_files_own_sync_says_nothing_about_its_name(tmp_path: Path) -> None:
    disk = _Disk()
    disk.put("/a", b"data", synced=True)
    assert left(disk, tmp_path, Kept.NOTHING) == {}
    assert left(disk, tmp_path, Kept.ALL) == {"a": b"data"}
    disk.sync_folder(_ROOT)
    assert left(disk, tmp_path, Kept.NOTHING) == {"a": b"data"}


def test_a_name_without_its_bytes_is_empty_or_full_of_nuls(tmp_path: Path) -> None:
    disk = _Disk()
    disk.put("/a", b"data", synced=False)
    disk.sync_folder(_ROOT)
    assert left(disk, tmp_path, Kept.NOTHING) == {"a": b""}
    seen = {left(disk, tmp_path, Kept.NAMES, seed)["a"] for seed in range(20)}
    assert seen == {b"", b"\0\0\0\0"}


def test_what_is_below_a_folder_goes_with_its_entry(tmp_path: Path) -> None:
    disk = _Disk()
    disk.make("/new", _FOLDER)
    disk.put("/new/a", b"data", synced=True)
    disk.sync_folder("/new")
    assert left(disk, tmp_path, Kept.NOTHING) == {}
    disk.sync_folder(_ROOT)
    assert left(disk, tmp_path, Kept.NOTHING) == {"new": None, "new/a": b"data"}


def test_a_file_that_was_renamed_is_never_gone_from_both_folders(tmp_path: Path) -> None:
    disk = _Disk()
    for folder in ("/in", "/out"):
        disk.make(folder, _FOLDER)
    disk.put("/in/a", b"data", synced=True)
    for folder in ("/in", "/out", _ROOT):
        disk.sync_folder(folder)
    disk.rename("/in/a", "/out/a")
    states = {
        tuple(sorted(path for path, data in left(disk, tmp_path, Kept.ANY, seed).items() if data))
        for seed in range(60)
    }
    assert states == {("in/a",), ("in/a", "out/a"), ("out/a",)}
    disk.sync_folder("/out")
    assert left(disk, tmp_path, Kept.NOTHING) == {
        "in": None,
        "out": None,
        "in/a": b"data",
        "out/a": b"data",
    }
    disk.sync_folder("/in")
    assert left(disk, tmp_path, Kept.NOTHING) == {"in": None, "out": None, "out/a": b"data"}


def test_an_exchange_is_one_step_and_certain_once_both_folders_are_synced(tmp_path: Path) -> None:
    disk = _Disk()
    for top in ("/one", "/other"):
        disk.make(top, _FOLDER)
        disk.make(f"{top}/x", _FOLDER)
        disk.put(f"{top}/x/in{top[1:]}", b"data", synced=True)
    for path in ("/one/x", "/other/x", "/one", "/other", _ROOT):
        disk.sync_folder(path)
    before = left(disk, tmp_path, Kept.ALL)
    disk.exchange("/one/x", "/other/x")
    after = left(disk, tmp_path, Kept.ALL)
    assert "other/x/inone" in after
    for seed in range(30):
        assert left(disk, tmp_path, Kept.ANY, seed) in (before, after)
    disk.sync_folder("/one")
    assert left(disk, tmp_path, Kept.NOTHING) == before
    disk.sync_folder("/other")
    assert left(disk, tmp_path, Kept.NOTHING) == after


def test_a_torn_write_has_old_and_new_sectors(tmp_path: Path) -> None:
    disk = _Disk()
    disk.put("/a", b"o" * 4 * SECTOR_BYTES, synced=True)
    disk.sync_folder(_ROOT)
    disk.write(disk.find("/a").number, 0, b"n" * 4 * SECTOR_BYTES)
    seen = [left(disk, tmp_path, Kept.TORN, seed)["a"] or b"" for seed in range(20)]
    assert any(len(set(data)) == 2 for data in seen)
    for data in seen:
        for start in range(0, len(data), SECTOR_BYTES):
            assert len(set(data[start : start + SECTOR_BYTES])) == 1


def test_a_cut_leaves_the_same_disk_every_time(tmp_path: Path) -> None:
    disk = _Disk()
    for number in range(20):
        disk.put(f"/{number}", b"data" * 700, synced=number % 3 == 0)
    first = left(disk, tmp_path, Kept.TORN, 7)
    (tmp_path / "again").mkdir()
    assert left(disk, tmp_path / "again", Kept.TORN, 7) == first
    assert left(disk, tmp_path, Kept.TORN, 8) != first


def test_what_is_loaded_is_synced(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a/b").mkdir(parents=True)
    (source / "a/b/c").write_bytes(b"data")
    (source / "twin").hardlink_to(source / "a/b/c")
    os.utime(source / "a", ns=(5_000_000_000, 7_000_000_000))
    disk = VolatileDisk()
    disk.load(source)
    into = tmp_path / "into"
    into.mkdir()
    disk.leave(Cut(disk.steps, Kept.NOTHING, 0), into)
    assert (into / "a/b/c").read_bytes() == b"data"
    assert (into / "twin").samefile(into / "a/b/c")
    assert (into / "a").stat().st_mtime_ns == 7_000_000_000


def test_a_mounted_disk_behaves_as_a_disk_does(tmp_path: Path) -> None:
    needs_fuse()
    from embedded_server.storage import native_calls

    with power_cut_mount(tmp_path / "mount") as mount:
        disk = mount.add()
        one, other = disk.top / "one", disk.top / "other"
        for folder in (one, other):
            folder.mkdir()
            (folder / f"in {folder.name}").write_bytes(b"data")
        assert native_calls.exchange(str(one), str(other))
        assert (one / "in other").read_bytes() == b"data"
        with pytest.raises(FileExistsError):
            os.link(one / "in other", other / "in one")
        with pytest.raises(OSError, match="not empty"):
            one.rmdir()
        with (one / "open").open("wb", buffering=0) as file:
            file.write(b"before")
            (one / "in other").rename(one / "open")  # replaces it while it is open
            file.write(b"after")
            assert [path.name for path in one.iterdir()] == ["open"]
        assert (one / "open").read_bytes() == b"data"
        os.truncate(one / "open", 2)
        assert (one / "open").read_bytes() == b"da"
        os.utime(one / "open", ns=(1, 5_000_000_001))
        assert (one / "open").stat().st_mtime_ns == 5_000_000_001
        assert len(disk.renames()) == 2
        lost = disk.leave(Cut(disk.steps(), Kept.NOTHING, 0), tmp_path / "left").parent
        assert list(lost.iterdir()) == []
        with pytest.raises(OSError, match="cross-device"):
            (one / "open").rename(mount.add().top / "elsewhere")

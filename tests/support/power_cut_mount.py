"""A process that mounts a `VolatileDisk` by FUSE, so that a real server can run on it.

    python power_cut_mount.py MOUNT_POINT < orders

Orders come as lines of JSON on standard input, each answered by a line on standard output; the end
of input unmounts. One order at a time, and one call of the file system at a time: every step has
its place in one order.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mfusepy

from tests.support.disk_steps import ROOT, Cut, Inode, Kept
from tests.support.volatile_disk import VolatileDisk

_NO_REPLACE, _EXCHANGE = 1, 2
_BLOCK_BYTES = 4096


class _Lakes:
    """`/1`, `/2`, … are disks of their own, so that the kernel never remembers another one's."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.disks: dict[str, VolatileDisk] = {}
        self.open_files: dict[int, tuple[VolatileDisk, Inode]] = {}
        self._last_handle = 0

    def at(self, path: str) -> tuple[VolatileDisk, str]:
        """The disk that a path lies on, and the path there. Raises `OSError`."""
        name, _, below = path[1:].partition("/")
        disk = self.disks.get(name)
        if disk is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return disk, f"/{below}"

    def opened(self, disk: VolatileDisk, inode: Inode) -> int:
        self._last_handle += 1
        self.open_files[self._last_handle] = disk, inode
        return self._last_handle

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] == "nothing":
            return {}
        disk = self.disks.get(order["disk"])
        match order["do"]:
            case "add":
                disk = self.disks[order["disk"]] = VolatileDisk()
                if order["from"]:
                    disk.load(Path(order["from"]))
            case "drop":
                del self.disks[order["disk"]]
                return {}
            case "leave":
                assert disk is not None
                cut = Cut(order["steps"], Kept(order["kept"]), order["seed"])
                disk.leave(cut, Path(order["into"]))
            case "renames":
                assert disk is not None
                return {"renames": disk.renames()}
        assert disk is not None
        return {"steps": disk.steps}


class _Calls:
    """What libfuse calls. Files are found by their handle where there is one."""

    use_ns = True

    def __init__(self, lakes: _Lakes, on_mounted: Callable[[], None]) -> None:
        self._lakes = lakes
        self._on_mounted = on_mounted

    def init(self, _path: str) -> None:
        self._on_mounted()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        with self._lakes.lock:
            if path == "/" and not fh:
                return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
            inode = self._inode(path, fh)[1]
            size = len(inode.data)
            return {
                "st_ino": inode.number,
                "st_mode": inode.mode,
                "st_nlink": 2 if inode.is_folder else inode.names,
                "st_size": size,
                "st_blocks": -(-size // 512),
                "st_mtime": inode.mtime_ns,
                "st_ctime": inode.mtime_ns,
                "st_atime": inode.mtime_ns,
                "st_uid": os.getuid(),
                "st_gid": os.getgid(),
            }

    def _inode(self, path: str, fh: int | None) -> tuple[VolatileDisk, Inode]:
        if fh:
            return self._lakes.open_files[fh]
        disk, below = self._lakes.at(path)
        return disk, disk.find(below)

    def readdir(self, path: str, _fh: int) -> list[tuple[str, dict[str, int], int]]:
        """With numbers: an entry whose number is 0 counts as deleted."""
        with self._lakes.lock:
            names = [".", ".."]
            if path == "/":
                return [(name, {"st_ino": ROOT}, 0) for name in [*names, *self._lakes.disks]]
            entries = self._inode(path, None)[1].entries
            return [(name, {"st_ino": entries.get(name, ROOT)}, 0) for name in [*names, *entries]]

    def opendir(self, path: str) -> int:
        return self.open(path, 0)

    def open(self, path: str, _flags: int) -> int:
        with self._lakes.lock:
            return 0 if path == "/" else self._lakes.opened(*self._inode(path, None))

    def create(self, path: str, mode: int) -> int:
        with self._lakes.lock:
            disk, below = self._lakes.at(path)
            return self._lakes.opened(disk, disk.make(below, stat.S_IFREG | stat.S_IMODE(mode)))

    def release(self, _path: str | None, fh: int) -> int:
        with self._lakes.lock:
            self._lakes.open_files.pop(fh, None)
        return 0

    releasedir = release

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        with self._lakes.lock:
            return bytes(self._inode(path, fh)[1].data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lakes.lock:
            disk, inode = self._inode(path, fh)
            disk.write(inode.number, offset, data)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self._lakes.lock:
            disk, inode = self._inode(path, fh)
            disk.resize(inode.number, length)
        return 0

    def fsync(self, path: str, _datasync: int, fh: int) -> int:
        with self._lakes.lock:
            disk, inode = self._inode(path, fh)
            disk.fsync(inode.number)
        return 0

    fsyncdir = fsync

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        return self._on_disk(
            path, lambda disk, inode: disk.mark(inode.number, (times or (0, 0))[1])
        )

    def chmod(self, path: str, mode: int) -> int:
        return self._on_disk(path, lambda disk, inode: disk.set_mode(inode.number, mode))

    def _on_disk(self, path: str, work: Callable[[VolatileDisk, Inode], None]) -> int:
        with self._lakes.lock:
            work(*self._inode(path, None))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        with self._lakes.lock:
            disk, below = self._lakes.at(path)
            disk.make(below, stat.S_IFDIR | stat.S_IMODE(mode))
        return 0

    def rmdir(self, path: str) -> int:
        with self._lakes.lock:
            disk, below = self._lakes.at(path)
            disk.remove(below, is_folder=True)
        return 0

    def unlink(self, path: str) -> int:
        with self._lakes.lock:
            disk, below = self._lakes.at(path)
            disk.remove(below, is_folder=False)
        return 0

    def link(self, target: str, source: str) -> int:
        """The names are libfuse's: `target` is the new name."""
        with self._lakes.lock:
            disk, below = self._lakes.at(target)
            disk.link(self._lakes.at(source)[1], below)
        return 0

    def rename(self, old: str, new: str) -> int:
        return self.rename_with_flags(old, new, 0)

    def rename_with_flags(self, old: str, new: str, flags: int) -> int:
        with self._lakes.lock:
            disk, below = self._lakes.at(old)
            other, target = self._lakes.at(new)
            if other is not disk:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            if flags & _EXCHANGE:
                disk.exchange(below, target)
            else:
                disk.rename(below, target, may_replace=not flags & _NO_REPLACE)
        return 0

    def statfs(self, _path: str) -> dict[str, int]:
        blocks = (64 << 30) // _BLOCK_BYTES
        return {
            "f_bsize": _BLOCK_BYTES,
            "f_frsize": _BLOCK_BYTES,
            "f_blocks": blocks,
            "f_bfree": blocks,
            "f_bavail": blocks,
            "f_namemax": 255,
        }


class _FuseWithRenameFlags(mfusepy.FUSE):  # type: ignore[misc]  # it has no types
    """mfusepy 3.1.1 drops the flags of renameat2, so that an exchange would come as a rename."""

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        names = (name.decode(self.encoding, self.errors) for name in (old, new))
        return int(self.operations.rename_with_flags(*names, flags))


def _obey_orders(lakes: _Lakes, mount_point: str) -> None:
    for line in sys.stdin:
        with lakes.lock:
            answer = lakes.obey(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    subprocess.run(["fusermount3", "-u", "-z", mount_point], check=False)


if __name__ == "__main__":
    _mount_point = sys.argv[1]
    _made = _Lakes()
    _obeying = threading.Thread(target=_obey_orders, args=(_made, _mount_point), daemon=True)
    _FuseWithRenameFlags(
        _Calls(_made, _obeying.start),
        _mount_point,
        foreground=True,
        nothreads=True,
        # A file that is replaced while it is open goes at once, not by way of a hidden name.
        hard_remove=True,
        use_ino=True,
        fsname="lakedrop-power-cut",
    )

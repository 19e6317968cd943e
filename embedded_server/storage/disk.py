"""The few steps on a disk that durability rests on, each once, so that a test can take one out.

Systems differ here and nowhere else:
- Linux and macOS: a folder is opened and fsynced to make its entries durable. On macOS `fsync` only
  reaches the drive's cache, so `F_FULLFSYNC` is asked for, and plain `fsync` where a file system
  (a network's, FAT) does not know that; such a disk promises no more than its own `fsync`.
- Windows: a folder cannot be opened for fsync; NTFS journals its entries itself, in order, and
  `os.replace` is MoveFileEx with replacement. Two folders cannot be exchanged in one step.

All methods raise `OSError` as the system gives it; `local_lake` translates.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from enum import Enum

from embedded_server.storage import native_calls
from embedded_server.storage.inside import Inside

if sys.platform == "darwin":
    import fcntl

_NEW_FILE_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_OLD_FILE_FLAGS = _NEW_FILE_FLAGS & ~(os.O_CREAT | os.O_EXCL)
_MOST_PIECES = 512  # the system takes 1,024 in one call
# What the log of small files needs; elsewhere each of them is synced by itself.
CAN_LOG = hasattr(os, "fdatasync") and hasattr(os, "pwritev")
_FOLDERS_CAN_BE_SYNCED = os.name == "posix"
# A hard link is refused by FAT and some network systems, and when an inode has its most links.
_NO_LINK_HERE = frozenset(
    {errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EACCES}
)

_NO_FULL_SYNC_HERE = frozenset(
    {errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY, errno.ENOSYS}
)


class Kind(Enum):
    """What stands at a path, links not followed."""

    NOTHING = "nothing"
    FILE = "a file"
    FOLDER = "a folder"
    OTHER = "a link or a device"


class Disk:
    """The real disk; any thread may call it. Knows nothing but below what no link is followed."""

    _insides: tuple[Inside, ...] = ()

    def keep_inside(self, top: str) -> None:
        """What is changed below `top` from now on is reached through no link."""
        if not any(inside.holds(os.path.join(top, "")) for inside in self._insides):
            self._insides = (*self._insides, Inside(top))

    def reached(self, path: str) -> AbstractContextManager[str]:
        """The name under which the system is to be asked to change what lies at `path`."""
        for inside in self._insides:
            if inside.holds(path):
                return inside.reached(path)
        return nullcontext(path)

    @contextmanager
    def holding(self, folders: Collection[str]) -> Iterator[None]:
        """A hint: much is going to be changed in these folders by this thread."""
        with ExitStack() as held:
            for inside in self._insides:
                held.enter_context(inside.holding([it for it in folders if inside.holds(it)]))
            yield

    def kind(self, path: str) -> Kind:
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return Kind.NOTHING
        if stat.S_ISDIR(mode):
            return Kind.FOLDER
        return Kind.FILE if stat.S_ISREG(mode) else Kind.OTHER

    def size_bytes(self, path: str) -> int:
        return os.lstat(path).st_size

    def mtime_ns(self, path: str) -> int:
        return os.lstat(path).st_mtime_ns

    def written_at_ns(self, descriptor: int) -> int:
        return os.fstat(descriptor).st_mtime_ns

    def mark_mtime(self, path: str, mtime_ns: int) -> None:
        os.utime(path, ns=(mtime_ns, mtime_ns))

    def create_file(self, path: str) -> int:
        return os.open(path, _NEW_FILE_FLAGS, 0o600)

    def reopen_file(self, path: str, size_bytes: int) -> int:
        """To go on writing behind its first `size_bytes` bytes; whatever it held beyond is gone."""
        descriptor = os.open(path, _OLD_FILE_FLAGS)
        try:
            self.truncate(descriptor, size_bytes)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """What is written next follows the first `size_bytes` bytes."""
        os.ftruncate(descriptor, size_bytes)
        os.lseek(descriptor, size_bytes, os.SEEK_SET)

    def free_bytes(self, path: str) -> int:
        return shutil.disk_usage(path).free

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def open_log(self, path: str) -> int:
        """To be written at any offset; made, durably, where it is not there."""
        if self.kind(path) is Kind.NOTHING:
            self.close(self.create_file(path))
            self.fsync_folder(os.path.dirname(path))
        return os.open(path, _OLD_FILE_FLAGS)

    def write_at(
        self, descriptor: int, offset_bytes: int, pieces: Sequence[bytes | memoryview]
    ) -> None:
        left = [memoryview(piece) for piece in pieces]
        while left:
            written = os.pwritev(descriptor, left[:_MOST_PIECES], offset_bytes)
            offset_bytes += written
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if written:
                left[0] = left[0][written:]

    def fsync_data(self, descriptor: int) -> None:
        """The bytes, and the size if that has changed; not the time stamps."""
        os.fdatasync(descriptor)

    def open_published(self, path: str) -> int:
        """To make it durable; no link is followed."""
        with self.reached(path) as reached:
            return os.open(reached, os.O_RDONLY | (_OLD_FILE_FLAGS & ~os.O_WRONLY))

    def start_write_back(self, descriptor: int, offset_bytes: int, size_bytes: int) -> None:
        native_calls.start_write_back(descriptor, offset_bytes, size_bytes)

    def fsync_file(self, descriptor: int) -> None:
        if sys.platform == "darwin":
            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            except OSError as cause:
                if cause.errno not in _NO_FULL_SYNC_HERE:
                    raise
                os.fsync(descriptor)
        else:
            os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def fsync_folder(self, path: str) -> None:
        if not _FOLDERS_CAN_BE_SYNCED:
            return
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            self.fsync_file(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, path: str) -> None:
        with self.reached(path) as reached:
            os.mkdir(reached, 0o700)

    def replace(self, source: str, target: str) -> None:
        with self.reached(source) as old, self.reached(target) as new:
            os.replace(old, new)

    def rename(self, source: str, target: str) -> None:
        with self.reached(source) as old, self.reached(target) as new:
            os.rename(old, new)

    def exchange(self, one: str, other: str) -> bool:
        """True when both were swapped in one step; False where the system cannot do that."""
        with self.reached(one) as first, self.reached(other) as second:
            return native_calls.exchange(first, second)

    def link_or_copy(self, source: str, target: str) -> None:
        """A second name for the same bytes, or where that cannot be, a durable copy."""
        try:
            self.link(source, target)
        except OSError as cause:
            if cause.errno not in _NO_LINK_HERE:
                raise
            self._copy(source, target)

    def link(self, source: str, target: str) -> None:
        with self.reached(source) as old, self.reached(target) as new:
            try:
                os.link(old, new, follow_symlinks=False)
            except NotImplementedError:
                os.link(old, new)

    def _copy(self, source: str, target: str) -> None:
        descriptor = self.create_file(target)
        try:
            try:
                with self.reached(source) as old, open(old, "rb", buffering=0) as original:
                    while piece := original.read(1 << 20):
                        self.write(descriptor, piece)
                self.fsync_file(descriptor)
            finally:
                self.close(descriptor)
        except OSError:
            with suppress(OSError):  # the first failure is the one to tell
                self.unlink(target)
            raise

    def unlink(self, path: str) -> None:
        with self.reached(path) as reached:
            os.unlink(reached)

    def remove_tree(self, path: str) -> None:
        """A folder with all that is in it; links are removed, not followed."""
        with self.reached(path) as reached:
            shutil.rmtree(reached)

    def names_in(self, path: str) -> list[str]:
        return os.listdir(path)

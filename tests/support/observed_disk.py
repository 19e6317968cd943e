"""A real disk that tells each step before it is taken, so that a test can stop it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from embedded_server.storage.disk import Disk

Step = tuple[str, str]  # what is done, and the path it is done to


class PowerCut(BaseException):
    """The machine went away here. Not an `Exception`: no code may handle it and go on."""


class ObservedDisk(Disk):
    """Remembers the steps that change the disk or make it durable, in order."""

    def __init__(
        self, on_step: Callable[[Step], None] = lambda _: None, *, can_exchange: bool = True
    ) -> None:
        self.steps: list[Step] = []
        self.sources: dict[int, str] = {}  # number of a "replace" step → what was moved
        self._on_step = on_step
        self._can_exchange = can_exchange
        self._paths: dict[int, str] = {}

    def forget_steps(self) -> None:
        self.steps.clear()
        self.sources.clear()

    def _step(self, what: str, path: str) -> None:
        self.steps.append((what, path))
        self._on_step((what, path))

    def create_file(self, path: str) -> int:
        self._step("create", path)
        descriptor = super().create_file(path)
        self._paths[descriptor] = path
        return descriptor

    def reopen_file(self, path: str, size_bytes: int) -> int:
        self._step("reopen", path)
        descriptor = super().reopen_file(path, size_bytes)
        self._paths[descriptor] = path
        return descriptor

    def open_log(self, path: str) -> int:
        descriptor = super().open_log(path)
        self._paths[descriptor] = path
        return descriptor

    def write_at(
        self, descriptor: int, offset_bytes: int, pieces: Sequence[bytes | memoryview]
    ) -> None:
        self._step("write", self._paths[descriptor])
        super().write_at(descriptor, offset_bytes, pieces)

    def fsync_data(self, descriptor: int) -> None:
        self._step("fsync", self._paths[descriptor])
        super().fsync_data(descriptor)

    def open_published(self, path: str) -> int:
        descriptor = super().open_published(path)
        self._paths[descriptor] = path
        return descriptor

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        if descriptor in self._paths:
            self._step("truncate", self._paths[descriptor])
        super().truncate(descriptor, size_bytes)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        self._step("write", self._paths[descriptor])
        super().write(descriptor, data)

    def fsync_file(self, descriptor: int) -> None:
        # A folder is fsynced through a descriptor that this class never saw.
        if descriptor in self._paths:
            self._step("fsync", self._paths[descriptor])
        super().fsync_file(descriptor)

    def close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        super().close(descriptor)

    def close_all(self) -> None:
        """As the end of a process does, also with what a cut left open."""
        for descriptor in list(self._paths):
            self.close(descriptor)

    def fsync_folder(self, path: str) -> None:
        self._step("fsync folder", path)
        super().fsync_folder(path)

    def make_folder(self, path: str) -> None:
        self._step("make folder", path)
        super().make_folder(path)

    def mark_mtime(self, path: str, mtime_ns: int) -> None:
        self._step("mark", path)
        super().mark_mtime(path, mtime_ns)

    def replace(self, source: str, target: str) -> None:
        self.sources[len(self.steps)] = source
        self._step("replace", target)
        super().replace(source, target)

    def rename(self, source: str, target: str) -> None:
        self._step("rename", target)
        super().rename(source, target)

    def exchange(self, one: str, other: str) -> bool:
        if not self._can_exchange:
            return False
        self._step("exchange", other)
        return super().exchange(one, other)

    def link_or_copy(self, source: str, target: str) -> None:
        self._step("link", target)
        super().link_or_copy(source, target)

    def remove_tree(self, path: str) -> None:
        self._step("remove tree", path)
        super().remove_tree(path)

    def unlink(self, path: str) -> None:
        self._step("unlink", path)
        super().unlink(path)


class DiskWithoutFsync(ObservedDisk):
    """Says that it synced and does not: what a test of durability must catch."""

    def __init__(self, *, files: bool = True, folders: bool = True) -> None:
        super().__init__()
        self._skip_files = files
        self._skip_folders = folders

    def fsync_file(self, descriptor: int) -> None:
        if not self._skip_files:
            super().fsync_file(descriptor)

    def fsync_folder(self, path: str) -> None:
        if not self._skip_folders:
            super().fsync_folder(path)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`: relative path with slashes → its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

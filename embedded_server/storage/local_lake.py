"""The lake on a local disk: its rooms wired together, and what a sync does with whole folders."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

from embedded_server.contract import LakeUsage
from embedded_server.domain.errors import LakeError, PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Clock, IncomingFile
from embedded_server.domain.sync import SwapIntent, Sync
from embedded_server.domain.trash import Version
from embedded_server.domain.upload import Destination, Published, ReceivedFile, UploadRow
from embedded_server.storage.arranging import Arranging
from embedded_server.storage.browsing import Browsing
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.folder_swap import FolderSwap
from embedded_server.storage.kept_incoming import KeptIncoming
from embedded_server.storage.layout import Layout
from embedded_server.storage.logged_files import LoggedFiles
from embedded_server.storage.publishing import Publishing
from embedded_server.storage.putting_back import PuttingBack
from embedded_server.storage.receiving import Receiving
from embedded_server.storage.replay import Replay
from embedded_server.storage.shared_lock import SharedLock
from embedded_server.storage.small_files import InThisProcess, SmallFiles
from embedded_server.storage.trash import Trash
from embedded_server.storage.trashed_versions import TrashedVersions
from embedded_server.storage.usage import files_and_bytes


def open_layout(root: str, disk: Disk) -> Layout:
    """Makes the lake's folders where they are missing, durably; raises `OSError`."""
    layout = Layout(os.path.abspath(root))
    for folder in _missing_above(layout.root, disk):
        disk.make_folder(folder)
        disk.fsync_folder(os.path.dirname(folder))
    for folder in layout.folders():
        if disk.kind(os.path.realpath(folder)) is Kind.NOTHING:
            disk.make_folder(folder)
        elif not os.path.isdir(folder):
            raise NotADirectoryError(20, "is not a folder", folder)
        disk.fsync_folder(os.path.dirname(folder))
    return layout


def _missing_above(root: str, disk: Disk) -> list[str]:
    """The folders that the lake's own folder needs and that are not there, parents first."""
    missing: list[str] = []
    folder = os.path.dirname(root)
    while disk.kind(os.path.realpath(folder)) is Kind.NOTHING and folder != os.path.dirname(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return missing


class LocalLake:
    """Any thread may call it. See `ports.Lake` for what each method promises."""

    def __init__(
        self,
        layout: Layout,
        disk: Disk,
        helpers: Executor,
        clock: Clock,
        small_files: SmallFiles | None = None,
        rows_to_disk: Callable[[], None] | None = None,
    ) -> None:
        """`helpers`: threads for fsyncs side by side, and for digests beside writing.

        `small_files` writes those; without it they are written on the thread that asks.
        `rows_to_disk` makes durable what the catalog was told; without it there is no log.
        """
        disk.keep_inside(layout.files)
        self._layout = layout
        self._disk = disk
        self._small_files = small_files or InThisProcess(disk)
        self._receiving = Receiving(disk, layout, helpers, self._small_files)
        # Numbers of the trash: unique in this run and, beginning with the time, across runs.
        self._numbers = itertools.count(clock())
        self._folders = DurableFolders(disk)
        self._swaps = FolderSwap(disk, layout, self._folders, self._unique_number)
        self._replay = Replay(disk, layout, self._folders, self._small_files)
        self._logged = LoggedFiles(disk, layout, self._small_files, self._replay, rows_to_disk)
        # Whoever moves or removes what is published finds nothing of it in the log alone.
        self._swap_lock = SharedLock(self._logged.settle)
        self.trashed = TrashedVersions(disk, layout, self._folders, self._swap_lock)
        self.putting_back = PuttingBack(
            disk, layout, self._folders, self._swap_lock, self._unique_number
        )
        self.browsing = Browsing(layout)
        self.arranging = Arranging(
            disk, layout, self._folders, self._swap_lock, self._unique_number
        )

        self._publishing = Publishing(
            *(disk, layout, self._folders, Trash(disk, layout, self._folders, self._unique_number)),
            *(self._small_files, self._logged, self._swap_lock),
        )

    def _unique_number(self) -> int:
        return next(self._numbers)  # one step of C code: safe from any thread

    # -- receiving ---------------------------------------------------------------------------

    def new_incoming(self) -> KeptIncoming:
        return self._receiving.new_incoming()

    def make_durable(
        self, files: Sequence[IncomingFile], *, may_wait: bool = False
    ) -> Sequence[ReceivedFile | LakeError]:
        later = may_wait and self._logged.takes(sum(it.written().size_bytes for it in files))
        return self._receiving.make_durable(files, small_ones_later=later)

    def takes_along(self, files: Sequence[IncomingFile]) -> bool:
        return self._receiving.are_small(files) and self._logged.takes(
            sum(file.written().size_bytes for file in files)
        )

    # -- publishing --------------------------------------------------------------------------

    def publish(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow] | None = None,
    ) -> Sequence[Published | LakeError]:
        return self._publishing.publish(sync, files, rows)

    def publish_soon(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow],
    ) -> Awaitable[Sequence[Published | LakeError]] | None:
        return self._publishing.publish_soon(sync, files, rows)

    def found_in_place(
        self, sync: Sync, where: Destination, size_bytes: int, sha256: str
    ) -> int | None:
        return self._publishing.found_in_place(sync, where, size_bytes, sha256)

    # -- full syncs --------------------------------------------------------------------------

    def check_place(self, sync: Sync) -> None:
        path = self._layout.files
        for segment in sync.path.segments:
            path = os.path.join(path, segment)
            with translated():
                kind = self._disk.kind(path)
            if kind is Kind.NOTHING:
                return
            if kind is not Kind.FOLDER:
                raise PathConflict(f"{kind.value} stands where the folder {segment!r} is needed")

    def swap(self, sync: Sync, record: Callable[[SwapIntent], None]) -> None:
        # One lock from the check to the end: another swap in between could put a file where this
        # one, by then recorded, needs a folder.
        with self._swap_lock.exclusive():
            self.check_place(sync)
            with translated():
                intent = self._swaps.prepare(sync.sync_id, sync.path)
            record(intent)
            with translated():
                self._swaps.go_on(intent)

    def go_on_with_swap(self, intent: SwapIntent) -> None:
        with self._swap_lock.exclusive(), translated():
            self._swaps.go_on(intent)

    def set_aside_staged(self, sync_id: int) -> None:
        self._logged.settle()
        with translated():
            staged = self._layout.staging(sync_id)
            if self._disk.kind(staged) is not Kind.NOTHING:
                self._set_aside(staged)

    def set_aside_staging(self, keep: frozenset[int]) -> None:
        with translated():
            for name in self._disk.names_in(self._layout.all_staging):
                if name.isdecimal() and int(name) in keep:
                    continue
                self._set_aside(os.path.join(self._layout.all_staging, name))

    def _set_aside(self, staged: str) -> None:
        aside = os.path.join(self._layout.all_trash, f"staged-{self._unique_number()}")
        self._disk.rename(staged, aside)

    def staged_sync_ids(self) -> Sequence[int]:
        with translated():
            names = self._disk.names_in(self._layout.all_staging)
        return [int(name) for name in names if name.isdecimal()]

    def discard_staged(self, sync_id: int) -> None:
        self._logged.settle()
        # Out of the way in one step, then file by file: a start finds the rest in `incoming`.
        gone = os.path.join(self._layout.incoming, uuid.uuid4().hex)
        with translated():
            if self._disk.kind(self._layout.staging(sync_id)) is Kind.NOTHING:
                return
            self._disk.rename(self._layout.staging(sync_id), gone)
            self._folders.forget()
            self._disk.remove_tree(gone)

    def go_on_putting_back(self) -> Sequence[Version]:
        return tuple(self.putting_back.go_on())

    # -- housekeeping ------------------------------------------------------------------------

    def go_on_with_log(self) -> Sequence[UploadRow]:
        return self._replay.go_on()

    def forget_log(self) -> None:
        self._replay.forget()

    def close(self) -> None:
        """Nobody uploads any more; what the log alone holds stands by itself then."""
        self._logged.close()

    def wipe_incoming(self) -> None:
        with translated():
            for name in self._disk.names_in(self._layout.incoming):
                path = os.path.join(self._layout.incoming, name)
                if self._disk.kind(path) is Kind.FOLDER:
                    self._disk.remove_tree(path)
                else:
                    self._disk.unlink(path)

    def usage(self, path: LakePath) -> LakeUsage:
        with translated():
            if self._is_all_folders(path):
                files, size_bytes = files_and_bytes(self._layout.published(path))
            else:
                files = size_bytes = 0
        return LakeUsage(str(path), files, size_bytes)

    def _is_all_folders(self, path: LakePath) -> bool:
        folder = self._layout.files
        for segment in path.segments:
            folder = os.path.join(folder, segment)
            if self._disk.kind(folder) is not Kind.FOLDER:
                return False
        return True

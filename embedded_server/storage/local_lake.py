"""The lake on a local disk: where received files become files that readers see.

The write path of every file (fsync here means: on stable storage, or an error is answered):

    incoming/<random> written and digested → fsync(file)
      → [a name that exists: its bytes linked into the trash → fsync(trash folder)]
      → rename into place → fsync(folder), and every new ancestor's parent
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager

from embedded_server.contract import LakeUsage
from embedded_server.domain.errors import LakeError, PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Clock, IncomingFile
from embedded_server.domain.sync import SwapIntent, Sync
from embedded_server.domain.trash import Version
from embedded_server.domain.upload import Destination, ReceivedFile
from embedded_server.storage.arranging import Arranging
from embedded_server.storage.browsing import Browsing
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import as_lake_error, translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.folder_swap import FolderSwap
from embedded_server.storage.folder_syncer import FolderSyncer
from embedded_server.storage.kept_incoming import KeptIncoming
from embedded_server.storage.layout import Layout
from embedded_server.storage.putting_back import PuttingBack
from embedded_server.storage.receiving import Receiving
from embedded_server.storage.shared_lock import SharedLock
from embedded_server.storage.small_files import InThisProcess, SmallFiles
from embedded_server.storage.trash import Trash
from embedded_server.storage.trashed_versions import TrashedVersions
from embedded_server.storage.usage import files_and_bytes

_NAME_LOCKS = 64
_READ_BYTES = 1 << 20
# Linux stamps files from a clock that lags by up to a tick. Where time stamps are coarser still
# (FAT: 2 s), a resend may leave a copy of the same bytes in the trash, which harms nobody.
_CLOCK_SLACK_MS = 50

_Outcomes = list[LakeError | None]


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
    ) -> None:
        """`helpers`: threads for fsyncs side by side, and for digests beside writing.

        `small_files` writes those; without it they are written on the thread that asks.
        """
        disk.keep_inside(layout.files)
        self._layout = layout
        self._disk = disk
        self._small_files = small_files or InThisProcess(disk)
        self._receiving = Receiving(disk, layout, helpers, self._small_files)
        # Numbers of the trash: unique in this run and, beginning with the time, across runs.
        self._numbers = itertools.count(clock())
        self._folders = DurableFolders(disk)
        self._trash = Trash(disk, layout, self._folders, self._unique_number)
        self._swaps = FolderSwap(disk, layout, self._folders, self._unique_number)
        self._syncer = FolderSyncer(disk)
        self._swap_lock = SharedLock()
        self.trashed = TrashedVersions(disk, layout, self._folders, self._swap_lock)
        self.putting_back = PuttingBack(
            disk, layout, self._folders, self._swap_lock, self._unique_number
        )
        self.browsing = Browsing(layout)
        self.arranging = Arranging(
            disk, layout, self._folders, self._swap_lock, self._unique_number
        )
        self._name_locks = [threading.Lock() for _ in range(_NAME_LOCKS)]

    def _unique_number(self) -> int:
        return next(self._numbers)  # one step of C code: safe from any thread

    # -- receiving ---------------------------------------------------------------------------

    def new_incoming(self) -> KeptIncoming:
        return self._receiving.new_incoming()

    def make_durable(self, files: Sequence[IncomingFile]) -> Sequence[ReceivedFile | LakeError]:
        return self._receiving.make_durable(files)

    # -- publishing --------------------------------------------------------------------------

    def publish(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
    ) -> Sequence[LakeError | None]:
        outcomes: _Outcomes = [None] * len(files)
        with self._swap_lock.shared():
            for indices in _rounds([where for _, where in files]):
                batch = [files[index] for index in indices]
                for index, outcome in zip(indices, self._publish_round(sync, batch), strict=True):
                    outcomes[index] = outcome
        return outcomes

    def _publish_round(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
    ) -> _Outcomes:
        """All destinations differ here, so the trash can be made durable once for all of them."""
        outcomes: _Outcomes = [None] * len(files)
        targets: dict[int, str] = {}
        folders_made: dict[LakePath, str] = {}
        with self._names_locked([where for _, where in files]):
            for index, (_, where) in enumerate(files):
                try:
                    folder = folders_made.get(where.folder)
                    if folder is None:
                        with translated():
                            folder = folders_made[where.folder] = self._folder(sync, where.folder)
                    targets[index] = f"{folder}{os.sep}{where.file_name}"
                except LakeError as error:
                    outcomes[index] = error
            # Most go where nothing stands: all of them at once.
            moves = [(files[index][0].temporary, target) for index, target in targets.items()]
            placed = self._small_files.place(moves)
            replacing: dict[int, str] = {}
            for (index, target), outcome in zip(targets.items(), placed, strict=True):
                if isinstance(outcome, OSError):
                    outcomes[index] = as_lake_error(outcome)
                elif outcome is not Kind.NOTHING:
                    replacing[index] = target
            self._replace(sync, files, replacing, outcomes)
        folders: dict[str, list[int]] = {}
        for index, target in replacing.items():
            if outcomes[index] is None:
                folders.setdefault(os.path.dirname(target), []).append(index)
        self._fsync_folders(folders, outcomes)
        return outcomes

    def _replace(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        targets: Mapping[int, str],
        outcomes: _Outcomes,
    ) -> None:
        """Moves files to where something stands, which is kept; not yet durable."""
        trash_folders: dict[str, list[int]] = {}
        for index, target in targets.items():
            received, where = files[index]
            try:
                with translated():
                    kind = self._kind_to_replace(target, where)
                    if sync.is_full or kind is not Kind.FILE:
                        continue
                    # A resend takes the place of its own bytes: the file that is in sight
                    # is the one whose time the history's newest row tells.
                    if not self._stands_already(sync, received, target):
                        kept_in = self._trash.keep(sync.sync_id, target, where)
                        trash_folders.setdefault(kept_in, []).append(index)
            except LakeError as error:
                outcomes[index] = error
        self._fsync_folders(trash_folders, outcomes)
        with self._disk.holding({os.path.dirname(target) for target in targets.values()}):
            for index, target in targets.items():
                if outcomes[index] is None:
                    try:
                        self._disk.replace(files[index][0].temporary, target)
                    except OSError as cause:
                        outcomes[index] = as_lake_error(cause)

    def _folder(self, sync: Sync, folder: LakePath) -> str:
        """Its path, made durable; raises `PathConflict`."""
        if sync.is_full:
            below = [str(sync.sync_id), *folder.below(sync.path)]
            return self._folders.make(self._layout.all_staging, below)
        return self._folders.make(self._layout.files, folder.segments)

    def _kind_to_replace(self, target: str, where: Destination) -> Kind:
        """Nothing or a file; raises `PathConflict`."""
        kind = self._disk.kind(target)
        if kind not in (Kind.NOTHING, Kind.FILE):
            raise PathConflict(
                f"{kind.value} stands where the file {where.file_name!r} is to be written"
            )
        return kind

    def found_in_place(
        self, sync: Sync, where: Destination, size_bytes: int, sha256: str
    ) -> int | None:
        with self._swap_lock.shared(), translated():
            if sync.is_full:
                below = where.folder.below(sync.path)
                folder = os.path.join(self._layout.staging(sync.sync_id), *below)
            else:
                folder = self._layout.published(where.folder)
            target = os.path.join(folder, where.file_name)
            sought = ReceivedFile(target, size_bytes, sha256, 0)
            if self._disk.kind(target) is not Kind.FILE:
                return None
            if not self._stands_already(sync, sought, target):
                return None
            self._syncer.fsync(folder)
            return self._disk.mtime_ns(target)

    def _stands_already(self, sync: Sync, received: ReceivedFile, target: str) -> bool:
        """Whether the same bytes were put there since the sync began: then this is a resend.

        The catalog need not know of them: a crash may have come between rename and commit. A file
        that is older is replaced even by the same bytes, so its time tells the last upload.
        """
        if self._disk.size_bytes(target) != received.size_bytes:
            return False
        since_ns = (sync.started_at_ms - _CLOCK_SLACK_MS) * 1_000_000
        if self._disk.mtime_ns(target) < since_ns:
            return False
        digest = hashlib.sha256()
        with open(target, "rb", buffering=0) as published:
            while piece := published.read(_READ_BYTES):
                digest.update(piece)
        return digest.hexdigest() == received.sha256

    def _fsync_folders(self, folders: dict[str, list[int]], outcomes: _Outcomes) -> None:
        for folder, indices in folders.items():
            try:
                self._syncer.fsync(folder)
            except OSError as cause:
                error = as_lake_error(cause)
                for index in indices:
                    outcomes[index] = error

    @contextmanager
    def _names_locked(self, places: Sequence[Destination]) -> Iterator[None]:
        """Two uploads of one name go one after the other: each replaced version is kept."""
        numbers = sorted({hash(where) % _NAME_LOCKS for where in places})
        with ExitStack() as held:
            for number in numbers:  # in order, so that two batches cannot wait for each other
                held.enter_context(self._name_locks[number])
            yield

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


def _rounds(places: Sequence[Destination]) -> Iterator[list[int]]:
    """Splits a batch where a destination comes again: it replaces the earlier one in its turn."""
    current: list[int] = []
    seen: set[Destination] = set()
    for index, where in enumerate(places):
        if where in seen:
            yield current
            current, seen = [], set()
        current.append(index)
        seen.add(where)
    if current:
        yield current

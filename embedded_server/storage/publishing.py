"""How received files come into their places, and what they replace into the trash.

The write path of every file (fsync here means: on stable storage, or an error is answered):

    incoming/<random> written and digested → fsync(file)
      → [a name that exists: its bytes linked into the trash → fsync(trash folder)]
      → rename into place → fsync(folder), and every new ancestor's parent

Small files of a full sync go another way to where they are staged: all of a group into the log →
fsync(log) → renamed into place; file and folder are fsynced later, at the latest before the swap
brings them into sight (see `logged_files`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from embedded_server.domain.errors import LakeError, PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.sync import Sync
from embedded_server.domain.undisturbed import undisturbed
from embedded_server.domain.upload import Destination, Published, ReceivedFile, UploadRow
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import as_lake_error, translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.folder_syncer import FolderSyncer
from embedded_server.storage.layout import Layout
from embedded_server.storage.logged_files import Held, LoggedFiles
from embedded_server.storage.places_in_use import PlacesInUse
from embedded_server.storage.replay import fact_row
from embedded_server.storage.shared_lock import SharedLock
from embedded_server.storage.small_files import PutOutcome, SmallFiles, ToPut
from embedded_server.storage.trash import Trash

_READ_BYTES = 1 << 20
# Linux stamps files from a clock that lags by up to a tick. Where time stamps are coarser still
# (FAT: 2 s), a resend may leave a copy of the same bytes in the trash, which harms nobody.
_CLOCK_SLACK_MS = 50


class Publishing:
    """Any thread may call it. See `ports.Lake` for what each method promises."""

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        folders: DurableFolders,
        trash: Trash,
        small_files: SmallFiles,
        logged: LoggedFiles,
        swap_lock: SharedLock,
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._trash = trash
        self._small_files = small_files
        self._logged = logged
        self._swap_lock = swap_lock
        self._syncer = FolderSyncer(disk)
        self._in_use = PlacesInUse()

    def publish(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow] | None = None,
    ) -> Sequence[Published | LakeError]:
        outcomes: dict[int, Published | LakeError] = {}
        with self._swap_lock.shared():
            for indices in _rounds([where for _, where in files]):
                batch = [files[index] for index in indices]
                of_batch = None if rows is None else [rows[index] for index in indices]
                round_ = self._publish_round(sync, batch, of_batch)
                outcomes |= zip(indices, round_, strict=True)
        return [outcomes[index] for index in range(len(files))]

    def publish_soon(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow],
    ) -> Awaitable[Sequence[Published | LakeError]] | None:
        if not sync.is_full or any(it.kept is None for it, _ in files):
            return None
        places = [where for _, where in files]
        with ExitStack() as held:
            if len(set(places)) < len(places) or not self._swap_lock.share_now():
                return None
            held.callback(self._swap_lock.unshare)
            if not self._in_use.take_now(places):
                return None
            held.callback(self._in_use.give_back, places)
            targets = self._known_targets(sync, places)
            if targets is None:
                return None
            begun = self._logged.put_soon(self._to_put(files, rows, targets))
            if begun is None:
                return None
            return self._publish_soon(sync, files, targets, begun, held.pop_all())

    def _known_targets(self, sync: Sync, places: Sequence[Destination]) -> dict[int, str] | None:
        """None where one of the folders has to be made first."""
        folders: dict[LakePath, str] = {}
        for where in places:
            if where.folder not in folders:
                folder = self._folders.known(*self._below(sync, where.folder))
                if folder is None:
                    return None
                folders[where.folder] = folder
        return {
            index: f"{folders[where.folder]}{os.sep}{where.file_name}"
            for index, where in enumerate(places)
        }

    async def _publish_soon(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        targets: Mapping[int, str],
        begun: Awaitable[tuple[Sequence[PutOutcome], Held]],
        locks: ExitStack,
    ) -> Sequence[Published | LakeError]:
        with locks:
            placed = _placed_by(targets, *await begun)
            outcomes, replacing = _sorted_out(placed, targets)
            if replacing:
                loop = asyncio.get_running_loop()
                work = loop.run_in_executor(None, self._replace, sync, files, replacing)
                replaced = await undisturbed(work)
                outcomes |= replaced
        return [outcomes[index] for index in range(len(files))]

    def _publish_round(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow] | None,
    ) -> Sequence[Published | LakeError]:
        """All destinations differ here, so the trash can be made durable once for all of them."""
        outcomes: dict[int, Published | LakeError] = {}
        targets: dict[int, str] = {}
        folders_made: dict[LakePath, str] = {}
        with self._in_use.taken([where for _, where in files]):
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
            placed: dict[int, Published | Kind | OSError] = {}
            if not sync.is_full:
                files = self._stored(files, targets, outcomes)
                targets = {i: it for i, it in targets.items() if i not in outcomes}
            kept = {i: it for i, it in targets.items() if files[i][0].kept is not None}
            if kept:
                assert rows is not None, "kept files come with their rows"
                placed |= _placed_by(kept, *self._logged.put(self._to_put(files, rows, kept)))
            durable = {i: it for i, it in targets.items() if i not in kept}
            if durable:
                placed |= self._placed(files, durable)
            told, replacing = _sorted_out(placed, targets)
            outcomes |= told
            outcomes |= self._replace(sync, files, replacing)
        return [outcomes[index] for index in range(len(files))]

    def _stored(
        self,
        files: Sequence[tuple[ReceivedFile, Destination]],
        targets: Mapping[int, str],
        outcomes: dict[int, Published | LakeError],
    ) -> Sequence[tuple[ReceivedFile, Destination]]:
        """Those that were kept are temporary files, synced, then: whatever comes into sight was
        synced before. Only what is staged may be durable by the log alone."""
        stored = list(files)
        kept = [index for index in targets if files[index][0].kept is not None]
        told = self._small_files.store(
            [(files[index][0].temporary, files[index][0].kept or ()) for index in kept]
        )
        for index, mtime_ns in zip(kept, told, strict=True):
            received, where = files[index]
            if isinstance(mtime_ns, OSError):
                outcomes[index] = as_lake_error(mtime_ns)
            else:
                stored[index] = replace(received, mtime_ns=mtime_ns, kept=None), where
        return stored

    def _to_put(
        self,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow],
        targets: Mapping[int, str],
    ) -> Sequence[ToPut]:
        below_root = len(self._layout.root) + 1
        return [
            ToPut(
                *(files[index][0].temporary, target, files[index][0].kept or ()),
                *(target[below_root:], fact_row(rows[index])),
            )
            for index, target in targets.items()
        ]

    def _placed(
        self, files: Sequence[tuple[ReceivedFile, Destination]], targets: Mapping[int, str]
    ) -> Mapping[int, Published | Kind | OSError]:
        moves = [(files[index][0].temporary, target) for index, target in targets.items()]
        told = self._small_files.place(moves)
        return {
            index: Published(files[index][0].mtime_ns) if it is Kind.NOTHING else it
            for index, it in zip(targets, told, strict=True)
        }

    def _replace(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        targets: Mapping[int, str],
    ) -> dict[int, Published | LakeError]:
        """Moves files, durable ones, to where something stands, which is kept."""
        failed: dict[int, LakeError] = {}
        trash_folders: dict[str, list[int]] = {}
        for index, target in targets.items():
            received, where = files[index]
            try:
                if self._logged.is_pending(target):
                    self._logged.settle()
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
                failed[index] = error
        self._fsync_folders(trash_folders, failed)
        published: dict[int, Published] = {}
        folders: dict[str, list[int]] = {}
        with self._disk.holding({os.path.dirname(target) for target in targets.values()}):
            for index, target in targets.items():
                if index in failed:
                    continue
                try:
                    mtime_ns = self._disk.mtime_ns(files[index][0].temporary)
                    self._disk.replace(files[index][0].temporary, target)
                except OSError as cause:
                    failed[index] = as_lake_error(cause)
                else:
                    published[index] = Published(mtime_ns)
                    folders.setdefault(os.path.dirname(target), []).append(index)
        self._fsync_folders(folders, failed)
        return {**published, **failed}

    def _folder(self, sync: Sync, folder: LakePath) -> str:
        """Its path, made durable; raises `PathConflict`."""
        return self._folders.make(*self._below(sync, folder))

    def _below(self, sync: Sync, folder: LakePath) -> tuple[str, Sequence[str]]:
        if sync.is_full:
            return self._layout.all_staging, [str(sync.sync_id), *folder.below(sync.path)]
        return self._layout.files, folder.segments

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

    def _fsync_folders(
        self, folders: Mapping[str, Sequence[int]], failed: dict[int, LakeError]
    ) -> None:
        for folder, indices in folders.items():
            try:
                self._syncer.fsync(folder)
            except OSError as cause:
                error = as_lake_error(cause)
                for index in indices:
                    failed[index] = error


def _placed_by(
    targets: Mapping[int, str], told: Sequence[PutOutcome], held: Held
) -> dict[int, Published | Kind | OSError]:
    """What stands in the way of a file, where something does: then it is durable and waits."""
    return {
        index: Published(it, held.is_held) if isinstance(it, int) else it
        for index, it in zip(targets, told, strict=True)
    }


def _sorted_out(
    placed: Mapping[int, Published | Kind | OSError], targets: Mapping[int, str]
) -> tuple[dict[int, Published | LakeError], dict[int, str]]:
    """What is over, and the targets where something stands."""
    over: dict[int, Published | LakeError] = {}
    replacing: dict[int, str] = {}
    for index, outcome in placed.items():
        if isinstance(outcome, OSError):
            over[index] = as_lake_error(outcome)
        elif isinstance(outcome, Kind):
            replacing[index] = targets[index]
        else:
            over[index] = outcome
    return over, replacing


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

"""Puts a full sync's staged folder in the place of the old one, under a durable intent.

With an exchange of two folders (Linux) readers see the old folder or the new one and nothing else:

    staging/7 = new, files/x = old   ──exchange──>   staging/7 = old, files/x = new
                                     ──rename───>   trash/7/1/x = old, staging/7 is gone

Elsewhere two renames do it, with a moment in which the folder is not there. Each picture is told
from the next by what stands on the disk (and, across the exchange, by the staged folder's marked
mtime), so the same function starts a swap and takes an interrupted one further.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from embedded_server.domain.errors import PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.sync import SwapIntent
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.layout import Layout


class FolderSwap:
    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        folders: DurableFolders,
        unique_number: Callable[[], int],
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._unique_number = unique_number

    def prepare(self, sync_id: int, path: LakePath) -> SwapIntent:
        """Marks the staged folder (made empty when nothing was sent) and makes it durable."""
        staged = self._folders.make(self._layout.all_staging, [str(sync_id)])
        number = 1
        if self._disk.kind(self._layout.trash_number(sync_id, number)) is not Kind.NOTHING:
            number = self._unique_number()
        # The mark must differ from the mtime of whatever stands there now.
        mark_ns = self._disk.mtime_ns(staged)
        target = self._layout.published(path)
        if self._disk.kind(target) is not Kind.NOTHING:
            mark_ns = max(mark_ns, self._disk.mtime_ns(target))
        # Whole seconds survive every file system; an odd distance is not met by chance.
        mark_ns = (mark_ns // 1_000_000_000 + 7) * 1_000_000_000
        self._disk.mark_mtime(staged, mark_ns)
        self._disk.fsync_folder(staged)
        intent = SwapIntent(sync_id, path, number, self._disk.mtime_ns(staged))
        self._folders.make(self._layout.files, path.segments[:-1])
        if self._disk.kind(target) is not Kind.NOTHING:
            self._place_in_trash(intent)
        return intent

    def go_on(self, intent: SwapIntent) -> None:
        """From wherever the disk stands to the end. Raises `OSError`; may be called again.

        Raises `PathConflict` when the staged folder is not in place yet and cannot be put there.
        """
        staged = self._layout.staging(intent.sync_id)
        target = self._layout.published(intent.path)
        if self._disk.kind(staged) is Kind.FOLDER:
            if self._disk.mtime_ns(staged) != intent.staged_mtime_ns:
                old_is_in_staging = True  # an earlier run exchanged them
            else:
                old_is_in_staging = self._put_in_place(intent, staged, target)
            if old_is_in_staging:
                # The exchange must be durable before the old folder leaves staging: else a power
                # cut could keep the second step and lose the first.
                self._fsync_parents(staged, target)
                trashed = self._place_in_trash(intent)
                self._disk.rename(staged, trashed)
                self._fsync_parents(trashed)
        self._folders.forget()
        # The trash too, always: a run that was killed may have moved the old folder there without
        # living to sync it, and then nothing on the disk asks for it any more.
        self._fsync_parents(staged, target, self._first_place_in_trash(intent))

    def _put_in_place(self, intent: SwapIntent, staged: str, target: str) -> bool:
        """True when the old folder now stands where the staged one was."""
        self._folders.make(self._layout.files, intent.path.segments[:-1])
        kind = self._disk.kind(target)
        if kind is Kind.NOTHING:
            # Perhaps a killed run moved the old folder to the trash a moment ago.
            self._fsync_parents(target, self._first_place_in_trash(intent))
            self._disk.rename(staged, target)
            return False
        if kind is not Kind.FOLDER:
            raise PathConflict(
                f"{kind.value} stands where the folder {intent.path.segments[-1]!r} is needed"
            )
        trashed = self._place_in_trash(intent)
        if self._disk.exchange(staged, target):
            return True
        self._disk.rename(target, trashed)
        self._fsync_parents(target, trashed)
        self._disk.rename(staged, target)
        return False

    def _place_in_trash(self, intent: SwapIntent) -> str:
        """Where the old folder will lie; its parents are durable then. Nothing lies there yet."""
        above = intent.path.segments[:-1]
        self._folders.make(
            self._layout.all_trash, [str(intent.sync_id), str(intent.trash_number), *above]
        )
        place = self._first_place_in_trash(intent)
        if self._disk.kind(place) is Kind.NOTHING:
            return place
        return f"{place}.{self._unique_number()}"

    def _first_place_in_trash(self, intent: SwapIntent) -> str:
        number = self._layout.trash_number(intent.sync_id, intent.trash_number)
        return os.path.join(number, *intent.path.segments)

    def _fsync_parents(self, *paths: str) -> None:
        for parent in dict.fromkeys(os.path.dirname(path) for path in paths):
            # Never made, or taken away by a later swap of a folder above, which is durable itself.
            if self._disk.kind(parent) is Kind.FOLDER:
                self._disk.fsync_folder(parent)

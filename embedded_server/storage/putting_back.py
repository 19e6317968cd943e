"""Puts versions of the trash back into sight; what stands there goes to the trash in its turn.

A folder that a full sync replaced comes back as it went, in one step where the system can exchange
two folders; that step is its own undo:

    trash/7/1/x = old, files/x = new   ──exchange──>   trash/7/1/x = new, files/x = old

Everything else goes file by file. To be finished once begun, a version first moves whole to
`restoring/<sync>.<number>.<undo>.<depth>`: what lies there is what is still to be done, and a start
goes on with it. Each file's predecessor has its second name in the trash, durably, before the file
takes its place. Everything happens under the lake's swap lock, held alone: no sync publishes
meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from embedded_server.domain.errors import ChangedMeanwhile, NothingThere, PathConflict
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.trash import BY_HAND, PutBack, Version
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.layout import Layout
from embedded_server.storage.shared_lock import SharedLock
from embedded_server.storage.trashed_versions import mark_of

_Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Intent:
    """`undo` takes what stands in the way; a folder at `depth` is replaced whole (0: all merge)."""

    version: Version
    undo_number: int
    depth: int

    @property
    def undo(self) -> Version:
        # Parts never go among the versions of a sync: there they would be taken for all of it.
        return Version(self.version.sync_id if self.depth else BY_HAND, self.undo_number)

    @property
    def name(self) -> str:
        return f"{self.version.sync_id}.{self.version.number}.{self.undo_number}.{self.depth}"

    @classmethod
    def of(cls, name: str) -> _Intent | None:
        parts = name.split(".")
        if len(parts) != 4 or not all(part.isdecimal() for part in parts):
            return None
        sync_id, number, undo, depth = (int(part) for part in parts)
        return cls(Version(sync_id, number), undo, depth)


class PuttingBack:
    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        folders: DurableFolders,
        swap_lock: SharedLock,
        unique_number: Callable[[], int],
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._swap_lock = swap_lock
        self._unique_number = unique_number

    def version(
        self, version: Version, replaced: LakePath | None, state: str | None = None
    ) -> PutBack:
        """All of it. `replaced`: the folder that a full sync replaced, which comes back whole.

        Raises `ChangedMeanwhile`, `PathConflict` (nothing has changed then), `NothingThere`,
        `LakeFull`, `LakeFault`.
        """
        with self._swap_lock.exclusive(), translated():
            self._go_on_with_all()
            place = self._layout.trash_number(version.sync_id, version.number)
            if self._disk.kind(place) is not Kind.FOLDER:
                raise NothingThere("this version is not in the trash any more")
            if state is not None and mark_of(place)[0] != state:
                raise ChangedMeanwhile(
                    "this version is not in that state any more: it was put back, or added to."
                    " Look at the trash again"
                )
            depth = 0 if replaced is None else len(replaced.segments)
            intent = _Intent(version, self._unique_number(), depth)
            self._check_way(place, (), intent)
            try:
                if replaced is not None and self._exchanged(place, replaced):
                    return PutBack(version)
                restoring = self._folders.make(self._layout.own, ["restoring"])
                moved = os.path.join(restoring, intent.name)
                self._disk.rename(place, moved)
                self._folders.forget()
                self._fsync(restoring, os.path.dirname(place))
                self._go_on(intent, moved)
            finally:
                self._folders.forget()
            return self._done(intent)

    def path(self, version: Version, path: LakePath) -> PutBack:
        """A file, or what a folder of the version holds. Cut off, the rest is in the trash still.

        Raises as `version` does.
        """
        with self._swap_lock.exclusive(), translated():
            self._go_on_with_all()
            top = self._layout.trash_number(version.sync_id, version.number)
            above = os.path.join(top, *path.segments[:-1])
            source = os.path.join(above, path.segments[-1])
            intent = _Intent(version, self._unique_number(), 0)
            self._check_entry(source, path.segments, intent)
            try:
                self._put_entries(above, path.segments[:-1], intent, [path.segments[-1]])
                self._clear_away(source, top)
            finally:
                self._folders.forget()
            return self._done(intent)

    def go_on(self) -> Mapping[Version, PutBack | None]:
        """Finishes what a crash or a failing disk cut off; None for a version whose rest had to go
        back to the trash, because something came into its way.

        Raises `LakeFull`, `LakeFault`.
        """
        with self._swap_lock.exclusive(), translated():
            return self._go_on_with_all()

    def _go_on_with_all(self) -> Mapping[Version, PutBack | None]:
        restoring = self._layout.all_restoring
        if self._disk.kind(restoring) is not Kind.FOLDER:
            return {}
        done: dict[Version, PutBack | None] = {}
        for name in sorted(self._disk.names_in(restoring)):
            intent = _Intent.of(name)
            if intent is None:
                continue
            moved = os.path.join(restoring, name)
            # That it is here may not be durable yet: then it must not be half emptied.
            of_sync = os.path.join(self._layout.all_trash, str(intent.version.sync_id))
            here = [it for it in (restoring, of_sync) if self._disk.kind(it) is Kind.FOLDER]
            self._fsync(*here)
            try:
                self._go_on(intent, moved)
                done[intent.version] = self._done(intent)
            except PathConflict:
                # Something came into its way behind our back: the rest goes where it was.
                self._folders.make(self._layout.all_trash, [str(intent.version.sync_id)])
                self._disk.rename(moved, os.path.join(of_sync, str(self._unique_number())))
                self._fsync(of_sync, restoring)
                done[intent.version] = None
            finally:
                self._folders.forget()
        return done

    def _done(self, intent: _Intent) -> PutBack:
        kept = self._layout.trash_number(intent.undo.sync_id, intent.undo.number)
        return PutBack(intent.undo if self._disk.kind(kept) is Kind.FOLDER else None)

    # -- whole folders -----------------------------------------------------------------------

    def _exchanged(self, place: str, path: LakePath) -> bool:
        """False where that takes more than one step."""
        trashed = os.path.join(place, *path.segments)
        target = self._layout.published(path)
        # Where nothing stands, the way through `restoring` leaves no empty folders behind.
        if Kind.NOTHING in (self._disk.kind(trashed), self._disk.kind(target)):
            return False
        if not self._disk.exchange(trashed, target):
            return False
        self._fsync(os.path.dirname(target), os.path.dirname(trashed))
        return True

    # -- file by file ------------------------------------------------------------------------

    def _go_on(self, intent: _Intent, moved: str) -> None:
        """From wherever the disk stands to the end."""
        self._put_entries(moved, (), intent, self._disk.names_in(moved))
        self._disk.remove_tree(moved)
        self._fsync(os.path.dirname(moved))

    def _check_way(self, source: str, segments: _Segments, intent: _Intent) -> None:
        for name in self._disk.names_in(source):
            self._check_entry(os.path.join(source, name), (*segments, name), intent)

    def _check_entry(self, source: str, segments: _Segments, intent: _Intent) -> None:
        """Raises `PathConflict` for what cannot be moved out of the way."""
        kind = self._disk.kind(os.path.join(self._layout.files, *segments))
        if kind is Kind.OTHER:
            raise PathConflict(f"{kind.value} stands where {segments[-1]!r} is to be put back")
        is_merged = len(segments) != intent.depth and kind is Kind.FOLDER
        if is_merged and self._disk.kind(source) is Kind.FOLDER:
            self._check_way(source, segments, intent)

    def _put_entries(
        self, source: str, segments: _Segments, intent: _Intent, names: list[str]
    ) -> None:
        """Moves entries of `source` into the lake's folder `segments`, all its own or a few."""
        folder = self._folders.make(self._layout.files, segments)
        below: list[str] = []
        ready: list[tuple[str, str]] = []
        for name in names:
            moving, target = os.path.join(source, name), os.path.join(folder, name)
            kind = self._disk.kind(moving)
            is_folder = kind is Kind.FOLDER
            standing = self._disk.kind(target)
            is_merged = is_folder and len(segments) + 1 != intent.depth
            if standing is Kind.FOLDER and is_merged:
                below.append(name)
                continue
            if standing is Kind.OTHER:
                raise PathConflict(f"{standing.value} stands where {name!r} is to be put back")
            if standing is Kind.FILE is kind and os.path.samefile(moving, target):
                self._disk.unlink(moving)  # it was kept, and then never replaced
                continue
            if standing is not Kind.NOTHING:
                moves = is_folder or standing is Kind.FOLDER
                self._keep(target, (*segments, name), intent, moves=moves)
            ready.append((moving, target))
        if ready:
            if any(self._is_kept(intent, (*segments, os.path.basename(it))) for it, _ in ready):
                self._fsync(self._kept_folder(intent, segments))
            for moving, target in ready:
                self._disk.replace(moving, target)
        self._fsync(folder)
        if ready:
            self._fsync(source)
        for name in below:
            inside = os.path.join(source, name)
            self._put_entries(inside, (*segments, name), intent, self._disk.names_in(inside))

    def _keep(self, target: str, segments: _Segments, intent: _Intent, *, moves: bool) -> None:
        """What stands there gets its name in the trash; the caller fsyncs the folder of that."""
        folder = self._folders.make(
            self._layout.all_trash,
            [str(intent.undo.sync_id), str(intent.undo.number), *segments[:-1]],
        )
        kept = os.path.join(folder, segments[-1])
        if moves:
            self._disk.rename(target, kept)
            self._fsync(folder, os.path.dirname(target))
            return
        try:
            self._disk.link_or_copy(target, kept)
        except FileExistsError:
            if not os.path.samefile(target, kept):  # copied, where links cannot be made
                self._disk.unlink(kept)
                self._disk.link_or_copy(target, kept)

    def _kept_folder(self, intent: _Intent, segments: _Segments) -> str:
        top = self._layout.trash_number(intent.undo.sync_id, intent.undo.number)
        return os.path.join(top, *segments)

    def _is_kept(self, intent: _Intent, segments: _Segments) -> bool:
        return self._disk.kind(self._kept_folder(intent, segments)) is not Kind.NOTHING

    def _clear_away(self, source: str, top: str) -> None:
        """Folders that are empty now, up to the version's own and its sync's."""
        if self._disk.kind(source) is Kind.FOLDER:
            self._disk.remove_tree(source)
        folder = os.path.dirname(source)
        while folder.startswith(top) and not self._disk.names_in(folder):
            self._disk.remove_tree(folder)
            folder = os.path.dirname(folder)

    def _fsync(self, *folders: str) -> None:
        for folder in dict.fromkeys(folders):
            self._disk.fsync_folder(folder)

"""What the services need from the disk and from the catalog, as small protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

from embedded_server.contract import (
    LakeUsage,
    SyncJob,
    SyncType,
    UploadRecord,
)
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.api_key import StoredKey
from embedded_server.domain.entries import Entry, Origin
from embedded_server.domain.errors import LakeError
from embedded_server.domain.known import ExpectedFile, KnownFile, ManifestRow, Replacement
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Found, Page, Wanted
from embedded_server.domain.sync import IdempotentStart, SwapIntent, Sync
from embedded_server.domain.trash import (
    InTrash,
    PutBack,
    TrashAges,
    TrashedFile,
    TrashedVersion,
    Version,
)
from embedded_server.domain.upload import Destination, Published, ReceivedFile, UploadRow

Clock = Callable[[], int]  # milliseconds since 1970-01-01 UTC


class IncomingFile(Protocol):
    """A temporary file that is being written and digested. Used by one thread at a time."""

    def write(self, data: bytes) -> None:
        """Appends; raises `LakeFull` or `LakeFault`."""

    def written(self) -> ReceivedFile:
        """No more bytes follow; the file is not durable yet, and its mtime may not be known."""

    def discard(self) -> None:
        """Removes the temporary file; harmless when it is already gone."""


class Lake(Protocol):
    """The lake's files: what readers see, what is staged, what is in the trash."""

    def new_incoming(self) -> IncomingFile: ...

    def make_durable(
        self, files: Sequence[IncomingFile], *, may_wait: bool = False
    ) -> Sequence[ReceivedFile | LakeError]:
        """Brings the bytes of each to stable storage; one outcome a file, in order.

        `may_wait`: those that are `kept` in memory wait for `publish`, and become durable by it.
        """

    def takes_along(self, files: Sequence[IncomingFile]) -> bool:
        """Whether `make_durable` would leave all of these to `publish`."""

    def publish(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow] | None = None,
    ) -> Sequence[Published | LakeError]:
        """Moves durable files to their places (staged ones for a full sync) and fsyncs the folders.

        `rows`: what the catalog is going to know of each; only with them some may be `kept`.

        What they replace in sight goes to the trash, but for the same bytes, put there since the
        sync began: they were sent again after a lost answer or a crash. One outcome a file, in
        order.
        """

    def publish_soon(
        self,
        sync: Sync,
        files: Sequence[tuple[ReceivedFile, Destination]],
        rows: Sequence[UploadRow],
    ) -> Awaitable[Sequence[Published | LakeError]] | None:
        """As `publish`, begun already, of files that are all `kept`; for an event loop.

        None, and nothing is begun, where it would have to wait for somebody. However often it is
        cancelled, it comes to its end.
        """

    def found_in_place(
        self, sync: Sync, where: Destination, size_bytes: int, sha256: str
    ) -> int | None:
        """The mtime (ns) of these very bytes where `publish` puts them, their entry made durable;
        None where they do not stand."""

    def check_place(self, sync: Sync) -> None:
        """Raises `PathConflict` when the sync's folder can be no folder."""

    def swap(self, sync: Sync, record: Callable[[SwapIntent], None]) -> None:
        """Puts the staged folder in place and the old one into the trash, durably.

        `record` writes the intent down, durably, once all is prepared and before anything that
        readers see changes. No other swap comes in between, so what was checked still holds.
        Raises `PathConflict` where the sync's folder can be no folder.
        """

    def go_on_with_swap(self, intent: SwapIntent) -> None:
        """Takes a recorded swap further, from where the disk stands; may be called again.

        Raises `PathConflict` when something else has come into the place of the sync's folder.
        """

    def set_aside_staged(self, sync_id: int) -> None:
        """Moves what a sync has staged, if anything, to the trash."""

    def set_aside_staging(self, keep: frozenset[int]) -> None:
        """Moves staged folders of syncs not in `keep` to the trash: no later sync may find them."""

    def staged_sync_ids(self) -> Sequence[int]: ...

    def discard_staged(self, sync_id: int) -> None:
        """Removes what a sync has staged, if anything; the next start removes what a crash left."""

    def go_on_putting_back(self) -> Sequence[Version]:
        """Finishes what was being put back from the trash when a run ended; what that was."""

    def go_on_with_log(self) -> Sequence[UploadRow]:
        """Brings every file that a run left in its log to its place, durably; their rows."""

    def forget_log(self) -> None:
        """Those rows are durable too."""

    def wipe_incoming(self) -> None: ...

    def usage(self, path: LakePath) -> LakeUsage: ...


class TrashedVersions(Protocol):
    """What lies in the trash. All may raise `LakeFull`, `LakeFault`."""

    def versions(self) -> Sequence[Version]:
        """Of the newest sync first, and of each its latest number first."""

    def is_there(self, version: Version, path: LakePath | None = None) -> bool: ...

    def measured(self, version: Version) -> TrashedVersion:
        """Looks at all of it."""

    def top(self, version: Version) -> str:
        """The lake folder that all of it lies at or below."""

    def files(self, version: Version) -> Iterator[TrashedFile]:
        """By path."""

    def left_overs(self) -> Sequence[str]:
        """Names of what was set aside for syncs that lost their place."""

    def measured_left_over(self, name: str) -> TrashedVersion: ...

    def everything(self) -> Sequence[InTrash]:
        """Versions and what was set aside. Quick: looks at no more than their uppermost folders."""

    def size_bytes_of(self, it: InTrash) -> int:
        """Looks at all of it. Raises `NothingThere`."""

    def remove_marked(self, it: InTrash) -> bool:
        """For good; False where something else lies there by now, or nothing."""

    def remove(self, version: Version) -> None:
        """For good; harmless when it is gone."""

    def remove_left_over(self, name: str) -> None: ...


class AgesOfTrash(Protocol):
    def load(self) -> TrashAges:
        """As they were saved last; new ones where they are lost, which makes all of it younger."""

    def save(self, ages: TrashAges) -> None:
        """Durably. Raises `LakeFull`, `LakeFault`."""


class PuttingBack(Protocol):
    """Both raise `PathConflict` (nothing has changed then), `NothingThere`, `LakeFull`,
    `LakeFault`."""

    def version(
        self, version: Version, replaced: LakePath | None, state: str | None = None
    ) -> PutBack:
        """All of it. `replaced`: the folder that a full sync replaced, which comes back whole.

        Raises `ChangedMeanwhile` where it is not in that `state` any more.
        """

    def path(self, version: Version, path: LakePath) -> PutBack:
        """A file, or what a folder of the version holds."""

    def go_on(self) -> Mapping[Version, PutBack | None]:
        """Finishes what a failing disk cut off; None where something came into its way."""


class ReadFile(Protocol):
    """A published file, held open; `close` it."""

    size_bytes: int
    mtime_ns: int

    def read(self, offset: int, most: int) -> bytes: ...

    def close(self) -> None: ...


class Browsing(Protocol):
    """What is published. Raises `NothingThere` for what is not, or behind a link; `LakeFault`."""

    def entries(self, path: LakePath | None, offset: int, limit: int) -> tuple[int, list[Entry]]:
        """(how many there are, a page of them by name); None is the lake's root."""

    def entry(self, path: LakePath) -> Entry: ...

    def open(self, path: LakePath) -> ReadFile: ...

    def walk(self, path: LakePath | None) -> Iterator[tuple[tuple[str, ...], Entry]]:
        """Every file at and below a folder: (segments of its own folder, itself), in order."""

    def digested(self, folder: tuple[str, ...], name: str) -> tuple[Entry, str]:
        """A file and its SHA-256; raises `Refused` where it changes meanwhile."""

    def zipped(self, path: LakePath) -> Iterator[bytes]:
        """The folder as a zip archive, piece by piece; raises at once where none is."""


class Arranging(Protocol):
    """Changes by hand, each in one step and durable. Raises `LakeFull`, `LakeFault`."""

    def make_folder(self, path: LakePath) -> bool:
        """False where it is there already. Raises `PathConflict`."""

    def delete(self, path: LakePath) -> Version:
        """To the trash; the version that puts it back. Raises `NothingThere`, `PathConflict`."""

    def rename(self, path: LakePath, to: LakePath) -> None:
        """Never over something else. Raises `NothingThere`, `PathConflict`."""


class Origins(Protocol):
    def of(self, folder: str, files: Sequence[Entry]) -> Sequence[Origin | None]:
        """What brought each file, as it is on the disk; None where nobody knows."""

    def is_known_place(self, folder: str, file_name: str) -> bool:
        """Whether something was ever published there."""

    def note_files(self, files: Sequence[KnownFile]) -> None: ...

    def note_arranged(self, paths: Sequence[str], now_ms: int) -> None:
        """By hand: what was at or below these need not be there any more."""

    def manifest(self, sync_id: int) -> Iterator[list[ManifestRow]]:
        """What a sync brought, the last of each place, in the order of arrival; page by page."""

    def brought(self, sync_id: int, folder: str, names: Sequence[str]) -> frozenset[str]:
        """Those of the names that a sync has uploaded into a folder."""

    def expected(self) -> Iterator[ExpectedFile]:
        """The newest at each place, whether it still need be there or not; by place, with that of
        an upload before what was noted by hand."""

    def replacements(self) -> Iterator[Replacement]: ...


class KeyStore(Protocol):
    """The keys that were added by name, as digests."""

    def in_use(self) -> Sequence[StoredKey]: ...

    def add(self, key: StoredKey) -> bool:
        """False where a key of that name is in use."""

    def revoke(self, name: str, now_ms: int) -> bool:
        """False where no key of that name is in use."""

    def note_uses(self, last_used_at_ms: Mapping[str, int]) -> None:
        """Not durable: a crash may forget when a key was used last."""


class Catalog(Protocol):
    """The record of syncs and uploads. Every write that returns is durable unless told."""

    def add_sync(
        self,
        name: str,
        path: LakePath,
        sync_type: SyncType,
        now_ms: int,
        *,
        once: IdempotentStart | None = None,
        key_name: str = "",
    ) -> int:
        """The new sync's id, or that of the one that began `once` before.

        Raises `KeyUsedOtherwise`.
        """

    def find_started(self, once: IdempotentStart, key_name: str) -> int | None:
        """The sync that began so; raises `KeyUsedOtherwise`."""

    def forget_idempotency_keys(self, ended_before_ms: int) -> None:
        """Those of syncs that are over since then."""

    def find_sync(self, sync_id: int) -> Sync | None: ...

    def begin_upload(self, sync_id: int, where: Destination, now_ms: int) -> int:
        """A row in state Syncing; returns its history_id. Not durable: a crash may forget it."""

    def finish_upload(self, history_id: int, row: UploadRow) -> None: ...

    def add_finished_uploads(
        self, rows: Sequence[UploadRow], durable: bool | Callable[[], bool] = True
    ) -> None:
        """Rows of attempts that are over, in one transaction.

        `durable` may be asked for right before they are written, by the thread that writes.
        """

    async def add_finished_uploads_soon(
        self, rows: Sequence[UploadRow], durable: bool | Callable[[], bool] = True
    ) -> None:
        """As `add_finished_uploads`, for an event loop."""

    def add_missing_uploads(self, rows: Sequence[UploadRow]) -> None:
        """Those that are not there."""

    def make_durable(self) -> None:
        """All that was written before."""

    def add_intent(self, intent: SwapIntent) -> None: ...

    def find_intent(self, sync_id: int) -> SwapIntent | None: ...

    def open_intents(self) -> Sequence[SwapIntent]: ...

    def finish_sync(self, sync_id: int, now_ms: int) -> None:
        """Finished, and its intent (if any) done, in one transaction."""

    def fail_sync(self, sync_id: int, now_ms: int, message: str) -> None:
        """Failed, and its intent given up, in one transaction."""

    def finished_uploads(self, sync_id: int) -> int: ...

    def add_idle_time(self, now_ms: int, at_least_ms: int, at_most_ms: int) -> None:
        """To every running sync, what the clock says has gone by since the last look at it."""

    def idle_sync_ids(self, limit_ms: int) -> Sequence[int]:
        """Running syncs that have been idle for so long and have no upload on its way."""

    def running_sync_ids(self) -> frozenset[int]: ...

    def fail_left_over_uploads(self, message: str, now_ms: int) -> int: ...

    def sync_jobs(
        self, offset: int, limit: int, within: LakePath | None = None
    ) -> Sequence[SyncJob]:
        """Oldest first; with `within` only those at or below that folder are there and count."""

    def find_syncs(self, wanted: Wanted, page: Page) -> Found[SyncDetails]: ...

    def find_uploads(self, wanted: Wanted, page: Page) -> Found[UploadDetails]: ...

    def upload_records(
        self, offset: int, limit: int, within: LakePath | None = None
    ) -> Sequence[UploadRecord]:
        """As `sync_jobs`."""

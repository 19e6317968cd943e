"""What the engine needs from the world, as small protocols.

Those with more than one adapter or a fake have one conformance suite (`tests/conformance`) that all
of them pass; the others are tested as the real thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.connections import Connection
from app.domain.errors import LakeDropError
from app.domain.impact import Extent
from app.domain.odd_names import OddNames
from app.domain.queue_item import (
    FoundFile,
    ItemState,
    KnownDigest,
    LeftOut,
    QueueItem,
    Stamp,
)
from app.domain.receipt import Row
from app.domain.resumable import HowFar, KeptUpload
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import PendingSource, Source, UploadJob
from embedded_server.contract import Capabilities, LakeUsage, SyncJob, SyncType, UploadRecord
from embedded_server.contract_extensions import LakeEntries

OnSent = Callable[[int], None]
"""Called with the number of content bytes handed to the network since the last call."""


class FileContent(Protocol):
    """One file's bytes, read once, while they are sent."""

    @property
    def size_bytes(self) -> int: ...

    def chunks(self) -> Iterator[bytes]:
        """All bytes, but for those that were skipped, in pieces of up to 1 MiB, none empty.

        Raises `SourceUnreadable`, `SourceChanged`, `SourceLocked` or `Cancelled`; the gateway lets
        them through.
        """
        ...


@dataclass(frozen=True, slots=True)
class SmallFile:
    """A file that is sent with others in one request, whole in memory."""

    folder: str
    name: str
    content: bytes
    sha256: str  # 64 hex digits
    stamp: Stamp | None = None  # as of a `HashedContent`


@dataclass(frozen=True, slots=True)
class UploadReceipt:
    """The server's yes. `sha256` (lower-case hex) and `size_bytes` of what it stored, or None."""

    sha256: str | None
    size_bytes: int | None


class LakeGateway(Protocol):
    """One server, spoken to by the contract and by what it negotiated. Safe to share by threads.

    Every call may raise `LakeUnreachable`, `LakeBusy`, `LakeBroken`, `LakeFull`, `LakeRefused` and
    its kinds, or `ContractBroken`.
    """

    def capabilities(self) -> Capabilities | None:
        """None for a plain server. Asked once, then remembered; "not known yet" raises."""
        ...

    def start_sync(self, name: str, path: str, sync_type: SyncType, once: str | None = None) -> int:
        """Its id. Asked again with the same `once` it is the same sync, where the server can."""
        ...

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt: ...

    def upload_batch(
        self, sync_id: int, files: Sequence[SmallFile], on_sent: OnSent
    ) -> list[UploadReceipt | LakeDropError]:
        """One outcome a file, in order. Only where capabilities name `batch`."""
        ...

    def begin_upload(self, sync_id: int, folder: str, name: str, size_bytes: int) -> str:
        """The id of an upload that can be gone on with. Only where capabilities name `tus`."""
        ...

    def how_far(self, upload_id: str) -> HowFar | None:
        """None where nobody can go on with it any more: not known, given up, its sync over."""
        ...

    def go_on_upload(
        self, upload_id: str, offset_bytes: int, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        """Sends what lies behind the offset that `how_far` told, skipped in `content` already.

        Also asked with nothing left to send: the answer to the last byte may have been lost. Raises
        `LakeBusy` where `how_far` must be asked again first.
        """
        ...

    def give_up_upload(self, upload_id: str) -> None:
        """The server may throw away what has come; nothing happens where it has done so."""
        ...

    def end_sync(self, sync_id: int) -> None: ...

    def abort_sync(self, sync_id: int) -> bool:
        """Gives the sync up on the server; False, and nothing done, where that cannot be asked."""
        ...

    def sync_jobs(self, offset: int, limit: int) -> list[SyncJob]:
        """A page of the list call, sorted by id, oldest first."""
        ...

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        """A page of the history call, sorted by id, oldest first."""
        ...

    def usage(self, path: str) -> LakeUsage | None:
        """None where the server cannot tell (a plain server)."""
        ...

    def entries(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        """A page of a folder by name, of none where it is not there; None where the server cannot
        be asked (a plain server)."""
        ...

    def check(self) -> None:
        """Proves address and key without leaving anything: ends an impossible sync."""
        ...

    def close(self) -> None: ...


class Gateways(Protocol):
    """Finds the gateway of a connection; for the local lake, starts its server when needed."""

    def open(self, connection: Connection, key: str | None) -> LakeGateway:
        """Raises `ConnectionNotUsable`, `LocalLakeFailed`. Asked again after `LakeUnreachable`.

        The gateway is shared and stays open until `close`; callers do not close it.
        """
        ...

    def close(self) -> None: ...


class Picks(Protocol):
    """What is left out of the dropped folders by its name or path."""

    def reason_against(self, path: str, name: str, *, is_folder: bool) -> str:
        """In words, "" for what is taken. `path` lies below the dropped folder: `2026/a.csv`.

        A folder that is left out is not looked into.
        """
        ...


class SourceFiles(Protocol):
    """The user's files on this machine."""

    def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
        """Every file of a dropped path, streamed. What `picks` speaks against, and symbolic links,
        are left out and told.

        Raises `SourceUnreadable` when the dropped path itself does not exist.
        """
        ...

    def open(self, item: QueueItem, raise_if_cancelled: Callable[[], None]) -> HashedContent:
        """Opens it for one reading; used as a context manager.

        Raises `SourceUnreadable`, `SourceLocked`.
        """
        ...

    def look(self, item: QueueItem) -> Stamp | None:
        """As it is now; None for what is no file, or cannot be looked at."""
        ...

    def read_small(self, item: QueueItem, most_bytes: int) -> SmallFile | None:
        """The whole file, with its digest; None when it has grown beyond `most_bytes`.

        Raises `SourceUnreadable`, `SourceChanged`, `SourceLocked`.
        """
        ...


class HashedContent(FileContent, Protocol):
    """Content that knows, once all of it was read, its SHA-256 (64 hex digits)."""

    @property
    def sha256(self) -> str: ...

    @property
    def identity(self) -> str:
        """The same only as long as nobody has written the file or put another in its place."""
        ...

    @property
    def stamp(self) -> Stamp | None:
        """Of the file as it was read; None where a change right after it might not show."""
        ...

    def skip(self, count_bytes: int) -> None:
        """Reads and digests bytes that need not be sent; before `chunks`, and like it."""
        ...

    def __enter__(self) -> HashedContent: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """Files and bytes of a job, by state."""

    files: dict[ItemState, int]
    bytes: dict[ItemState, int]
    verified: int
    left_out: int


class Journal(Protocol):
    """The queue that survives a crash. One writer; every method may raise `JournalFailed`.

    What adds, saves, moves or removes is durable when it returns; `record` within a moment, and
    always before `flush` returns: what is lost with a crash is only sent again. Ranges of items
    are [first, last] numbers.
    """

    def add_job(self, job: UploadJob, sources: Sequence[Source] = ()) -> UploadJob:
        """Gives the job its number; the sources are pending."""
        ...

    def save_job(self, job: UploadJob) -> None: ...

    def job(self, job_id: int) -> UploadJob | None: ...

    def jobs(self) -> list[UploadJob]: ...

    def remove_job(self, job_id: int) -> None: ...

    def add_sources(self, job_id: int, sources: Sequence[Source]) -> None:
        """More pending ones, after those that are there; the job's intake is not done then."""
        ...

    def pending_sources(self, job_id: int, limit: int) -> list[PendingSource]:
        """The oldest ones that are not taken in."""
        ...

    def add_items(
        self,
        job_id: int,
        found: Sequence[FoundFile],
        left_out: Sequence[LeftOut],
        taken_in_to: int = 0,
    ) -> None:
        """Together with these items, the pending sources up to that number are done with."""
        ...

    def source_paths(self, job_id: int) -> list[str]:
        """All that intake met, also of items removed while it is not done."""
        ...

    def remove_items(self, job_id: int, ranges: Sequence[tuple[int, int]]) -> ItemCounts:
        """Says what was removed."""
        ...

    def queued(self, job_id: int, after_item_id: int, limit: int) -> list[QueueItem]:
        """The next queued items by number."""
        ...

    def items(
        self, job_id: int, states: frozenset[ItemState] | None, after_item_id: int, limit: int
    ) -> list[QueueItem]: ...

    def item_ids(
        self, job_id: int, states: frozenset[ItemState] | None, after_item_id: int
    ) -> list[int]:
        """All numbers above that one, growing."""
        ...

    def items_at(
        self, job_id: int, ranges: Sequence[tuple[int, int]], limit: int
    ) -> list[QueueItem]:
        """In the order of the ranges; numbers that the job has not are passed over."""
        ...

    def left_out(self, job_id: int, limit: int) -> list[LeftOut]: ...

    def record(self, items: Sequence[QueueItem]) -> None: ...

    def flush(self) -> None: ...

    def move_items(
        self, job_id: int, from_states: frozenset[ItemState], to_state: ItemState
    ) -> int:
        """Moves all such items at once (after a crash, on cancel, on retry); says how many."""
        ...

    def counts(self, job_id: int) -> ItemCounts: ...

    def empty_sources(self, job_id: int, limit: int) -> list[str]:
        """Dropped paths that intake found no file in."""
        ...

    def odd_names(self, job_id: int, limit: int) -> OddNames:
        """Of the queued items: those whose name or folder a lake refuses, and twins."""
        ...

    def last_full_sync(self, server: str, destination: str) -> Extent | None:
        """What the newest full sync that ended there had; kept when its job is forgotten."""
        ...

    def kept_upload(self, item_id: int) -> KeptUpload | None: ...

    def keep_upload(self, upload: KeptUpload) -> None:
        """In the place of one that the item had; kept until the job has ended."""
        ...

    def forget_upload(self, item_id: int) -> None: ...

    def remember_full_sync(self, server: str, destination: str, extent: Extent) -> None: ...

    def digests(self, sources: Sequence[str]) -> dict[str, KnownDigest]:
        """What is known of them from earlier readings, of any job."""
        ...

    def note_digest(self, source: str, digest: KnownDigest) -> None:
        """Written down with the next outcomes; one that is lost is only made again."""
        ...

    def forget_digests(self, before_ms: int) -> None:
        """Those noted before that moment."""
        ...

    def same_names(self, job_id: int, limit: int) -> list[str]:
        """Base names that stand in more than one folder of the job."""
        ...

    def same_places(self, job_id: int, limit: int) -> list[str]:
        """Lake paths that more than one file of the job would be written to."""
        ...

    def setting(self, name: str) -> str:
        """What was kept under that name, "" where nothing was."""
        ...

    def keep_setting(self, name: str, value: str) -> None: ...

    def close(self) -> None: ...


class Receipts(Protocol):
    """What became of each file of the jobs that are over, kept when the journal has forgotten."""

    def keep(self, job: JobSnapshot, rows: Iterable[Row]) -> str:
        """Durable when it returns, and wholly there or not at all; says where, as a path.

        Kept again, it takes the place of the one before. Raises `LakeDropError` where
        it cannot be written, and lets through what `rows` raises.
        """
        ...


class Secrets(Protocol):
    """Keys by connection name. Raises `ConnectionNotUsable` where there is no keyring."""

    def available(self) -> bool:
        """Whether there is a keyring, locked or not; never raises."""
        ...

    def get(self, connection_name: str) -> str | None: ...

    def set(self, connection_name: str, key: str) -> None: ...

    def delete(self, connection_name: str) -> None: ...


class ConnectionStore(Protocol):
    """The named remotes of this user, without their keys."""

    def all(self) -> list[Connection]: ...

    def find(self, name: str) -> Connection | None: ...

    def save(self, connection: Connection, was: str | None = None) -> None:
        """Adds, or replaces the one of that name; at once in the place of the one named `was`."""
        ...

    def remove(self, name: str) -> bool: ...


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970-01-01 UTC; for showing and storing."""
        ...

    def monotonic_s(self) -> float:
        """Never goes back; for waiting and speeds."""
        ...

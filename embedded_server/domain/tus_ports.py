"""What resumable uploads need from the disk and from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from embedded_server.domain.tus_upload import TusUpload
from embedded_server.domain.upload import ReceivedFile, UploadRow


class PartialFile(Protocol):
    """What has come of a resumable upload. Used by one thread at a time."""

    @property
    def size_bytes(self) -> int: ...

    @property
    def is_open(self) -> bool: ...

    def write(self, data: bytes) -> None:
        """Appends; raises `LakeFull` or `LakeFault`: then the file is closed, as below."""

    def make_durable(self) -> int:
        """Returns how many bytes are on stable storage now. Raises `LakeFull` or `LakeFault`: then
        the file is closed, and is opened again at the last offset that was written down."""

    def fall_back(self) -> None:
        """Forgets what came since `make_durable`."""

    def received(self) -> ReceivedFile: ...

    def close(self) -> None:
        """Harmless when it is closed already."""


class Partials(Protocol):
    """The files of resumable uploads, by upload id."""

    def open(self, upload_id: str, durable_bytes: int) -> PartialFile:
        """To go on behind `durable_bytes`; raises `LakeFault` when those are not there."""

    def arrived(self, upload_id: str, size_bytes: int, sha256: str) -> ReceivedFile | None:
        """A file that came whole; None when it is not there any more."""

    def remove(self, upload_id: str) -> None: ...

    def keep_only(self, upload_ids: frozenset[str]) -> None:
        """Removes what belongs to no upload."""

    def has_room_for(self, size_bytes: int) -> bool: ...


class TusRecords(Protocol):
    """The record of resumable uploads. Every write that returns is durable."""

    def add(self, upload: TusUpload) -> TusUpload:
        """With its row of the history, in state Syncing; returns it with that row's id."""

    def find(self, upload_id: str) -> TusUpload | None: ...

    def open_uploads(self, sync_id: int | None = None) -> Sequence[TusUpload]:
        """Those that are receiving or have arrived; of one sync, or of all."""

    def save_offset(self, upload: TusUpload, offset_bytes: int, now_ms: int) -> TusUpload:
        """Returns the upload as it is now. Its sync counts as fed."""

    def save_state(self, upload: TusUpload, now_ms: int) -> None: ...

    def finish(self, upload: TusUpload, row: UploadRow, now_ms: int) -> None:
        """The upload is over: its state and its row of the history, in one transaction."""

    def forget(self, upload_ids: Sequence[str]) -> None: ...

    def forget_over(self, before_ms: int) -> None:
        """Those that were over before then."""

"""A sync: one upload job into one folder of the lake, from *start* to *end*.

    start ──> Syncing ──end──> Finished
                 ├──end, and a swap that began has lost its place──> Failed
                 ├──abort──────────────────────────────────────────> Failed "aborted"
                 └──idle for too long──────────────────────────────> Failed "expired: …"

What a full sync had staged goes with its abort or expiry; the data it was to replace stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import (
    InvalidParam,
    LakeError,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
)
from embedded_server.domain.lake_path import LakePath

ABORTED = "aborted"
_EXPIRED = "expired"
_DAY_MS = 24 * 60 * 60 * 1000


def expired_message(limit_ms: int) -> str:
    days = limit_ms / _DAY_MS
    return f"{_EXPIRED}: nothing came for {days:g} {'day' if days == 1 else 'days'}"


@dataclass(frozen=True, slots=True)
class Sync:
    sync_id: int
    path: LakePath
    sync_type: SyncType
    status: SyncStatus
    started_at_ms: int
    message: str = ""  # why it has failed

    @property
    def was_given_up(self) -> bool:
        """By an abort or by its expiry: what it staged is to go, not to be kept."""
        return self.status is SyncStatus.FAILED and (
            self.message == ABORTED or self.message.startswith(_EXPIRED)
        )

    def refusal(self) -> LakeError:
        """What whoever comes to this sync, which is over, is told."""
        if not self.was_given_up:
            return SyncAlreadyEnded()
        return (SyncAborted if self.message == ABORTED else SyncExpired)(self.sync_id)

    @property
    def is_full(self) -> bool:
        return self.sync_type is SyncType.FULL

    def folder_of(self, path_text: str | None) -> LakePath:
        """The folder that a request names, or the sync's own. Raises `InvalidParam`."""
        if path_text is None:
            return self.path
        folder = LakePath.parse(path_text)
        if not self.path.holds(folder):
            raise InvalidParam(f"path must be the sync's own path {self.path} or lie below it")
        return folder


@dataclass(frozen=True, slots=True)
class IdempotentStart:
    """The key of a *start*, and a digest of what it asked for. Keys of different senders differ."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SwapIntent:
    """The durable promise that a full sync's staged folder takes the place of `path`.

    `staged_mtime_ns` is a mark on the staged folder itself: an exchange of two folders looks the
    same before and after, so after a crash the mark tells which of the two is the staged one.
    """

    sync_id: int
    path: LakePath
    trash_number: int
    staged_mtime_ns: int

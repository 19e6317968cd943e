"""A sync: one upload job into one folder of the lake, from *start* to *end*.

    start ──> Syncing ──end──> Finished
                 └──end, and a swap that began has lost its place──> Failed

A sync that never ends stays Syncing (contract, "List").
"""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.lake_path import LakePath


@dataclass(frozen=True, slots=True)
class Sync:
    sync_id: int
    path: LakePath
    sync_type: SyncType
    status: SyncStatus
    started_at_ms: int

    @property
    def is_full(self) -> bool:
        return self.sync_type is SyncType.FULL


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

"""What was replaced or deleted, and lies in the trash until it is put back or purged."""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.contract import SyncJob

BY_HAND = 0  # stands for the sync where somebody deleted or put back: ids of syncs begin at 1


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What one sync replaced, as it was: put back as one unit.

    Number 1 is what stood there before the sync; larger ones are later states.
    """

    sync_id: int
    number: int


@dataclass(frozen=True, slots=True)
class TrashedVersion:
    """`top`: the lake folder that all of it lies at or below, "/" where there is no single one.

    `replaced_at_ms` is when something was last put into it, ms since 1970 UTC.
    """

    version: Version
    top: str
    files: int
    size_bytes: int
    replaced_at_ms: int
    job: SyncJob | None = None  # None for what was deleted by hand, or a catalog that forgot


@dataclass(frozen=True, slots=True)
class TrashedFile:
    path: str  # on the lake
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class PutBack:
    """`undo` puts back what stood there; None where nothing did."""

    undo: Version | None


@dataclass(frozen=True, slots=True)
class Purged:
    versions: int
    files: int
    size_bytes: int

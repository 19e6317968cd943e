"""What was replaced or deleted, and lies in the trash until it is put back or purged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embedded_server.contract import SyncJob

DEFAULT_DAYS = 30  # what has lain there for so long is purged
BY_HAND = 0  # stands for the sync where somebody deleted or put back: ids of syncs begin at 1


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What one sync replaced, as it was: put back as one unit.

    Number 1 is what stood there before the sync; larger ones are later states.
    """

    sync_id: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.sync_id}/{self.number}"


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
    state: str = ""  # another one when something else lies there
    purge_at_ms: int | None = None  # at the earliest; None where age removes nothing


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


@dataclass(frozen=True, slots=True)
class TrashLimits:
    """What a server removes from the trash by itself; None is no limit."""

    age_ms: int | None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class InTrash:
    """A version, or (`version` None) what was set aside for a sync that had lost its place.

    `mark` is another one when something else lies there; `at_ms` when it came, by the wall clock.
    """

    name: str
    version: Version | None
    mark: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What lay in the trash, and since when, on the clock of `TrashAges`."""

    mark: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class TrashAges:
    """How long things have lain in the trash, on a clock that is counted and never read off.

    `counted_ms` is what it says; `seen_at_ms` what the wall clock said then (ms since 1970 UTC).
    """

    counted_ms: int = 0
    seen_at_ms: int | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)

"""What the catalog knows of files beyond their uploads, and what it expects to be there."""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.domain.entries import Entry, Origin


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it is on the disk, and where its bytes came from."""

    folder: str  # empty: the lake's root
    entry: Entry
    origin: Origin


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """The newest that was published at a place. `at_ms`: since when it is to be there."""

    folder: str
    file_name: str
    sync_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """Nothing older than `at_ms` need be at or below `path`: a full sync's end, or by hand (0)."""

    path: str
    sync_id: int
    at_ms: int

    def explains(self, gone: ExpectedFile) -> bool:
        place = f"{gone.folder}/{gone.file_name}"
        is_below = place == self.path or place.startswith(f"{self.path}/")
        return is_below and self.at_ms >= gone.at_ms and self.sync_id != gone.sync_id


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A file as a sync brought it; `time_ms`: when its upload was over."""

    history_id: int
    path: str
    size_bytes: int
    sha256: str
    time_ms: int

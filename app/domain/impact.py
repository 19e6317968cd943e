"""What a sync will do to the data that is there, for the question before the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.odd_names import NONE_ODD, OddNames
from app.domain.upload_job import MOST_SHRINK_PERCENT
from embedded_server.contract import SyncType


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is: files and bytes."""

    files: int
    bytes: int

    def shrinks(self, to: Extent, most_percent: int) -> bool:
        """Whether `to` has so much less, in files or in bytes, that somebody must agree to it."""
        kept_percent = 100 - most_percent
        return (
            to.files * 100 < self.files * kept_percent or to.bytes * 100 < self.bytes * kept_percent
        )


@dataclass(frozen=True, slots=True)
class Impact:
    """Counts are files and bytes. `replaced_*` is None where the server cannot tell."""

    mode: SyncType
    destination: str
    new_files: int
    new_bytes: int
    replaced_files: int | None
    replaced_bytes: int | None
    plain_server: bool
    same_names: tuple[str, ...] = ()  # base names that stand in several folders of the job
    left_out: int = 0
    empty_sources: tuple[str, ...] = ()  # dropped folders without a file
    # What a full sync replaces as far as it is known: as the server tells it, or of the last full
    # sync that this client made there; None where nobody knows.
    before_files: int | None = None
    before_bytes: int | None = None
    before_is_last_sync: bool = False
    most_shrink_percent: int = MOST_SHRINK_PERCENT
    odd_names: OddNames = NONE_ODD

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Impact:
        """As the engine's `impact` answers it."""
        return cls(
            mode=SyncType(wire["mode"]),
            destination=str(wire["destination"]),
            new_files=int(wire["new_files"]),
            new_bytes=int(wire["new_bytes"]),
            replaced_files=wire["replaced_files"],
            replaced_bytes=wire["replaced_bytes"],
            plain_server=bool(wire["plain_server"]),
            same_names=tuple(wire["same_names"]),
            left_out=int(wire["left_out"]),
            empty_sources=tuple(wire["empty_sources"]),
            before_files=wire["before_files"],
            before_bytes=wire["before_bytes"],
            before_is_last_sync=bool(wire["before_is_last_sync"]),
            most_shrink_percent=int(wire["most_shrink_percent"]),
            odd_names=OddNames.from_wire(wire["odd_names"]),
        )

    @property
    def moves_data_to_trash(self) -> bool:
        """True also where it is not known: then the user is asked."""
        return self.mode is SyncType.FULL and self.replaced_files != 0

    @property
    def empties_destination(self) -> bool:
        return self.mode is SyncType.FULL and self.new_files == 0

    @property
    def loses_a_source(self) -> bool:
        """A full sync of several dropped paths, one of them without any file."""
        return self.mode is SyncType.FULL and self.new_files > 0 and bool(self.empty_sources)

    @property
    def shrinks_data(self) -> bool:
        """By more than the share that needs no consent. To nothing is a question of its own."""
        if self.mode is not SyncType.FULL or self.empties_destination:
            return False
        if self.before_files is None or self.before_bytes is None:
            return False
        before = Extent(self.before_files, self.before_bytes)
        return before.shrinks(Extent(self.new_files, self.new_bytes), self.most_shrink_percent)

    @property
    def cannot_end(self) -> bool:
        """A full sync with a file that this server is known to refuse."""
        refused = self.odd_names.refused_count > 0
        return self.mode is SyncType.FULL and refused and not self.plain_server

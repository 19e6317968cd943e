"""What a sync will do to the data that is there, for the question before the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_server.contract import SyncType


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
        )

    @property
    def moves_data_to_trash(self) -> bool:
        """True also where it is not known: then the user is asked."""
        return self.mode is SyncType.FULL and self.replaced_files != 0

    @property
    def empties_destination(self) -> bool:
        return self.mode is SyncType.FULL and self.new_files == 0

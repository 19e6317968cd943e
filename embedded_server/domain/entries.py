"""What stands at a path of the lake, and what the catalog knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EntryKind(Enum):
    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"  # a link or a device: shown, never opened


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    kind: EntryKind
    size_bytes: int  # 0 but for files
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bytes of a file came from; empty and 0 where that is not known."""

    sync_id: int
    history_id: int
    sha256: str
    key_name: str
    known_at_ms: int


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A file without an origin was changed behind the catalog's back."""

    entry: Entry
    origin: Origin | None

    @property
    def is_changed(self) -> bool:
        return self.entry.kind is EntryKind.FILE and self.origin is None

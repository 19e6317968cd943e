"""What the catalog knows of files beyond their uploads, and what it expects to be there."""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def place(self) -> tuple[str, str]:
        return self.folder, self.file_name


@dataclass(frozen=True, slots=True)
class Replacement:
    """Nothing older than `at_ms` need be at or below `path`: a full sync's end, or by hand (0)."""

    path: str
    sync_id: int
    at_ms: int


class Replacements:
    """All that were; what they explain is found by the path, however many there are."""

    def __init__(self, found: Iterable[Replacement]) -> None:
        # Of each path the newest, and the newest of another sync: none explains what it brought.
        self._newest: dict[str, tuple[tuple[int, int], ...]] = {}
        for it in found:
            known = (*self._newest.get(it.path, ()), (it.at_ms, it.sync_id))
            first, *others = sorted(known, reverse=True)
            self._newest[it.path] = (first, *[by for by in others if by[1] != first[1]][:1])

    def explain(self, gone: ExpectedFile) -> bool:
        path = f"{gone.folder}/{gone.file_name}"
        while path:
            for at_ms, sync_id in self._newest.get(path, ()):
                if at_ms >= gone.at_ms and sync_id != gone.sync_id:
                    return True
            path = path.rpartition("/")[0]
        return False


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A file as a sync brought it; `time_ms`: when its upload was over."""

    history_id: int
    path: str
    size_bytes: int
    sha256: str
    time_ms: int

"""What must be true of a lake after whatever happened to its server.

Every file of these tests has the bytes of `content_of(path, version)`, so a file in sight can be
judged alone. Each function returns complaints; an empty list means that the promise held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.lake_connection import LakeConnection
from tests.support.ledger import Acknowledged
from tests.support.uploaders import content_of, version_of


def published(lake: Path) -> dict[str, bytes]:
    """Every file that readers see: lake path → bytes."""
    files = lake / "files"
    return {
        f"/{path.relative_to(files).as_posix()}": path.read_bytes()
        for path in sorted(files.rglob("*"))
        if path.is_file()
    }


def half_files(seen: Mapping[str, bytes]) -> list[str]:
    """Files in sight whose bytes are not the right ones: cut short, NUL-filled, mixed."""
    complaints = []
    for path, data in seen.items():
        if version_of(path, data) is None:
            kind = "empty" if not data else "NULs" if not data.strip(b"\0") else "wrong bytes"
            complaints.append(f"{path} is in sight with {kind}, {len(data)} of them")
    return complaints


def lost_files(seen: Mapping[str, bytes], ledger: Iterable[Acknowledged]) -> list[str]:
    """Acknowledged files that are not there with those bytes, nor with those of a later version."""
    complaints = []
    for one in ledger:
        data = seen.get(one.path)
        if data is None:
            complaints.append(f"{one.path} was acknowledged and is lost")
        elif hashlib.sha256(data).hexdigest() != one.sha256:
            version = version_of(one.path, data)
            if version is None or not _is_later(version, one):
                complaints.append(f"{one.path} was acknowledged and has other bytes")
    return complaints


def _is_later(version: int, than: Acknowledged) -> bool:
    earlier = (content_of(than.path, number) for number in range(version))
    return any(hashlib.sha256(data).hexdigest() == than.sha256 for data in earlier)


def lost_versions(lake: Path, seen: Mapping[str, bytes]) -> list[str]:
    """Replaced versions that are not in the trash. Versions come one after the other, from 0."""
    trash = lake / ".lakedrop/trash"
    kept = {path.read_bytes() for path in trash.rglob("*") if path.is_file()}
    return [
        f"version {number} of {path} was replaced and is not in the trash"
        for path, data in seen.items()
        for number in range(version_of(path, data) or 0)
        if content_of(path, number) not in kept
    ]


def lost_rows(lake: LakeConnection, ledger: Iterable[Acknowledged]) -> list[str]:
    """Acknowledged files that the history does not call finished, and rows that never end."""
    rows = lake.history()
    finished = {(row["sync_id"], row["file_name"]) for row in rows if _is(row, "Finished")}
    complaints = [
        f"{one.path} was acknowledged and the history does not know it"
        for one in ledger
        if (one.sync_id, one.name) not in finished
    ]
    running = [row["file_name"] for row in rows if _is(row, "Syncing")]
    return complaints + [f"the history shows {name} on its way for ever" for name in running]


@dataclass(slots=True)
class Generation:
    """What one full sync sent. An upload without an answer may be in or not."""

    acknowledged: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)

    def is_all_of(self, there: set[str]) -> bool:
        return self.acknowledged <= there <= self.sent


def neither_old_nor_new(
    seen: Mapping[str, bytes], folder: str, allowed: Iterable[Generation]
) -> list[str]:
    """A full sync's folder must hold one of the generations, whole and with nothing else."""
    there = {path for path in seen if path.startswith(f"{folder}/")}
    generations = list(allowed)
    if any(generation.is_all_of(there) for generation in generations):
        return []
    parts = [f"{len(there & one.sent)} of {len(one.acknowledged)}" for one in generations]
    return [f"{folder} holds {len(there)} files, of the allowed generations: {parts}"]


def left_behind(lake: Path) -> list[str]:
    return [f"{path.name} was left in incoming" for path in (lake / ".lakedrop/incoming").iterdir()]


def _is(row: dict[str, object], status: str) -> bool:
    return row["sync_status"] == status

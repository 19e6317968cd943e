"""What must be true of a lake after whatever happened to its server.

Every file of these tests has the bytes of `content_of(path, version)`, so a file in sight can be
judged alone. Each function returns complaints; an empty list means that the promise held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.lake_connection import LakeConnection
from tests.support.ledger import Acknowledged, Told
from tests.support.tus_pieces import finish_upload
from tests.support.uploaders import content_of, lake_file, version_of


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


def lost_rows(
    lake: LakeConnection,
    ledger: Iterable[Acknowledged],
    may_run: Callable[[str], bool] = lambda _: False,
) -> list[str]:
    """Acknowledged files that the history does not call finished, and rows that never end.

    `may_run` knows the names of files that travel in pieces: until their sync is over they may.
    """
    rows = lake.history()
    finished = {(row["sync_id"], row["file_name"]) for row in rows if _is(row, "Finished")}
    complaints = [
        f"{one.path} was acknowledged and the history does not know it"
        for one in ledger
        if (one.sync_id, one.name) not in finished
    ]
    running = [row["file_name"] for row in rows if _is(row, "Syncing")]
    return complaints + [
        f"the history shows {name} on its way for ever" for name in running if not may_run(name)
    ]


def lost_offsets(lake: LakeConnection, told: Iterable[Told]) -> list[str]:
    """Resumable uploads that are not as far as a client was told. Sends what is left of each."""
    complaints = []
    furthest: dict[str, Told] = {}
    for one in told:
        known = furthest.get(one.upload)
        if known is None or one.offset_bytes > known.offset_bytes:
            furthest[one.upload] = one
    for one in furthest.values():
        headed = lake.tus("HEAD", one.upload, {})
        if headed.status != 200:
            complaints.append(f"the upload of {one.path} is told as {headed.status}")
            continue
        offset_bytes = int(headed.headers["upload-offset"])
        if offset_bytes < one.offset_bytes:
            complaints.append(f"{one.path} was told to be at {one.offset_bytes}: {offset_bytes}")
        file = lake_file(one.path, one.version)
        finished = finish_upload(lake, one, file)
        if not finished.is_success:
            complaints.append(f"the upload of {one.path} cannot be gone on with: {finished}")
        elif finished.body["sha256"] != hashlib.sha256(file.data).hexdigest():
            complaints.append(f"{one.path} has lost bytes before the offset that was told")
    return complaints


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


def left_in_partial(lake: Path) -> list[str]:
    """For a lake on which no resumable upload is under way."""
    return [f"{path.name} was left in partial" for path in (lake / ".lakedrop/partial").iterdir()]


def _is(row: dict[str, object], status: str) -> bool:
    return row["sync_status"] == status

"""A scripted client of a server that may die under it, and how dead lakes are told apart."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crashed_lake import Progress, complaints_about_lake
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LOST, LakeConnection, LakeFile
from tests.support.lake_oracle import Generation
from tests.support.ledger import Acknowledged, Told, whole
from tests.support.uploaders import in_batches, in_pieces, lake_file, one_by_one

# In each, the server does all of one kind (syncing files, renaming…) in one thread, or nearly.
PHASES = ("uploads", "uploads to a full sync", "end of a full sync")
_IN_PIECES = ("pieces.bin", "2.bin")
ADDED_TO, REPLACED = "/data/added", "/data/replaced"
_LEAST_TIME = 100_000_000_000  # a number as large is a time stamp of the catalog


@dataclass(slots=True)
class Script:
    """Uploads into new folders and over old files, in all ways; then a full sync."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    old: Generation = field(default_factory=Generation)
    new: Generation = field(default_factory=Generation)
    full_sync_id: int = 0
    is_end_sent: bool = False
    is_ended: bool = False
    told: list[Told] = field(default_factory=list)

    @property
    def is_through(self) -> bool:
        return self.is_ended

    def prepare(self, client: LakeConnection) -> None:
        for sync_type, path, sent in (
            ("IncrementalSync", ADDED_TO, [lake_file(f"{ADDED_TO}/{n}.bin") for n in range(3)]),
            ("FullSync", REPLACED, _old_files()),
        ):
            sync_id = client.started(path, sync_type)
            list(one_by_one(client, sync_id, sent))
            assert client.end(sync_id).is_success

    def begin(self, _lake: Path) -> None:
        self.old.sent = self.old.acknowledged = {file.path for file in _old_files()}

    def play(
        self, server: ForkedServer, around: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        """Returns when it is through, or the server is gone; each of `PHASES` runs in `around`."""
        try:
            with LakeConnection(server.port) as client:
                for phase, work in zip(PHASES, (self._add, self._stage, self._end), strict=True):
                    with around(phase):
                        work(client)
        except LOST:
            pass

    def _add(self, client: LakeConnection) -> None:
        sync_id = client.started(ADDED_TO)
        changed = [lake_file(f"{ADDED_TO}/0.bin", 1), lake_file(f"{ADDED_TO}/1.bin", 1)]
        added = [lake_file(f"{ADDED_TO}/new/{n}/{n}.bin") for n in range(2)]
        for received in one_by_one(client, sync_id, [added[0], changed[0]]):
            self.acknowledged += received
        for received in in_batches(client, sync_id, [added[1], changed[1]]):
            self.acknowledged += received
        for told in in_pieces(client, sync_id, self._pieces()):
            self.acknowledged += whole(told)
            self.told += [one for one in told if isinstance(one, Told)]
        client.end(sync_id)

    def _pieces(self) -> list[LakeFile]:
        return [lake_file(f"{ADDED_TO}/2.bin", 1), lake_file(f"{ADDED_TO}/new/2/{_IN_PIECES[0]}")]

    def _stage(self, client: LakeConnection) -> None:
        self.full_sync_id = client.started(REPLACED, "FullSync")
        files = [lake_file(f"{REPLACED}/{n}/new{n}.bin") for n in range(2)]
        self.new.sent = {file.path for file in files}
        for received in one_by_one(client, self.full_sync_id, files):
            self.new.acknowledged |= {one.path for one in received}
        piece = lake_file(f"{REPLACED}/2/{_IN_PIECES[0]}")
        self.new.sent.add(piece.path)
        for told in in_pieces(client, self.full_sync_id, [piece]):
            self.new.acknowledged |= {one.path for one in whole(told)}
            self.told += [one for one in told if isinstance(one, Told)]

    def _end(self, client: LakeConnection) -> None:
        self.is_end_sent = True
        assert client.end(self.full_sync_id).is_success
        self.is_ended = True

    def complaints(self, servers: ForkedServers, lake: Path) -> list[str]:
        return complaints_about_lake(servers, self._progress(), lake)

    def _progress(self) -> Progress:
        allowed = [self.old, self.new] if self.is_end_sent else [self.old]
        return Progress(
            REPLACED,
            self.acknowledged,
            [self.new] if self.is_ended else allowed,
            self.full_sync_id if self.is_end_sent else None,
            self.told,
            frozenset(_IN_PIECES),
        )


def _old_files() -> list[LakeFile]:
    return [lake_file(f"{REPLACED}/{n % 2}/old{n}.bin") for n in range(3)]


def copy_of(lake: Path, into: Path) -> Path:
    """With the time stamps, which a swap's mark rests on."""
    shutil.copytree(lake, into, symlinks=True)
    return into


def state_of(lake: Path) -> str:
    """Equal for lakes that differ in nothing but times and names of temporary files."""
    digest = hashlib.sha256()
    for path in sorted(lake.rglob("*")):
        name = path.relative_to(lake).as_posix()
        if name.startswith(".lakedrop/incoming/"):
            name = ".lakedrop/incoming/*"
        is_ours = path.parent.name == ".lakedrop"
        content = path.read_bytes() if path.is_file() and not is_ours else b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update("\n".join(_catalog_rows(lake)).encode())
    return digest.hexdigest()


def _catalog_rows(lake: Path) -> list[str]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in (lake / ".lakedrop").glob("catalog.db*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / "catalog.db")) as catalog:
            tables = catalog.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
            for (table,) in sorted(tables):
                for row in catalog.execute(f'SELECT * FROM "{table}"'):
                    cells = ["time" if _is_time(cell) else repr(cell) for cell in row]
                    rows.append(f"{table}: {cells}")
    return rows


def _is_time(cell: object) -> bool:
    return isinstance(cell, int) and cell > _LEAST_TIME

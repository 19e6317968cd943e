"""Where files came from: by uploads of their place, or by what was noted of them by hand.

A file belongs to the newest row of its place that has its size and its time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
)

from embedded_server.catalog.plans import not_by_index
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.tables import arranged, known_files, syncs, uploads
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.entries import Entry, Origin
from embedded_server.domain.known import ExpectedFile, KnownFile, ManifestRow, Replacement

_ROWS_AT_ONCE = 1_000
_FINISHED = uploads.c.status == SyncStatus.FINISHED.value
_later = uploads.alias("later")

# Made once: a page of a folder asks them a thousand times, and making a statement takes a while.
_OF_UPLOAD = (
    select(uploads)
    .where(
        uploads.c.folder == bindparam("in_folder"),
        uploads.c.file_name == bindparam("name"),
        _FINISHED,
        uploads.c.size_bytes == bindparam("size"),
        # 0: an older version stored it and did not note the time.
        or_(uploads.c.mtime_ns == bindparam("time_ns"), uploads.c.mtime_ns == 0),
    )
    .order_by(uploads.c.history_id.desc())
    .limit(1)
)
_BY_HAND = (
    select(known_files)
    .where(
        known_files.c.folder == bindparam("in_folder"),
        known_files.c.file_name == bindparam("name"),
        known_files.c.size_bytes == bindparam("size"),
        known_files.c.mtime_ns == bindparam("time_ns"),
    )
    .order_by(known_files.c.known_id.desc())
    .limit(1)
)


class SqlOrigins:
    """`ports.Origins`; any thread may call it. Long reads go page by page: none holds others up."""

    def __init__(self, catalog: SqlCatalog) -> None:
        self._catalog = catalog

    def of(self, folder: str, files: Sequence[Entry]) -> list[Origin | None]:
        with self._catalog.reading() as db:
            return [_origin(db, folder, file) for file in files]

    def is_known_place(self, folder: str, file_name: str) -> bool:
        """Whether something was ever published there."""
        if not _is_text(folder + file_name):
            return False
        with self._catalog.reading() as db:
            return any(
                db.execute(
                    select(table.c.folder)
                    .where(table.c.folder == folder, table.c.file_name == file_name)
                    .limit(1)
                ).first()
                for table in (uploads, known_files)
            )

    def note_files(self, files: Sequence[KnownFile]) -> None:
        rows = [
            {
                "folder": it.folder,
                "file_name": it.entry.name,
                "size_bytes": it.entry.size_bytes,
                "mtime_ns": it.entry.mtime_ns,
                "sha256": it.origin.sha256,
                "sync_id": it.origin.sync_id,
                "history_id": it.origin.history_id,
                "key_name": it.origin.key_name,
                "known_at_ms": it.origin.known_at_ms,
            }
            for it in files
        ]
        if rows:
            self._catalog.write(lambda db: db.execute(insert(known_files), rows))

    def note_arranged(self, paths: Sequence[str], now_ms: int) -> None:
        rows = [{"path": path, "at_ms": now_ms} for path in paths]
        if rows:
            self._catalog.write(lambda db: db.execute(insert(arranged), rows))

    def manifest(self, sync_id: int) -> Iterator[list[ManifestRow]]:
        """What a sync brought, the last of each place, in the order of arrival; page by page."""
        is_newest = ~exists().where(
            _later.c.folder == uploads.c.folder,
            _later.c.file_name == uploads.c.file_name,
            not_by_index(_later.c.sync_id) == sync_id,
            _later.c.status == SyncStatus.FINISHED.value,
            _later.c.history_id > uploads.c.history_id,
        )
        found = select(uploads).where(uploads.c.sync_id == sync_id, _FINISHED, is_newest)
        for rows in self._pages(found):
            yield [
                ManifestRow(
                    row.history_id,
                    f"{row.folder}/{row.file_name}",
                    row.size_bytes,
                    row.sha256,
                    row.ended_at_ms,
                )
                for row in rows
            ]

    def _pages(self, found: Select[Any]) -> Iterator[list[Row[Any]]]:
        last = 0
        while True:
            page = found.where(uploads.c.history_id > last)
            with self._catalog.reading() as db:
                rows = list(db.execute(page.order_by(uploads.c.history_id).limit(_ROWS_AT_ONCE)))
            if rows:
                yield rows
                last = rows[-1].history_id
            if len(rows) < _ROWS_AT_ONCE:
                return

    def brought(self, sync_id: int, folder: str, names: Sequence[str]) -> frozenset[str]:
        there = [name for name in names if _is_text(folder + name)]
        found = select(uploads.c.file_name).where(
            uploads.c.folder == folder,
            uploads.c.file_name.in_(there),
            not_by_index(uploads.c.sync_id) == sync_id,
            _FINISHED,
        )
        with self._catalog.reading() as db:
            return frozenset(db.execute(found).scalars()) if there else frozenset()

    def expected(self) -> Iterator[ExpectedFile]:
        with self._catalog.reading() as db:
            yield from heapq.merge(_uploaded(db), _by_hand(db), key=lambda it: it.place)

    def replacements(self) -> Iterator[Replacement]:
        full = select(syncs).where(
            and_(
                syncs.c.sync_type == SyncType.FULL.value,
                syncs.c.status == SyncStatus.FINISHED.value,
            )
        )
        with self._catalog.reading() as db:
            for row in db.execute(full):
                yield Replacement(row.path, row.sync_id, row.ended_at_ms)
            for by_hand in db.execute(select(arranged)):
                yield Replacement(by_hand.path, 0, by_hand.at_ms)


def _uploaded(db: Connection) -> Iterator[ExpectedFile]:
    """The newest upload of each place, in the order of the index: nothing is sorted or kept."""
    is_full = syncs.c.sync_type == SyncType.FULL.value
    is_in_sight = or_(~is_full, syncs.c.status == SyncStatus.FINISHED.value)
    place = uploads.c.folder, uploads.c.file_name
    newest = (
        select(
            *place,
            # SQLite takes these from the row that has the maximum.
            func.max(uploads.c.history_id),
            uploads.c.sync_id,
            case((is_full, syncs.c.ended_at_ms), else_=uploads.c.ended_at_ms).label("at_ms"),
        )
        .join(syncs, syncs.c.sync_id == uploads.c.sync_id)
        .where(_FINISHED, is_in_sight)
        .group_by(*place)
        .order_by(*place)
    )
    for row in db.execute(newest):
        yield ExpectedFile(row.folder, row.file_name, row.sync_id, row.at_ms)


def _by_hand(db: Connection) -> Iterator[ExpectedFile]:
    place = known_files.c.folder, known_files.c.file_name
    newest = select(*place, func.max(known_files.c.known_at_ms).label("at_ms"))
    for row in db.execute(newest.group_by(*place).order_by(*place)):
        yield ExpectedFile(row.folder, row.file_name, -1, row.at_ms)


def _is_text(place: str) -> bool:
    """Names that somebody put there may be no UTF-8: no catalog has those."""
    try:
        place.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _origin(db: Connection, folder: str, file: Entry) -> Origin | None:
    if not _is_text(folder + file.name):
        return None
    asked = {
        "in_folder": folder,
        "name": file.name,
        "size": file.size_bytes,
        "time_ns": file.mtime_ns,
    }
    row = db.execute(_OF_UPLOAD, asked).first()
    if row is not None:
        return Origin(row.sync_id, row.history_id, row.sha256, row.key_name, row.ended_at_ms)
    known = db.execute(_BY_HAND, asked).first()
    if known is None:
        return None
    return Origin(known.sync_id, known.history_id, known.sha256, known.key_name, known.known_at_ms)

"""Which upload a file came from: the newest row of its place that has its size and its time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.tables import uploads
from embedded_server.contract import SyncStatus
from embedded_server.domain.entries import Entry, Origin


class SqlOrigins:
    """`ports.Origins`; any thread may call it."""

    def __init__(self, catalog: SqlCatalog) -> None:
        self._catalog = catalog

    def of(self, folder: str, files: Sequence[Entry]) -> list[Origin | None]:
        with self._catalog.reading() as db:
            return [_origin(db, folder, file) for file in files]


def _origin(db: Connection, folder: str, file: Entry) -> Origin | None:
    of_upload = (
        select(uploads)
        .where(
            uploads.c.folder == folder,
            uploads.c.file_name == file.name,
            uploads.c.status == SyncStatus.FINISHED.value,
            uploads.c.size_bytes == file.size_bytes,
            # 0: an older version stored it and did not note the time.
            or_(uploads.c.mtime_ns == file.mtime_ns, uploads.c.mtime_ns == 0),
        )
        .order_by(uploads.c.history_id.desc())
        .limit(1)
    )
    row = db.execute(of_upload).first()
    if row is None:
        return None
    return Origin(row.sync_id, row.history_id, row.sha256, row.key_name, row.ended_at_ms)

"""The writes that every upload makes, without what SQLAlchemy would add to their cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, bindparam, insert, literal_column, update
from sqlalchemy.dialects import sqlite

from embedded_server.catalog.tables import syncs, uploads
from embedded_server.contract import SyncStatus
from embedded_server.domain.upload import UploadRow

# Compiled once: a row per upload goes through these two, and SQLAlchemy's own preparation of a
# statement costs more than SQLite's work on it.
_SQLITE = sqlite.dialect(paramstyle="named")
_SQLITE_BY_PLACE = sqlite.dialect(paramstyle="qmark")
_UPLOAD_COLUMNS = [column.name for column in uploads.columns if column.name != "history_id"]
_insert_upload = str(insert(uploads).compile(dialect=_SQLITE_BY_PLACE, column_keys=_UPLOAD_COLUMNS))
assert tuple(_UPLOAD_COLUMNS) == UploadRow._fields, "rows go in as they are"
_count_uploads_statement = (
    update(syncs)
    .where(syncs.c.sync_id == bindparam("of_sync"))
    .values(
        total_files=syncs.c.total_files + bindparam("more"),
        num_failed=syncs.c.num_failed + bindparam("more_failed"),
        fed_at_ms=bindparam("now_ms"),
        idle_ms=literal_column("0"),
    )
)
COUNT_UPLOADS = str(_count_uploads_statement.compile(dialect=_SQLITE))


def adding_uploads(rows: Sequence[UploadRow]) -> Callable[[Connection], None]:
    """For attempts that are over; done inside a transaction of the writer."""
    added = Counter([row.sync_id for row in rows])
    failed = Counter([row.sync_id for row in rows if row.status is SyncStatus.FAILED])

    def work(db: Connection) -> None:
        # Not through SQLAlchemy, which takes longer to hand it over than SQLite to do it.
        raw = db.connection.driver_connection
        assert raw is not None
        raw.executemany(_insert_upload, rows)
        for sync_id, more in added.items():
            counts = {
                "of_sync": sync_id,
                "more": more,
                "more_failed": failed[sync_id],
                "now_ms": rows[-1].ended_at_ms,
            }
            raw.execute(COUNT_UPLOADS, counts)

    return work

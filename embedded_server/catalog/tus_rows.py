"""The record of resumable uploads; see `ports.TusRecords` for what each method promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.tables import syncs, tus_uploads
from embedded_server.contract import SyncStatus
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.tus_upload import TusState, TusUpload
from embedded_server.domain.upload import Destination, UploadRow

_OPEN = (TusState.RECEIVING.value, TusState.ARRIVED.value)


class TusRows:
    """Shares the catalog's one writer and its readers."""

    def __init__(self, catalog: SqlCatalog) -> None:
        self._catalog = catalog

    def add(self, upload: TusUpload) -> TusUpload:
        row = UploadRow(
            upload.sync_id,
            str(upload.where.folder),
            upload.where.file_name,
            0,
            "",
            upload.created_at_ms,
            0,
            SyncStatus.SYNCING,
            "",
            key_name=upload.key_name,
        )

        def work(db: Connection) -> TusUpload:
            known = replace(upload, history_id=self._catalog.insert_upload(db, row))
            db.execute(insert(tus_uploads).values(_values(known)))
            return known

        return self._catalog.write(work)

    def find(self, upload_id: str) -> TusUpload | None:
        with self._catalog.reading() as db:
            wanted = select(tus_uploads).where(tus_uploads.c.upload_id == upload_id)
            row = db.execute(wanted).one_or_none()
        return None if row is None else _upload(row)

    def open_uploads(self, sync_id: int | None = None) -> Sequence[TusUpload]:
        wanted = select(tus_uploads).where(tus_uploads.c.state.in_(_OPEN))
        if sync_id is not None:
            wanted = wanted.where(tus_uploads.c.sync_id == sync_id)
        with self._catalog.reading() as db:
            return [_upload(row) for row in db.execute(wanted)]

    def save_offset(self, upload: TusUpload, offset_bytes: int, now_ms: int) -> TusUpload:
        known = replace(upload, offset_bytes=offset_bytes, touched_at_ms=now_ms)
        self.save_state(known, now_ms)
        return known

    def save_state(self, upload: TusUpload, now_ms: int) -> None:
        def work(db: Connection) -> None:
            _update(db, replace(upload, touched_at_ms=now_ms))
            feed = update(syncs).where(syncs.c.sync_id == upload.sync_id)
            db.execute(feed.values(fed_at_ms=now_ms, idle_ms=0))

        self._catalog.write(work)

    def finish(self, upload: TusUpload, row: UploadRow, now_ms: int) -> None:
        def work(db: Connection) -> None:
            self._catalog.update_upload(db, upload.history_id, row)
            _update(db, replace(upload, touched_at_ms=now_ms))

        self._catalog.write(work)
        self._catalog.count_outcome(row)

    def forget(self, upload_ids: Sequence[str]) -> None:
        self._catalog.write(
            lambda db: db.execute(
                delete(tus_uploads).where(tus_uploads.c.upload_id.in_(upload_ids))
            )
        )

    def forget_over(self, before_ms: int) -> None:
        over = delete(tus_uploads).where(
            tus_uploads.c.state.not_in(_OPEN), tus_uploads.c.touched_at_ms < before_ms
        )
        self._catalog.write(lambda db: db.execute(over))


def _update(db: Connection, upload: TusUpload) -> None:
    of_it = update(tus_uploads).where(tus_uploads.c.upload_id == upload.upload_id)
    db.execute(of_it.values(_values(upload)))


def _values(upload: TusUpload) -> dict[str, object]:
    return {
        "upload_id": upload.upload_id,
        "sync_id": upload.sync_id,
        "history_id": upload.history_id,
        "folder": str(upload.where.folder),
        "file_name": upload.where.file_name,
        "length_bytes": upload.length_bytes,
        "offset_bytes": upload.offset_bytes,
        "metadata": upload.metadata,
        "expected_sha256": upload.expected_sha256,
        "sha256": upload.sha256,
        "state": upload.state.value,
        "message": upload.message,
        "key_name": upload.key_name,
        "created_at_ms": upload.created_at_ms,
        "touched_at_ms": upload.touched_at_ms,
    }


def _upload(row: Row[Any]) -> TusUpload:
    return TusUpload(
        row.upload_id,
        row.sync_id,
        Destination(LakePath.parse(row.folder), row.file_name),
        row.length_bytes,
        row.metadata,
        row.expected_sha256,
        row.created_at_ms,
        row.touched_at_ms,
        row.offset_bytes,
        TusState(row.state),
        row.sha256,
        row.message,
        row.key_name,
        row.history_id,
    )

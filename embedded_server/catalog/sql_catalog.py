"""The record of syncs and uploads in SQLite; see `ports.Catalog` for what each method promises.

Times are ms since 1970 UTC. Ids have no gaps (nothing is deleted, a rolled-back id is given again),
so "skip `offset` rows" is a range on the id and costs the same on every page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    func,
    insert,
    select,
    text,
    update,
)

from embedded_server.catalog.catalog_errors import translated
from embedded_server.catalog.group_writer import Durable, GroupWriter
from embedded_server.catalog.rows import (
    job_of,
    outcome_values,
    record_of,
    sync_details_of,
    upload_details_of,
    upload_values,
)
from embedded_server.catalog.searches import Searches
from embedded_server.catalog.sql_keys import SqlKeys
from embedded_server.catalog.tables import swaps, syncs, tus_uploads, upload_blocks, uploads
from embedded_server.catalog.upload_writes import COUNT_UPLOADS, adding_uploads
from embedded_server.contract import (
    SyncJob,
    SyncStatus,
    SyncType,
    UploadRecord,
)
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.errors import KeyUsedOtherwise
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.measures import Measures
from embedded_server.domain.queries import Found, Page, Wanted
from embedded_server.domain.sync import IdempotentStart, SwapIntent, Sync
from embedded_server.domain.upload import Destination, UploadRow

_Result = TypeVar("_Result")

# The word is in the statement, or the index of running syncs could not serve it.
_RUNNING = select(syncs.c.sync_id).where(text("syncs.status = 'Syncing'"))
# A sync that was fed since the last look counts from there; one whose file is arriving not at all.
_ADD_IDLE_TIME = """
UPDATE syncs SET watched_at_ms = :now_ms, idle_ms = CASE
    WHEN sync_id IN (
        SELECT sync_id FROM uploads
        WHERE status = 'Syncing' AND history_id NOT IN (SELECT history_id FROM tus_uploads)
    ) THEN 0
    WHEN idle_ms = 0
    THEN max(1, min(:at_most_ms, :now_ms - CASE
        WHEN fed_at_ms BETWEEN watched_at_ms AND :now_ms THEN fed_at_ms ELSE watched_at_ms END))
    ELSE idle_ms + max(:at_least_ms, min(:at_most_ms, :now_ms - watched_at_ms))
END WHERE status = 'Syncing'
"""


class SqlCatalog:
    """Any thread may call it: writes go to the writer thread, reads take a connection of a pool."""

    def __init__(
        self, writer: GroupWriter, readers: Engine, measures: Measures, folder: str
    ) -> None:
        """`folder` is where its file lies: whether there is room is asked there."""
        self._folder = folder
        self._writer = writer
        self._measures = measures
        self._readers = readers
        self._searches = Searches()

    def check_answers(self) -> None:
        """Raises `LakeError` when reading or writing fails."""
        with self.reading() as db:
            db.exec_driver_sql("SELECT 1")
        self.write(lambda _db: None, durable=False)

    @property
    def keys(self) -> SqlKeys:
        return SqlKeys(self.write, self.reading)

    def close(self) -> None:
        self._readers.dispose()
        self._writer.close()

    # -- syncs -------------------------------------------------------------------------------

    def add_sync(
        self,
        name: str,
        path: LakePath,
        sync_type: SyncType,
        now_ms: int,
        *,
        once: IdempotentStart | None = None,
        key_name: str = "",
    ) -> int:
        values = {
            "name": name,
            "path": str(path),
            "sync_type": sync_type.value,
            "status": SyncStatus.SYNCING.value,
            "started_at_ms": now_ms,
            "ended_at_ms": 0,
            "total_files": 0,
            "num_failed": 0,
            "fed_at_ms": now_ms,
            "watched_at_ms": now_ms,
            "key_name": key_name,
        }

        def work(db: Connection) -> int:
            if once is None:
                return _new_id(db, insert(syncs).values(values))
            # Here, where one thread writes: of two calls at once the second finds the first's sync.
            known = _started(db, once, key_name)
            if known is not None:
                return known
            remembered = {
                "idempotency_key": once.key,
                "idempotency_fingerprint": once.fingerprint,
            }
            return _new_id(db, insert(syncs).values(values | remembered))

        return self.write(work)

    def find_started(self, once: IdempotentStart, key_name: str) -> int | None:
        with self.reading() as db:
            return _started(db, once, key_name)

    def forget_idempotency_keys(self, ended_before_ms: int) -> None:
        over = (
            syncs.c.idempotency_key.is_not(None),
            syncs.c.status != SyncStatus.SYNCING.value,
            syncs.c.ended_at_ms < ended_before_ms,
        )
        with self.reading() as db:  # a write, however small, waits for the disk
            if db.execute(select(syncs.c.sync_id).where(*over).limit(1)).first() is None:
                return
        forget = update(syncs).where(*over).values(idempotency_key=None, idempotency_fingerprint="")
        self.write(lambda db: db.execute(forget))

    def find_sync(self, sync_id: int) -> Sync | None:
        with self.reading() as db:
            row = db.execute(select(syncs).where(syncs.c.sync_id == sync_id)).one_or_none()
        if row is None:
            return None
        return Sync(
            row.sync_id,
            LakePath.parse(row.path),
            SyncType(row.sync_type),
            SyncStatus(row.status),
            row.started_at_ms,
            row.message,
        )

    def finish_sync(self, sync_id: int, now_ms: int) -> None:
        self._close_sync(sync_id, SyncStatus.FINISHED, now_ms, "")

    def fail_sync(self, sync_id: int, now_ms: int, message: str) -> None:
        self._close_sync(sync_id, SyncStatus.FAILED, now_ms, message)

    def _close_sync(self, sync_id: int, status: SyncStatus, now_ms: int, message: str) -> None:
        def work(db: Connection) -> None:
            db.execute(update(swaps).where(swaps.c.sync_id == sync_id).values(done=1))
            db.execute(
                update(syncs)
                .where(syncs.c.sync_id == sync_id, syncs.c.status == SyncStatus.SYNCING.value)
                .values(status=status.value, ended_at_ms=now_ms, message=message)
            )

        self.write(work)

    def finished_uploads(self, sync_id: int) -> int:
        total = select(func.coalesce(func.sum(upload_blocks.c.finished), 0)).where(
            upload_blocks.c.sync_id == sync_id
        )
        with self.reading() as db:
            return int(db.execute(total).scalar_one())

    # -- idle time ---------------------------------------------------------------------------

    def add_idle_time(self, now_ms: int, at_least_ms: int, at_most_ms: int) -> None:
        with self.reading() as db:
            if not db.execute(select(_RUNNING.exists())).scalar_one():
                return
        times = {"now_ms": now_ms, "at_least_ms": at_least_ms, "at_most_ms": at_most_ms}
        self.write(lambda db: db.execute(text(_ADD_IDLE_TIME), times))

    def idle_sync_ids(self, limit_ms: int) -> Sequence[int]:
        # Not the resumable ones: those may wait for their client for ever, and feed as they come.
        on_its_way = select(uploads.c.sync_id).where(
            uploads.c.status == SyncStatus.SYNCING.value,
            uploads.c.history_id.not_in(select(tus_uploads.c.history_id)),
        )
        idle = _RUNNING.where(syncs.c.idle_ms >= limit_ms, syncs.c.sync_id.not_in(on_its_way))
        with self.reading() as db:
            return list(db.execute(idle).scalars())

    def running_sync_ids(self) -> frozenset[int]:
        with self.reading() as db:
            return frozenset(db.execute(_RUNNING).scalars())

    def sync_jobs(
        self, offset: int, limit: int, within: LakePath | None = None
    ) -> Sequence[SyncJob]:
        if within is not None:
            with self._reading_one_moment() as db:
                found = self._searches.oldest_first(db, syncs, within, offset, limit)
                return [job_of(row) for row in found]
        page = select(syncs).where(syncs.c.sync_id > offset)  # ids have no gaps
        with self.reading() as db:
            return [job_of(row) for row in db.execute(page.order_by(syncs.c.sync_id).limit(limit))]

    # -- uploads -----------------------------------------------------------------------------

    def begin_upload(self, sync_id: int, where: Destination, now_ms: int) -> int:
        row = UploadRow(
            sync_id, str(where.folder), where.file_name, 0, "", now_ms, 0, SyncStatus.SYNCING, ""
        )

        return self.write(lambda db: self.insert_upload(db, row), durable=False)

    def finish_upload(self, history_id: int, row: UploadRow) -> None:
        self.write(lambda db: self.update_upload(db, history_id, row))
        self.count_outcome(row)

    def insert_upload(self, db: Connection, row: UploadRow) -> int:
        """Inside a transaction of the writer; returns the new row's history_id."""
        counts = {"of_sync": row.sync_id, "more": 1, "more_failed": 0, "now_ms": row.started_at_ms}
        db.exec_driver_sql(COUNT_UPLOADS, counts)
        return _new_id(db, insert(uploads).values(upload_values(row)))

    def update_upload(self, db: Connection, history_id: int, row: UploadRow) -> None:
        """Inside a transaction of the writer: the attempt is over."""
        of_it = update(uploads).where(uploads.c.history_id == history_id)
        db.execute(of_it.values(outcome_values(row)))
        counts = {
            "of_sync": row.sync_id,
            "more": 0,
            "more_failed": int(row.status is SyncStatus.FAILED),
            "now_ms": row.ended_at_ms,
        }
        db.exec_driver_sql(COUNT_UPLOADS, counts)

    def count_outcome(self, row: UploadRow) -> None:
        """For the metrics, once the row of an attempt is written."""
        failed = int(row.status is SyncStatus.FAILED)
        self._measures.uploads(1 - failed, failed)

    def add_finished_uploads(self, rows: Sequence[UploadRow], durable: Durable = True) -> None:
        if rows:
            self.write(adding_uploads(rows), durable=durable)
            self._count_outcomes(rows)

    async def add_finished_uploads_soon(
        self, rows: Sequence[UploadRow], durable: Durable = True
    ) -> None:
        with translated(self._folder):
            await self._writer.run_soon(adding_uploads(rows), durable=durable)
        self._count_outcomes(rows)

    def _count_outcomes(self, rows: Sequence[UploadRow]) -> None:
        failed = sum(row.status is SyncStatus.FAILED for row in rows)
        self._measures.uploads(len(rows) - failed, failed)

    def add_missing_uploads(self, rows: Sequence[UploadRow]) -> None:
        missing = []
        with self.reading() as db:
            for row in rows:
                same = select(uploads.c.history_id).where(
                    uploads.c.folder == row.folder,
                    uploads.c.file_name == row.file_name,
                    uploads.c.sync_id == row.sync_id,
                    uploads.c.mtime_ns == row.mtime_ns,
                    uploads.c.started_at_ms == row.started_at_ms,
                )
                if db.execute(same.limit(1)).first() is None:
                    missing.append(row)
        self.add_finished_uploads(missing)

    def make_durable(self) -> None:
        # A commit that writes nothing waits for nothing: this one writes what stands there.
        newest = select(func.max(syncs.c.sync_id)).scalar_subquery()
        same = update(syncs).where(syncs.c.sync_id == newest).values(fed_at_ms=syncs.c.fed_at_ms)
        self.write(lambda db: db.execute(same))

    def fail_left_over_uploads(self, message: str, now_ms: int) -> int:
        # A resumable upload goes on after a restart.
        left_over = (uploads.c.status == SyncStatus.SYNCING.value) & (
            uploads.c.history_id.not_in(select(tus_uploads.c.history_id))
        )

        def work(db: Connection) -> int:
            failed = Counter(db.execute(select(uploads.c.sync_id).where(left_over)).scalars())
            db.execute(
                update(uploads)
                .where(left_over)
                .values(status=SyncStatus.FAILED.value, message=message, ended_at_ms=now_ms)
            )
            for sync_id, more_failed in failed.items():
                # Not a feed: what a stop interrupted must not keep an idle sync alive.
                db.execute(
                    update(syncs)
                    .where(syncs.c.sync_id == sync_id)
                    .values(num_failed=syncs.c.num_failed + more_failed)
                )
            return failed.total()

        return self.write(work)

    def upload_records(
        self, offset: int, limit: int, within: LakePath | None = None
    ) -> Sequence[UploadRecord]:
        if within is not None:
            with self._reading_one_moment() as db:
                found = self._searches.oldest_first(db, uploads, within, offset, limit)
                return [record_of(row) for row in found]
        page = select(uploads).where(uploads.c.history_id > offset)
        page = page.order_by(uploads.c.history_id).limit(limit)
        with self.reading() as db:
            return [record_of(row) for row in db.execute(page)]

    # -- newest first ------------------------------------------------------------------------

    def find_syncs(self, wanted: Wanted, page: Page) -> Found[SyncDetails]:
        with self._reading_one_moment() as db:
            return self._searches.newest_first(db, syncs, wanted, page, sync_details_of)

    def find_uploads(self, wanted: Wanted, page: Page) -> Found[UploadDetails]:
        with self._reading_one_moment() as db:
            return self._searches.newest_first(db, uploads, wanted, page, upload_details_of)

    # -- swaps -------------------------------------------------------------------------------

    def add_intent(self, intent: SwapIntent) -> None:
        values = {
            "sync_id": intent.sync_id,
            "path": str(intent.path),
            "trash_number": intent.trash_number,
            "staged_mtime_ns": intent.staged_mtime_ns,
            "done": 0,
        }
        self.write(lambda db: db.execute(insert(swaps).values(values)))

    def find_intent(self, sync_id: int) -> SwapIntent | None:
        return next((it for it in self.open_intents() if it.sync_id == sync_id), None)

    def open_intents(self) -> Sequence[SwapIntent]:
        waiting = select(swaps).where(swaps.c.done == 0).order_by(swaps.c.sync_id)
        with self.reading() as db:
            return [
                SwapIntent(
                    row.sync_id, LakePath.parse(row.path), row.trash_number, row.staged_mtime_ns
                )
                for row in db.execute(waiting)
            ]

    # -- both ways to the database -----------------------------------------------------------

    def write(self, work: Callable[[Connection], _Result], *, durable: Durable = True) -> _Result:
        with translated(self._folder):
            return self._writer.run(work, durable=durable)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with translated(self._folder), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def _reading_one_moment(self) -> Iterator[Connection]:
        """All statements see the same rows; the pool ends the transaction."""
        with self.reading() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection


def _new_id(db: Connection, statement: object) -> int:
    key = db.execute(statement).inserted_primary_key  # type: ignore[call-overload]
    return int(key[0])


def _started(db: Connection, once: IdempotentStart, key_name: str) -> int | None:
    same_key = select(syncs.c.sync_id, syncs.c.idempotency_fingerprint).where(
        syncs.c.key_name == key_name, syncs.c.idempotency_key == once.key
    )
    row = db.execute(same_key).one_or_none()
    if row is None:
        return None
    if row.idempotency_fingerprint != once.fingerprint:
        raise KeyUsedOtherwise
    return int(row.sync_id)

"""The upload queue on SQLite: what was promised before the first byte, across crashes.

One connection for everything, guarded by a lock, because system SQLite up to 3.51.2 can damage a
write-ahead log that two connections write or checkpoint. Outcomes of items are gathered and
committed together every moment; whatever reads or must be durable commits them first.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.domain.errors import JournalFailed
from app.domain.ports import ItemCounts
from app.domain.queue_item import Assurance, FoundFile, ItemState, LeftOut, QueueItem
from app.domain.upload_job import UploadJob
from app.infra.journal_rows import (
    JOB_COLUMNS,
    LARGEST_INTEGER,
    SCHEMA,
    from_blob,
    item_of,
    job_of,
    job_values,
    storable,
    to_blob,
)

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
COMMIT_EVERY_S = 0.1


class SqliteJournal:
    """`ports.Journal` in one SQLite file.

    A file that is no database, or damaged, is set aside beside the new one (never deleted, never
    read as "all done"); `set_aside` then names it. One of a newer LakeDrop is refused.
    """

    def __init__(self, path: Path) -> None:
        self.set_aside: Path | None = None
        self._lock = threading.RLock()
        self._outcomes: dict[int, QueueItem] = {}
        self._closing = threading.Event()
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError as cause:
            if isinstance(cause, sqlite3.OperationalError):  # locked, read-only, no space
                raise JournalFailed(
                    f"The upload queue {path} cannot be opened: {cause}."
                ) from cause
            try:
                self.set_aside = _set_aside(path)
            except OSError as trouble:
                raise JournalFailed(
                    f"The upload queue {path} is damaged and cannot be set aside: {trouble}."
                ) from trouble
            log.warning("damaged journal set aside as %s", self.set_aside.name)
            with self._translated():
                self._db = self._open(path)
        self._committer = threading.Thread(target=self._commit_outcomes, name="journal")
        self._committer.start()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise JournalFailed(
                    f"The upload queue {path} was written by a newer LakeDrop. Start that version."
                )
            if [row[0] for row in db.execute("PRAGMA quick_check")] != ["ok"]:
                raise sqlite3.DatabaseError("quick_check failed")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            if version == 0:
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        except BaseException:
            db.close()
            raise
        return db

    # -- jobs --------------------------------------------------------------------------------

    def add_job(self, job: UploadJob) -> UploadJob:
        columns = ", ".join(JOB_COLUMNS)
        places = ", ".join("?" * len(JOB_COLUMNS))
        with self._transaction() as db:
            row = db.execute(f"INSERT INTO jobs ({columns}) VALUES ({places})", job_values(job))
            return replace(job, job_id=int(row.lastrowid or 0))

    def save_job(self, job: UploadJob) -> None:
        columns = ", ".join(f"{name}=?" for name in JOB_COLUMNS)
        with self._transaction() as db:
            db.execute(f"UPDATE jobs SET {columns} WHERE job_id=?", [*job_values(job), job.job_id])

    def job(self, job_id: int) -> UploadJob | None:
        with self._reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE job_id=?", (job_id,)).fetchone()
        return job_of(row) if row else None

    def jobs(self) -> list[UploadJob]:
        with self._reading() as db:
            return [job_of(row) for row in db.execute("SELECT * FROM jobs ORDER BY job_id")]

    def remove_job(self, job_id: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE job_id=?", (job_id,))

    # -- items -------------------------------------------------------------------------------

    def add_items(
        self, job_id: int, found: Sequence[FoundFile], left_out: Sequence[LeftOut]
    ) -> None:
        rows = (
            (
                job_id,
                os.fsencode(file.source),
                to_blob(file.folder),
                to_blob(file.name),
                file.size_bytes,
                min(file.modified_ns, LARGEST_INTEGER),
                (ItemState.FAILED if file.problem else ItemState.QUEUED).value,
                storable(file.problem),
            )
            for file in found
        )
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO items (job_id, source, folder, name, size_bytes, modified_ns, state,"
                " message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            db.executemany(
                "INSERT INTO left_out (job_id, source, reason) VALUES (?, ?, ?)",
                ((job_id, os.fsencode(entry.source), storable(entry.reason)) for entry in left_out),
            )

    def queued(self, job_id: int, after_item_id: int, limit: int) -> list[QueueItem]:
        return self.items(job_id, frozenset({ItemState.QUEUED}), after_item_id, limit)

    def items(
        self, job_id: int, states: frozenset[ItemState] | None, after_item_id: int, limit: int
    ) -> list[QueueItem]:
        wanted = [state.value for state in states] if states is not None else []
        # Without states the index by state would sort a million rows for each page.
        table = "items" if states is not None else "items NOT INDEXED"
        among = f"AND state IN ({', '.join('?' * len(wanted))})" if states is not None else ""
        with self._reading() as db:
            rows = db.execute(
                f"SELECT * FROM {table} WHERE job_id=? AND item_id>? {among}"
                " ORDER BY item_id LIMIT ?",
                (job_id, after_item_id, *wanted, limit),
            )
            return [item_of(row) for row in rows]

    def left_out(self, job_id: int, limit: int) -> list[LeftOut]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT source, reason FROM left_out WHERE job_id=? ORDER BY rowid LIMIT ?",
                (job_id, limit),
            )
            return [LeftOut(os.fsdecode(source), reason) for source, reason in rows]

    def record(self, items: Sequence[QueueItem]) -> None:
        with self._lock:
            self._outcomes.update((item.item_id, item) for item in items)

    def flush(self) -> None:
        with self._transaction():
            pass  # every transaction takes the gathered outcomes along

    def move_items(
        self, job_id: int, from_states: frozenset[ItemState], to_state: ItemState
    ) -> int:
        wanted = [state.value for state in from_states]
        with self._transaction() as db:
            return db.execute(
                "UPDATE items SET state=?, message='', tries=0"
                f" WHERE job_id=? AND state IN ({', '.join('?' * len(wanted))})",
                (to_state.value, job_id, *wanted),
            ).rowcount

    def counts(self, job_id: int) -> ItemCounts:
        files: dict[ItemState, int] = {}
        sizes: dict[ItemState, int] = {}
        verified = 0
        with self._reading() as db:
            for state, assurance, count, size in db.execute(
                "SELECT state, assurance, count(*), sum(size_bytes) FROM items WHERE job_id=?"
                " GROUP BY state, assurance",
                (job_id,),
            ):
                key = ItemState(state)
                files[key] = files.get(key, 0) + count
                sizes[key] = sizes.get(key, 0) + size
                verified += count if assurance == Assurance.VERIFIED.value else 0
            left_out = db.execute(
                "SELECT count(*) FROM left_out WHERE job_id=?", (job_id,)
            ).fetchone()[0]
        return ItemCounts(files, sizes, verified, left_out)

    def same_names(self, job_id: int, limit: int) -> list[str]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT name FROM items WHERE job_id=? GROUP BY name"
                " HAVING count(DISTINCT folder) > 1 ORDER BY name LIMIT ?",
                (job_id, limit),
            )
            return [from_blob(name) for (name,) in rows]

    def same_places(self, job_id: int, limit: int) -> list[str]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT folder, name FROM items WHERE job_id=? GROUP BY folder, name"
                " HAVING count(*) > 1 ORDER BY folder, name LIMIT ?",
                (job_id, limit),
            )
            return [f"{from_blob(folder)}/{from_blob(name)}" for folder, name in rows]

    def close(self) -> None:
        self._closing.set()
        self._committer.join()
        try:
            self.flush()
        finally:
            with self._translated():
                self._db.close()

    # -- inside ------------------------------------------------------------------------------

    def _commit_outcomes(self) -> None:
        while not self._closing.wait(COMMIT_EVERY_S):
            if not self._outcomes:
                continue
            try:
                self.flush()
            except JournalFailed:
                # Kept in memory; the next read or durable write meets the same error and tells it.
                log.exception("outcomes could not be written")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                taken = self._write_outcomes()
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            for item_id in taken:
                del self._outcomes[item_id]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._outcomes:
                self.flush()
            with self._translated():
                yield self._db

    def _write_outcomes(self) -> list[int]:
        if not self._outcomes:
            return []
        self._db.executemany(
            "UPDATE items SET state=?, assurance=?, tries=?, message=?, sha256=?, size_bytes=?,"
            " modified_ns=? WHERE item_id=?",
            (
                (
                    item.state.value,
                    item.assurance.value,
                    item.tries,
                    storable(item.message),
                    item.sha256,
                    item.size_bytes,
                    min(item.modified_ns, LARGEST_INTEGER),
                    item_id,
                )
                for item_id, item in self._outcomes.items()
            ),
        )
        return list(self._outcomes)

    @staticmethod
    @contextmanager
    def _translated() -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as cause:
            raise JournalFailed(
                f"The upload queue cannot be written or read: {cause}. Is the disk full?"
            ) from cause


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        rest = path.with_name(path.name + suffix)
        if rest.exists():
            rest.rename(aside.with_name(aside.name + suffix))
    return aside

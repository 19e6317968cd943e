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

from app.domain import sentences
from app.domain.errors import JournalFailed
from app.domain.impact import Extent
from app.domain.odd_names import OddNames
from app.domain.ports import ItemCounts
from app.domain.queue_item import FoundFile, ItemState, KnownDigest, LeftOut, QueueItem
from app.domain.resumable import KeptUpload
from app.domain.upload_job import ENDED, JobState, PendingSource, Source, UploadJob
from app.infra import journal_names
from app.infra import journal_queries as queries
from app.infra.journal_file import open_journal
from app.infra.journal_rows import (
    FOUND_COLUMNS,
    JOB_COLUMNS,
    JOB_SELECTION,
    LARGEST_INTEGER,
    counts_from_text,
    counts_to_text,
    found_values,
    from_blob,
    job_of,
    job_values,
    storable,
    to_blob,
)

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.1


class SqliteJournal:
    """`ports.Journal` in one SQLite file.

    A damaged file is set aside beside a new one, and `set_aside` then names it: see `journal_file`.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._outcomes: dict[int, QueueItem] = {}
        self._digests: dict[str, KnownDigest] = {}
        self._closing = threading.Event()
        self._db, self.set_aside = open_journal(path)
        self._committer = threading.Thread(target=self._commit_outcomes, name="journal")
        self._committer.start()

    # -- jobs --------------------------------------------------------------------------------

    def add_job(self, job: UploadJob, sources: Sequence[Source] = ()) -> UploadJob:
        columns = ", ".join(JOB_COLUMNS)
        places = ", ".join("?" * len(JOB_COLUMNS))
        with self._transaction() as db:
            row = db.execute(f"INSERT INTO jobs ({columns}) VALUES ({places})", job_values(job))
            made = replace(job, job_id=int(row.lastrowid or 0))
            _add_sources(db, made.job_id, sources)
            return made

    def save_job(self, job: UploadJob) -> None:
        columns = ", ".join(f"{name}=?" for name in JOB_COLUMNS)
        with self._transaction() as db:
            db.execute(f"UPDATE jobs SET {columns} WHERE job_id=?", [*job_values(job), job.job_id])
            if job.intake_done:
                db.execute("DELETE FROM removed WHERE job_id=?", (job.job_id,))
            if job.state in ENDED:
                _keep_final_counts(db, job.job_id, queries.counts(db, job.job_id))
                db.execute("DELETE FROM kept_uploads WHERE job_id=?", (job.job_id,))

    def job(self, job_id: int) -> UploadJob | None:
        with self._reading() as db:
            row = db.execute(
                f"SELECT {JOB_SELECTION} FROM jobs WHERE job_id=?", (job_id,)
            ).fetchone()
        return job_of(row) if row else None

    def jobs(self) -> list[UploadJob]:
        with self._reading() as db:
            rows = db.execute(f"SELECT {JOB_SELECTION} FROM jobs ORDER BY job_id")
            return [job_of(row) for row in rows]

    def remove_job(self, job_id: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE job_id=?", (job_id,))

    # -- sources -----------------------------------------------------------------------------

    def add_sources(self, job_id: int, sources: Sequence[Source]) -> None:
        with self._transaction() as db:
            _add_sources(db, job_id, sources)
            db.execute("UPDATE jobs SET intake_done=0 WHERE job_id=?", (job_id,))

    def pending_sources(self, job_id: int, limit: int) -> list[PendingSource]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT source_id, path, contents_only FROM sources WHERE job_id=?"
                " ORDER BY source_id LIMIT ?",
                (job_id, limit),
            )
            return [
                PendingSource(source_id, Source(from_blob(path), bool(contents_only)))
                for source_id, path, contents_only in rows
            ]

    def source_paths(self, job_id: int) -> list[str]:
        with self._reading() as db:
            return queries.source_paths(db, job_id)

    # -- items -------------------------------------------------------------------------------

    def add_items(
        self,
        job_id: int,
        found: Sequence[FoundFile],
        left_out: Sequence[LeftOut],
        taken_in_to: int = 0,
    ) -> None:
        places = ", ".join("?" * (FOUND_COLUMNS.count(",") + 1))
        with self._transaction() as db:
            db.executemany(
                f"INSERT INTO items ({FOUND_COLUMNS}) VALUES ({places})",
                (found_values(job_id, file) for file in found),
            )
            db.executemany(
                "INSERT INTO left_out (job_id, source, reason) VALUES (?, ?, ?)",
                ((job_id, os.fsencode(entry.source), storable(entry.reason)) for entry in left_out),
            )
            if taken_in_to:
                db.execute(
                    "DELETE FROM sources WHERE job_id=? AND source_id<=?", (job_id, taken_in_to)
                )
            _forget_final_counts(db, job_id)

    def remove_items(self, job_id: int, ranges: Sequence[tuple[int, int]]) -> ItemCounts:
        with self._transaction() as db:
            return queries.remove_items(db, job_id, ranges)

    def queued(self, job_id: int, after_item_id: int, limit: int) -> list[QueueItem]:
        return self.items(job_id, frozenset({ItemState.QUEUED}), after_item_id, limit)

    def items(
        self, job_id: int, states: frozenset[ItemState] | None, after_item_id: int, limit: int
    ) -> list[QueueItem]:
        with self._reading() as db:
            return queries.items(db, job_id, states, after_item_id, limit)

    def item_ids(
        self, job_id: int, states: frozenset[ItemState] | None, after_item_id: int
    ) -> list[int]:
        with self._reading() as db:
            return queries.item_ids(db, job_id, states, after_item_id)

    def items_at(
        self, job_id: int, ranges: Sequence[tuple[int, int]], limit: int
    ) -> list[QueueItem]:
        with self._reading() as db:
            return queries.items_at(db, job_id, ranges, limit)

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
            _forget_final_counts(db, job_id)
            return db.execute(
                "UPDATE items SET state=?, message='', problem='', tries=0, assurance='none',"
                " sha256=''"
                f" WHERE job_id=? AND state IN ({', '.join('?' * len(wanted))})",
                (to_state.value, job_id, *wanted),
            ).rowcount

    def counts(self, job_id: int) -> ItemCounts:
        with self._reading() as db:
            row = db.execute(
                "SELECT final_counts, state FROM jobs WHERE job_id=?", (job_id,)
            ).fetchone()
            if row and row[0]:
                return counts_from_text(row[0])
            counted = queries.counts(db, job_id)
            if row and JobState(row[1]) in ENDED:  # nothing of it changes any more
                with self._transaction():
                    _keep_final_counts(db, job_id, counted)
            return counted

    def empty_sources(self, job_id: int, limit: int) -> list[str]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT source FROM left_out WHERE job_id=? AND reason=? ORDER BY rowid LIMIT ?",
                (job_id, sentences.NO_FILE_IN_IT(), limit),
            )
            return [os.fsdecode(source) for (source,) in rows]

    def odd_names(self, job_id: int, limit: int) -> OddNames:
        with self._reading() as db:
            return journal_names.odd_names(db, job_id, limit)

    def last_full_sync(self, server: str, destination: str) -> Extent | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT files, bytes FROM full_syncs WHERE server=? AND destination=?",
                (server, destination),
            ).fetchone()
        return Extent(*row) if row else None

    def remember_full_sync(self, server: str, destination: str, extent: Extent) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO full_syncs VALUES (?, ?, ?, ?)",
                (server, destination, extent.files, extent.bytes),
            )

    def kept_upload(self, item_id: int) -> KeptUpload | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT item_id, job_id, sync_id, upload_id, source FROM kept_uploads"
                " WHERE item_id=?",
                (item_id,),
            ).fetchone()
        return KeptUpload(*row) if row else None

    def keep_upload(self, upload: KeptUpload) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO kept_uploads"
                " (item_id, job_id, sync_id, upload_id, source) VALUES (?, ?, ?, ?, ?)",
                (upload.item_id, upload.job_id, upload.sync_id, upload.upload_id, upload.source),
            )

    def forget_upload(self, item_id: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM kept_uploads WHERE item_id=?", (item_id,))

    def digests(self, sources: Sequence[str]) -> dict[str, KnownDigest]:
        with self._lock, self._translated():  # without outcomes: nothing is committed for it
            return {
                source: digest
                for source in sources
                if (digest := self._digests.get(source) or queries.digest(self._db, source))
            }

    def note_digest(self, source: str, digest: KnownDigest) -> None:
        with self._lock:
            self._digests[source] = digest

    def forget_digests(self, before_ms: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM digests WHERE noted_ms<?", (before_ms,))

    def same_names(self, job_id: int, limit: int) -> list[str]:
        with self._reading() as db:
            return queries.same_names(db, job_id, limit)

    def same_places(self, job_id: int, limit: int) -> list[str]:
        with self._reading() as db:
            return queries.same_places(db, job_id, limit)

    def setting(self, name: str) -> str:
        with self._reading() as db:
            row = db.execute("SELECT value FROM settings WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def keep_setting(self, name: str, value: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

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
            if not self._outcomes and not self._digests:
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
            self._digests.clear()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._outcomes:
                self.flush()
            with self._translated():
                yield self._db

    def _write_outcomes(self) -> list[int]:
        queries.note_digests(self._db, self._digests)
        if not self._outcomes:
            return []
        self._db.executemany(
            "UPDATE items SET state=?, assurance=?, tries=?, message=?, sha256=?, size_bytes=?,"
            " modified_ns=?, problem=? WHERE item_id=?",
            (
                (
                    item.state.value,
                    item.assurance.value,
                    item.tries,
                    storable(item.message),
                    item.sha256,
                    item.size_bytes,
                    min(item.modified_ns, LARGEST_INTEGER),
                    item.problem,
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
            raise JournalFailed(sentences.QUEUE_FAILED(reason=cause)) from cause


def _add_sources(db: sqlite3.Connection, job_id: int, sources: Sequence[Source]) -> None:
    db.executemany(
        "INSERT INTO sources (job_id, path, contents_only) VALUES (?, ?, ?)",
        ((job_id, to_blob(source.path), source.contents_only) for source in sources),
    )


def _keep_final_counts(db: sqlite3.Connection, job_id: int, counts: ItemCounts) -> None:
    db.execute("UPDATE jobs SET final_counts=? WHERE job_id=?", (counts_to_text(counts), job_id))


def _forget_final_counts(db: sqlite3.Connection, job_id: int) -> None:
    db.execute("UPDATE jobs SET final_counts='' WHERE job_id=? AND final_counts!=''", (job_id,))

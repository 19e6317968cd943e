"""Opens the file of the upload queue, or sets a damaged one aside and begins anew.

A file that is no database, or empty, or damaged, is kept beside the new one: never deleted, and
never read as "all done". One of a newer LakeDrop, or one that cannot be written, is refused.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path

from app.domain.errors import JournalFailed
from app.domain.queue_item import Assurance, ItemState
from app.infra.journal_rows import ITEM_SELECTION, JOB_SELECTION, job_of
from app.infra.journal_schema import SCHEMA_VERSION, bring_up_to_date
from app.infra.places import sync_folder

log = logging.getLogger(__name__)

_HEADER_BYTES = 100  # of every SQLite file; one that has less is an empty one to SQLite


def open_journal(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """(the queue, what was set aside for it). Raises `JournalFailed`."""
    try:
        if _is_gone(path):
            raise sqlite3.DatabaseError("the database is gone")
        return _open(path), None
    except sqlite3.OperationalError as cause:  # locked, read-only, no space
        raise _cannot_be_opened(path, cause) from cause
    except sqlite3.DatabaseError as damage:
        log.warning("the journal is damaged: %s", damage)
    try:
        aside = _set_aside(path)
    except OSError as cause:
        raise JournalFailed(
            f"The upload queue {path} is damaged and cannot be set aside: {cause}."
        ) from cause
    log.warning("damaged journal set aside as %s", aside.name)
    try:
        return _open(path), aside
    except sqlite3.Error as cause:
        raise _cannot_be_opened(path, cause) from cause


def _cannot_be_opened(path: Path, cause: sqlite3.Error) -> JournalFailed:
    return JournalFailed(f"The upload queue {path} cannot be opened: {cause}.")


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        _make(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:  # looked at no further, and left as it is
            raise JournalFailed(
                f"The upload queue {path} was written by a newer LakeDrop. Start that version."
            )
        # Not quick_check: an index that has lost rows makes a queue look as if it were done.
        if [row[0] for row in db.execute("PRAGMA integrity_check")] != ["ok"]:
            raise sqlite3.DatabaseError("integrity_check failed")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA temp_store=MEMORY")
        bring_up_to_date(db, version)
        _check_values(db)
        db.execute("PRAGMA foreign_keys=ON")
    except UnicodeDecodeError as cause:
        db.close()
        raise sqlite3.DatabaseError("a name in it is no text") from cause
    except BaseException:
        db.close()
        raise
    return db


def _make(path: Path) -> None:
    """An empty queue, whole at its place from the first moment: one that is empty has lost it."""
    fresh = path.with_name(path.name + ".new")
    for suffix in ("", "-journal"):
        with suppress(FileNotFoundError, NotADirectoryError):  # what a killed start left
            fresh.with_name(fresh.name + suffix).unlink()
    db = sqlite3.connect(fresh, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous=EXTRA")
        bring_up_to_date(db, 0)
    finally:
        db.close()
    fresh.replace(path)
    sync_folder(path.parent)


def _is_gone(path: Path) -> bool:
    """Whether a queue was here: SQLite would begin an empty one, and drop what its log holds."""
    if path.is_file():
        return path.stat().st_size < _HEADER_BYTES
    return not path.exists() and path.with_name(path.name + "-wal").exists()


def _check_values(db: sqlite3.Connection) -> None:
    """Words that no version has written are damage, too: SQLite takes any bytes for a text.

    Raises `sqlite3.DatabaseError`.
    """
    try:
        for columns in (
            f"{ITEM_SELECTION} FROM items",
            "final_counts FROM jobs",
            "source_id, job_id, path, contents_only FROM sources",
            "job_id, source FROM removed",
            "job_id, source, reason FROM left_out",
            "item_id, job_id, sync_id, upload_id, source FROM kept_uploads",
            "source, size_bytes, modified_ns, changed_ns, sha256, noted_ms FROM digests",
            "name, value FROM settings",
        ):
            db.execute(f"SELECT {columns} LIMIT 0")
        for row in db.execute(f"SELECT {JOB_SELECTION} FROM jobs"):
            job_of(row)
        for state, assurance in db.execute("SELECT DISTINCT state, assurance FROM items"):
            ItemState(state), Assurance(assurance)
    except (ValueError, TypeError, AttributeError) as cause:
        raise sqlite3.DatabaseError("the queue holds what makes no sense") from cause
    except sqlite3.OperationalError as cause:
        # SQLite has no word for it: a table or column that is missing, a text that is none.
        if getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise
        raise sqlite3.DatabaseError(f"the queue holds what makes no sense: {cause}") from cause


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    with suppress(FileNotFoundError):  # its log alone may be left
        path.rename(aside)
    for suffix in ("-wal", "-shm"):
        rest = path.with_name(path.name + suffix)
        if rest.exists():
            rest.rename(aside.with_name(aside.name + suffix))
    return aside

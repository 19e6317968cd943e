"""Opens a lake's catalog: one connection that writes, and a pool of read-only ones."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, QueuePool

from embedded_server.catalog.group_writer import GroupWriter
from embedded_server.catalog.schema import bring_to_head
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.domain.errors import CannotServe
from embedded_server.domain.measures import Measures

_BUSY_S = 10.0
_READERS = 8

_log = logging.getLogger(__name__)


def open_catalog(file: str, measures: Measures | None = None) -> SqlCatalog:
    """Makes the catalog when it is missing. Raises `CannotServe` when it cannot be used."""
    _log.info("catalog: SQLite %s", sqlite3.sqlite_version)
    writing = create_engine("sqlite://", creator=lambda: _writing(file), poolclass=NullPool)
    try:
        connection = writing.connect()
        try:
            bring_to_head(connection, Path(file))
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, DatabaseError) as cause:
        reason = getattr(cause, "orig", cause)
        raise CannotServe(
            f"the lake's catalog cannot be used ({reason}). The files are not touched."
            " Put back a copy of .lakedrop/catalog.db, or move it away to begin a new history"
        ) from cause
    counting = measures or Measures()
    writer = GroupWriter(connection, counting)
    return SqlCatalog(writer, _readers(file), counting, str(Path(file).parent))


def _writing(file: str) -> sqlite3.Connection:
    # The thread that opens it hands it over to the writer thread, once.
    connection = sqlite3.connect(file, timeout=_BUSY_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA mmap_size=0")
    return connection


def _readers(file: str) -> Engine:
    uri = Path(file).as_uri() + "?mode=ro"

    def reading() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, check_same_thread=False)
        connection.execute("PRAGMA mmap_size=0")
        return connection

    return create_engine(
        "sqlite://",
        creator=reading,
        poolclass=QueuePool,
        pool_size=_READERS,
        max_overflow=_READERS,
        pool_reset_on_return="rollback",
    )

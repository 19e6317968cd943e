"""Keeps a copy of the catalog as it was before its shape is changed."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Connection

from embedded_server.domain.errors import CannotServe

_log = logging.getLogger(__name__)


def keep_copy(connection: Connection, file: Path, revision: str) -> Path:
    """Writes `catalog.before-0002.db` beside `file`, whole and on stable storage, or not at all.

    A copy of an earlier try is replaced: the catalog may have been used since by the older version.
    Raises `CannotServe` where there is no room for it.
    """
    kept = file.with_name(f"{file.stem}.before-{revision}{file.suffix}")
    half = kept.with_name(f"{kept.name}.half")
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    try:
        half.unlink(missing_ok=True)
        with closing(sqlite3.connect(half)) as copy:
            raw.backup(copy)
            # One file by itself, without the write-ahead log that the original has beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        _fsync(half)
        half.replace(kept)
        _fsync(kept.parent)
    except (sqlite3.Error, OSError) as cause:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise CannotServe(
            f"the lake's catalog must be brought to a new shape, and no copy of it can be kept"
            f" first ({cause}): make room on the disk. Nothing was changed"
        ) from cause
    _log.info("the catalog as it was before shape %s is kept as %s", revision, kept.name)
    return kept


def _fsync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return  # Windows opens no folders, and journals their entries itself
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

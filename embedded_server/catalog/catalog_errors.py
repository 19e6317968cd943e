"""Translates what SQLite says into what the sender of a request can do about it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from embedded_server.domain.errors import CatalogBusy, LakeError, LakeFault, LakeFull

_LEAST_ROOM_BYTES = 1 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
# Beginnings of result codes (https://sqlite.org/rescode.html), which extended ones share. Only a
# failing write tells that the disk is full; a failing fsync, or a file that cannot grow, does not
# tell why.
_MAYBE_FULL = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_FORBIDDEN = ("SQLITE_READONLY", "SQLITE_PERM")

_log = logging.getLogger(__name__)


def as_lake_error(cause: Exception, folder: str) -> LakeError:
    """For an error of SQLite or SQLAlchemy; `folder` is where the catalog lies."""
    original = getattr(cause, "orig", None) or cause
    name: str = getattr(original, "sqlite_errorname", None) or type(original).__name__
    if name == "SQLITE_FULL" or (name.startswith(_MAYBE_FULL) and _has_no_room(folder)):
        return LakeFull()
    _log.error("the lake's catalog failed: %s (%s)", original, name)
    if name.startswith(_BUSY):
        return CatalogBusy()
    if name.startswith(_DAMAGED):
        return LakeFault(
            "the lake's catalog is damaged: stop the server and put back a copy of"
            " .lakedrop/catalog.db; published files are not touched"
        )
    if name.startswith(_FORBIDDEN):
        return LakeFault(
            "the lake's catalog cannot be written: look at who may write .lakedrop/catalog.db"
        )
    return LakeFault(
        f"the lake's catalog failed ({name}): nothing is promised about this request;"
        " look at the server's log, then send it again"
    )


@contextmanager
def translated(folder: str) -> Iterator[None]:
    """Raises `LakeFull`, `CatalogBusy` or `LakeFault` for what the database says."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as cause:
        raise as_lake_error(cause, folder) from cause


def _has_no_room(folder: str) -> bool:
    """As the disk tells, and as a quota does: by refusing."""
    try:
        if shutil.disk_usage(folder).free < _LEAST_ROOM_BYTES:
            return True
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(bytes(_LEAST_ROOM_BYTES))
            os.fsync(probe.fileno())
    except OSError as cause:
        return cause.errno in _NO_ROOM
    return False

"""What SQLite says is told as what helps; the log has the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Connection, create_engine, text

from embedded_server.catalog.catalog_errors import as_lake_error, translated
from embedded_server.contract import SyncType
from embedded_server.domain.errors import CatalogBusy, LakeFault, LakeFull, NothingThere
from embedded_server.domain.lake_path import LakePath
from tests.unit.server.conftest import Rooms

PATH = LakePath.parse("/data/x")


def _full(file: Path) -> NoReturn:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA max_page_count = 2")
        for number in range(100):
            db.execute(f"CREATE TABLE t{number} (a)")
    raise AssertionError


def _held(file: Path) -> NoReturn:
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(file, timeout=0)) as other:
        one.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE t (a)")
    raise AssertionError


def _damaged(file: Path) -> NoReturn:
    file.write_bytes(b"this is no database, and long enough to be read as one" * 50)
    with closing(sqlite3.connect(file)) as db:
        db.execute("SELECT * FROM sqlite_master")
    raise AssertionError


def _forbidden(file: Path) -> NoReturn:
    file.touch()
    with closing(sqlite3.connect(file.as_uri() + "?mode=ro", uri=True)) as db:
        db.execute("CREATE TABLE t (a)")
    raise AssertionError


def _missing(file: Path) -> NoReturn:
    with closing(sqlite3.connect(file.as_uri() + "?mode=ro", uri=True)) as db:
        db.execute("SELECT 1")
    raise AssertionError


def _a_fault_of_ours(file: Path) -> NoReturn:
    with closing(sqlite3.connect(file)) as db:
        db.execute("SELECT nothing FROM nowhere")
    raise AssertionError


@pytest.mark.parametrize(
    ("fail", "kind", "status", "words"),
    [
        (_full, LakeFull, 507, "make room"),
        (_held, CatalogBusy, 503, "another program holds"),
        (_damaged, LakeFault, 500, "put back a copy"),
        (_forbidden, LakeFault, 500, "who may write"),
        (_missing, LakeFault, 500, "SQLITE_CANTOPEN"),
        (_a_fault_of_ours, LakeFault, 500, "look at the server's log"),
    ],
)
def test_what_sqlite_says_is_told_as_what_helps(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[Path], NoReturn],
    kind: type[Exception],
    status: int,
    words: str,
) -> None:
    with pytest.raises(kind, match=words) as told, translated(str(tmp_path)):
        fail(tmp_path / "catalog.db")
    assert getattr(told.value, "status", 0) == status
    assert isinstance(told.value.__cause__, sqlite3.Error)
    if kind is not LakeFull:
        assert str(told.value.__cause__) in caplog.text, "what failed is in the log"


def test_what_comes_through_sqlalchemy_is_told_the_same(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/catalog.db")
    with engine.connect() as db:
        db.execute(text("PRAGMA max_page_count = 2"))
        db.execute(text("CREATE TABLE t (a)"))
        with pytest.raises(LakeFull), translated(str(tmp_path)):
            db.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    engine.dispose()


def test_an_error_of_the_lake_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(NothingThere), translated(str(tmp_path)):
        raise NothingThere("x")


def _failed_fsync() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    return error


def test_a_failing_fsync_on_a_disk_with_room_is_a_fault(tmp_path: Path) -> None:
    told = as_lake_error(_failed_fsync(), str(tmp_path))
    assert (type(told), told.status) == (LakeFault, 500)
    assert "SQLITE_IOERR_FSYNC" in told.message
    assert list(tmp_path.iterdir()) == []


def test_where_the_disk_cannot_even_be_asked_it_is_a_fault(tmp_path: Path) -> None:
    assert type(as_lake_error(_failed_fsync(), str(tmp_path / "gone"))) is LakeFault


def test_a_transaction_that_cannot_be_undone_does_not_end_the_writer(rooms: Rooms) -> None:
    """Else whoever writes next would wait for ever."""

    def undo_by_itself_and_fail(db: Connection) -> None:
        db.execute(text("SELECT 1"))
        raw = db.connection.driver_connection
        assert raw is not None
        raw.close()
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(LakeFault):
        rooms.catalog.write(undo_by_itself_and_fail)
    assert rooms.catalog.add_sync("s", PATH, SyncType.INCREMENTAL, 1) == 1

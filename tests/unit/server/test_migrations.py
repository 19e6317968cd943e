"""From one shape of the catalog to the next: nothing is lost, whenever it is interrupted."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from embedded_server.catalog.opening import open_catalog
from embedded_server.catalog.schema import current_revision, migrate
from embedded_server.catalog.tables import HEAD_REVISION
from embedded_server.contract import SyncStatus
from embedded_server.domain.errors import CannotServe
from tests.support.old_catalog import SYNCS, UPLOADS, connected, make_old_catalog
from tests.unit.server.conftest import Rooms

_REPOSITORY = Path(__file__).resolve().parents[3]
_KEPT = f"catalog.before-{HEAD_REVISION}.db"


@pytest.fixture(scope="module")
def old_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("old") / "catalog.db"
    make_old_catalog(file)
    return file


@pytest.fixture
def catalog_file(old_catalog: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(old_catalog, tmp_path / "catalog.db"))


def _shape(file: Path) -> dict[str, Any]:
    with connected(file) as connection:
        inspector = inspect(connection)
        tables = {
            table: [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ]
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }
        said = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql <> ''"
        ).all()
    return tables | {name: re.sub(r"\s+", " ", sql) for name, sql in said}


def _rows(file: Path, table: str, columns: int) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return [row[:columns] for row in db.execute(f"SELECT * FROM {table} ORDER BY 1")]


def _blocks(file: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT * FROM upload_blocks ORDER BY sync_id, block").fetchall()


def _is_whole(file: Path, revision: str) -> bool:
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        [found] = db.execute("SELECT version_num FROM alembic_version").fetchone()
    assert _rows(file, "syncs", len(SYNCS[0])) == SYNCS
    assert _rows(file, "uploads", len(UPLOADS[0])) == UPLOADS
    return bool(found == revision)


def test_the_migrations_make_what_a_new_catalog_has(rooms: Rooms, tmp_path: Path) -> None:
    migrated = tmp_path / "migrated.db"
    with connected(migrated) as connection:
        migrate(connection)
        assert current_revision(connection) == HEAD_REVISION
    assert _shape(Path(rooms.layout.catalog)) == _shape(migrated)


def test_an_old_catalog_is_brought_up_with_all_its_rows_and_a_copy_is_kept(
    catalog_file: Path,
) -> None:
    catalog = open_catalog(str(catalog_file))
    assert [job.name for job in catalog.sync_jobs(0, 10)] == ["first", "second"]
    assert catalog.running_sync_ids() == {2}
    catalog.close()
    assert _is_whole(catalog_file, HEAD_REVISION)
    assert _is_whole(catalog_file.with_name(_KEPT), "0001")
    assert list(catalog_file.parent.glob("*.half")) == []
    assert _blocks(catalog_file) == [
        (1, 0, 0, 1_022, 1, 1_001, 2_023),
        (1, 1, 0, 1_024, 0, 2_024, 3_047),
        (1, 2, 0, 453, 0, 3_048, 3_500),
        (2, 2, 1, 1, 0, 9_600, 9_650),
    ]


def test_blocks_follow_what_becomes_of_uploads(catalog_file: Path) -> None:
    catalog = open_catalog(str(catalog_file))
    catalog.fail_left_over_uploads("stopped", 20_000)
    catalog.close()
    assert _blocks(catalog_file)[-1] == (2, 2, 0, 1, 1, 9_600, 9_650)


def test_a_copy_of_an_earlier_try_is_made_anew(catalog_file: Path) -> None:
    catalog_file.with_name(_KEPT).write_bytes(b"of an earlier try")
    catalog_file.with_name(f"{_KEPT}.half").write_bytes(b"of one that was killed")
    open_catalog(str(catalog_file)).close()
    assert _is_whole(catalog_file.with_name(_KEPT), "0001")


def test_without_a_copy_nothing_is_changed(catalog_file: Path) -> None:
    catalog_file.with_name(f"{_KEPT}.half").mkdir()  # stands for a disk that takes no more
    with pytest.raises(CannotServe, match="Nothing was changed"):
        open_catalog(str(catalog_file))
    assert _is_whole(catalog_file, "0001")


def test_a_migration_killed_at_any_statement_leaves_the_old_catalog(
    old_catalog: Path, tmp_path: Path
) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows cannot fork the process that is to die")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.migration_that_dies", old_catalog, tmp_path],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    deaths = int(done.stdout)
    assert deaths > 20
    for number in range(deaths):
        file = tmp_path / str(number) / "catalog.db"
        # The last deaths come after the commit: in no case is it something in between.
        assert _is_whole(file, "0001") or _is_whole(file, HEAD_REVISION), f"killed at {number}"
        catalog = open_catalog(str(file))
        assert catalog.running_sync_ids() == {2}
        catalog.close()
        assert _is_whole(file, HEAD_REVISION)
        assert _shape(file) == _shape(tmp_path / str(deaths) / "catalog.db")


def test_a_step_that_fails_is_taken_back_whole(catalog_file: Path) -> None:
    with closing(sqlite3.connect(catalog_file)) as db:
        db.execute("CREATE TABLE upload_blocks (mine INTEGER)")  # what the step wants to make
        db.commit()
    with pytest.raises(CannotServe, match="cannot be used"):
        open_catalog(str(catalog_file))
    assert _is_whole(catalog_file, "0001")


@pytest.mark.parametrize("revision", ["9999", f"{int(HEAD_REVISION) + 1:04}"])
def test_a_catalog_of_a_newer_version_is_refused_and_left_alone(
    lake_root: Path, revision: str
) -> None:
    file = lake_root / ".lakedrop" / "catalog.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        db.commit()
    before = _shape(file)
    with pytest.raises(CannotServe, match="newer LakeDrop"):
        open_catalog(str(file))
    assert _shape(file) == before
    assert list(file.parent.glob("catalog.before-*")) == []


def test_a_stored_file_is_the_one_that_its_newest_row_tells(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    for _ in range(2):  # the second is a resend, after a lost answer
        rooms.send(sync_id, "a.csv", b"same")
        stored = (rooms.files / "data/x/a.csv").stat()
        with rooms.catalog.reading() as db:
            row = db.exec_driver_sql(
                "SELECT size_bytes, mtime_ns, status FROM uploads ORDER BY history_id DESC"
            ).first()
        assert row == (stored.st_size, stored.st_mtime_ns, SyncStatus.FINISHED.value)

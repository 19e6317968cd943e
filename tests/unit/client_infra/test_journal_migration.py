"""An upload queue that an earlier version wrote is gone on with."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import JournalFailed
from app.domain.queue_item import Assurance, FoundFile, ItemState
from app.domain.upload_job import Consents, JobState, UploadJob
from app.infra.journal_schema import SCHEMA_VERSION
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType

# As version 1 made it, word for word.
_SCHEMA_1 = """
CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL, destination TEXT NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL,
    sources TEXT NOT NULL, state TEXT NOT NULL, intake_done INTEGER NOT NULL,
    consents TEXT NOT NULL, sync_id INTEGER,
    plain_server INTEGER NOT NULL, end_sent INTEGER NOT NULL, message TEXT NOT NULL,
    problem TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, started_at_ms INTEGER NOT NULL, ended_at_ms INTEGER NOT NULL
);
CREATE TABLE items (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, folder BLOB NOT NULL, name BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, state TEXT NOT NULL,
    assurance TEXT NOT NULL DEFAULT 'none', tries INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL DEFAULT ''
);
CREATE INDEX items_by_state ON items (job_id, state);
CREATE TABLE left_out (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX left_out_by_job ON left_out (job_id);
"""
_CONNECTION = '{"name": "local", "base_url": "", "allow_plain_http": false}'
_CONSENTS = (
    '{"empty_full_sync": false, "same_names_on_plain_server": true,'
    ' "end_without_failed_files": false}'
)
_DESTINATION = "/data/Bán hàng"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A queue with one job of three files, and with a job 7 that was removed."""
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.executescript(f"PRAGMA journal_mode=WAL; BEGIN; {_SCHEMA_1} PRAGMA user_version=1; COMMIT;")
    job = (_CONNECTION, _DESTINATION, "FullSync", "nightly", '[["/in", false]]', "uploading", 1)
    rest = (_CONSENTS, 8, 1, 0, "voilà", "LakeFull", 11, 12, 13)
    places = ", ".join("?" * 17)
    db.execute(f"INSERT INTO jobs VALUES ({places})", (3, *job, *rest))
    db.execute(f"INSERT INTO jobs VALUES ({places})", (7, *job, *rest))
    db.execute("DELETE FROM jobs WHERE job_id=7")
    below = _DESTINATION.encode()
    for item_id, folder, name, state, assurance in (
        (1, below, b"a.csv", "uploaded", "verified"),
        (2, below + b"/in/deep", b"b.csv", "queued", "none"),
        (3, below + b"/in/\xff", b"\xff.csv", "failed", "none"),
    ):
        db.execute(
            "INSERT INTO items (item_id, job_id, source, folder, name, size_bytes, modified_ns,"
            " state, assurance, tries, message, sha256) VALUES (?, 3, ?, ?, ?, 5, 6, ?, ?, 2, 'm',"
            " 'ab')",
            (item_id, b"/in/" + name, folder, name, state, assurance),
        )
    db.execute("INSERT INTO left_out VALUES (3, ?, 'a link')", (b"/in/link",))
    db.commit()
    db.close()
    return path


def test_jobs_and_items_are_what_they_were(old: Path) -> None:
    journal = SqliteJournal(old)
    [job] = journal.jobs()
    assert job == UploadJob(
        3,
        LOCAL_LAKE,
        _DESTINATION,
        SyncType.FULL,
        "nightly",
        JobState.UPLOADING,
        intake_done=True,
        consents=Consents(same_names_on_plain_server=True),
        sync_id=8,
        plain_server=True,
        message="voilà",
        problem="LakeFull",
        created_at_ms=11,
        started_at_ms=12,
        ended_at_ms=13,
    )
    first, second, third = journal.items(3, None, 0, 10)
    assert [item.lake_path for item in (first, second, third)] == [
        f"{_DESTINATION}/a.csv",
        f"{_DESTINATION}/in/deep/b.csv",
        f"{_DESTINATION}/in/\udcff/\udcff.csv",
    ]
    assert (first.state, first.assurance) == (ItemState.UPLOADED, Assurance.VERIFIED)
    assert (first.size_bytes, first.modified_ns, first.tries) == (5, 6, 2)
    assert (third.state, third.message, third.problem, third.sha256) == (
        ItemState.FAILED,
        "m",
        "",
        "ab",
    )
    assert [entry.source for entry in journal.left_out(3, 10)] == ["/in/link"]
    journal.close()


def test_it_goes_on_as_a_queue_of_this_version(old: Path) -> None:
    SqliteJournal(old).close()
    journal = SqliteJournal(old)  # and is not brought up to date twice
    assert journal.set_aside is None
    new = journal.add_job(UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "n", kept=True))
    assert new.job_id == 8  # the number of the removed one is not used again
    journal.add_items(new.job_id, [FoundFile("/a", "/in", "a", 1, 0, top="/in")], [])
    assert [item.item_id for item in journal.items(8, None, 0, 10)] == [4]
    journal.remove_job(3)  # which takes its items along, as before
    assert journal.items(3, None, 0, 10) == []
    journal.close()
    with sqlite3.connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        made = _shape(db)
    db.close()
    fresh = old.with_name("fresh.db")
    SqliteJournal(fresh).close()
    with sqlite3.connect(fresh) as db:
        assert made == _shape(db)
    db.close()


_NEW_IN_8 = ("send_all",)
_NEW_IN_6 = ("receipt", *_NEW_IN_8)
_NEW_IN_5 = ("most_shrink_percent", *_NEW_IN_6)
_NEW_IN_4 = ("picking", *_NEW_IN_5)
_NEW_IN_3 = ("start_key", "aborted")


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        (2, _NEW_IN_3 + _NEW_IN_4),
        (3, _NEW_IN_4),
        (4, _NEW_IN_5),
        (5, _NEW_IN_6),
        (6, _NEW_IN_8),
        (7, _NEW_IN_8),
        (8, ()),
    ],
)
def test_a_queue_of_a_later_version_keeps_its_jobs(
    tmp_path: Path, version: int, missing: tuple[str, ...]
) -> None:
    file, fresh = tmp_path / "journal.db", tmp_path / "fresh.db"
    for path in (file, fresh):
        journal = SqliteJournal(path)
        made = journal.add_job(UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "n", sync_id=8))
        journal.close()
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE settings")
        if version < 8:
            db.execute("DROP TABLE digests")
        if version < 7:
            db.execute("DROP TABLE kept_uploads")
        if version < 5:
            db.execute("DROP TABLE full_syncs")
        for column in missing:
            db.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
        db.execute(f"PRAGMA user_version={version}")
    db.close()
    journal = SqliteJournal(file)
    assert journal.job(made.job_id) == made
    journal.close()
    shapes = []
    for path in (file, fresh):
        with sqlite3.connect(path) as db:
            shapes.append(_shape(db))
        db.close()
    assert shapes[0] == shapes[1]


def test_a_change_of_version_that_fails_changes_nothing(old: Path) -> None:
    with sqlite3.connect(old) as db:
        db.execute("CREATE TABLE removed (in_the_way)")  # met in the last step
    db.close()
    with pytest.raises(JournalFailed, match="cannot be opened"):
        SqliteJournal(old)
    with sqlite3.connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT sources FROM jobs").fetchall() == [('[["/in", false]]',)]
        db.execute("DROP TABLE removed")
    db.close()
    journal = SqliteJournal(old)
    assert journal.items(3, None, 0, 1)[0].lake_path == f"{_DESTINATION}/a.csv"
    journal.close()


def _shape(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Columns by table, and the indexes."""
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master ORDER BY name")]
    return {name: db.execute(f"PRAGMA table_info('{name}')").fetchall() for name in tables}

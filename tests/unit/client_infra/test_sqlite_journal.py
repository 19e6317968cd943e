"""The upload queue on disk."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE, Connection
from app.domain.errors import JournalFailed
from app.domain.queue_item import IN_FLIGHT, Assurance, FoundFile, ItemState, LeftOut, QueueItem
from app.domain.upload_job import Consents, JobState, UploadJob
from app.infra.journal_schema import SCHEMA_VERSION
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType

JOB = UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "nightly")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


def found(*names: str, folder: str = "", size_bytes: int = 7) -> list[FoundFile]:
    return [FoundFile(f"/in/{name}", folder, name, size_bytes, 123) for name in names]


def items(journal: SqliteJournal, job_id: int) -> list[QueueItem]:
    return journal.items(job_id, None, 0, 1_000)


def uploaded(item: QueueItem) -> QueueItem:
    checking = item.moved_to(ItemState.UPLOADING).moved_to(ItemState.VERIFYING)
    return checking.arrived(Assurance.VERIFIED, "ab" * 32)


def test_a_job_comes_back_as_it_was_given(journal: SqliteJournal) -> None:
    given = UploadJob(
        0,
        Connection("", "https://client.example.com", allow_plain_http=True),
        "/data/Bán hàng",
        SyncType.INCREMENTAL,
        "nhập dữ liệu",
        JobState.UPLOADING,
        intake_done=True,
        consents=Consents(empty_full_sync=True, end_without_failed_files=True),
        sync_id=2**63 - 1,
        end_sent=True,
        message="…",
        problem="LakeFull",
        created_at_ms=1,
        started_at_ms=2,
        ended_at_ms=3,
        contents_only=True,
        kept=True,
    )
    kept = journal.add_job(given)
    assert kept == replace(given, job_id=kept.job_id)
    assert journal.job(kept.job_id) == kept
    changed = kept.moved_to(JobState.ENDING)
    journal.save_job(changed)
    assert journal.jobs() == [changed]


def test_items_come_back_as_they_were_found_and_problems_count_as_failed(
    journal: SqliteJournal,
) -> None:
    job_id = journal.add_job(JOB).job_id
    odd = FoundFile("/in/\udcff", "", "\udcff", 1, 2**64, "The name is \udcff.")
    journal.add_items(job_id, [*found("a"), odd], [LeftOut("/in/\udcfe", "a link \udcfe")])

    a, bad = items(journal, job_id)
    assert (a.source, a.folder, a.name, a.lake_path) == ("/in/a", "/data/x", "a", "/data/x/a")
    assert (a.size_bytes, a.modified_ns, a.state) == (7, 123, ItemState.QUEUED)
    assert (bad.source, bad.name, bad.state) == ("/in/\udcff", "\udcff", ItemState.FAILED)
    assert bad.message == r"The name is \udcff."
    assert journal.left_out(job_id, 10) == [LeftOut("/in/\udcfe", r"a link \udcfe")]
    counts = journal.counts(job_id)
    assert counts.files == {ItemState.QUEUED: 1, ItemState.FAILED: 1}
    assert counts.left_out == 1


def test_a_hundred_thousand_items_are_read_page_by_page(journal: SqliteJournal) -> None:
    job_id = journal.add_job(JOB).job_id
    other_id = journal.add_job(JOB).job_id
    for start in range(0, 100_000, 25_000):
        journal.add_items(job_id, found(*(str(n) for n in range(start, start + 25_000))), [])
        journal.add_items(other_id, found("other"), [])
    names: list[str] = []
    after = 0
    while page := journal.queued(job_id, after, 1_000):
        assert len(page) <= 1_000
        after = page[-1].item_id
        names.extend(item.name for item in page)
    assert names == [str(number) for number in range(100_000)]
    assert journal.counts(job_id).bytes == {ItemState.QUEUED: 700_000}


def test_a_page_of_the_queue_is_found_by_its_index(journal: SqliteJournal, tmp_path: Path) -> None:
    """Sorting or scanning all rows for each page would make a long queue quadratic."""
    reader = sqlite3.connect(tmp_path / "journal.db")
    rows = reader.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM items WHERE job_id=? AND item_id>?"
        " AND state IN (?) ORDER BY item_id LIMIT ?",
        (1, 0, "queued", 10),
    ).fetchall()
    reader.close()
    plan = " ".join(row[3] for row in rows)
    assert "items_by_state (job_id=? AND state=? AND rowid>?)" in plan
    assert "TEMP B-TREE" not in plan


def test_an_outcome_is_seen_by_every_reader_at_once(journal: SqliteJournal) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a", "b"), [])
    a, b = items(journal, job_id)
    journal.record([replace(uploaded(a), size_bytes=9, tries=2)])
    journal.record([b.moved_to(ItemState.UPLOADING).moved_to(ItemState.WAITING, "busy \ud800")])

    assert [item.name for item in journal.queued(job_id, 0, 10)] == []
    a, b = items(journal, job_id)
    assert (a.state, a.assurance, a.sha256) == (
        ItemState.UPLOADED,
        Assurance.VERIFIED,
        "ab" * 32,
    )
    assert (a.size_bytes, a.tries) == (9, 2)
    assert (b.state, b.message) == (ItemState.WAITING, r"busy \ud800")
    counts = journal.counts(job_id)
    assert (counts.verified, counts.bytes[ItemState.UPLOADED]) == (1, 9)


def test_the_newest_of_two_outcomes_of_an_item_stays(journal: SqliteJournal) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a"), [])
    (a,) = items(journal, job_id)
    waiting = a.moved_to(ItemState.UPLOADING).moved_to(ItemState.WAITING)
    journal.record([waiting])
    journal.record([uploaded(waiting.moved_to(ItemState.QUEUED))])
    assert items(journal, job_id)[0].state is ItemState.UPLOADED


def test_moving_items_takes_outcomes_along_that_were_just_recorded(
    journal: SqliteJournal,
) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a", "b", "c"), [])
    a, b, _ = items(journal, job_id)
    journal.record([uploaded(a)])
    journal.record([b.moved_to(ItemState.UPLOADING).moved_to(ItemState.WAITING, "busy")])
    assert journal.move_items(job_id, IN_FLIGHT, ItemState.QUEUED) == 1
    after = items(journal, job_id)
    assert [item.state for item in after] == [
        ItemState.UPLOADED,
        ItemState.QUEUED,
        ItemState.QUEUED,
    ]
    assert (after[1].message, after[1].tries) == ("", 0)


def test_recorded_outcomes_survive_closing(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a"), [])
    journal.record([uploaded(items(journal, job_id)[0])])
    journal.close()
    again = SqliteJournal(tmp_path / "journal.db")
    assert items(again, job_id)[0].state is ItemState.UPLOADED
    again.close()


def test_outcomes_are_written_within_a_moment_without_anybody_asking(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a"), [])
    journal.record([uploaded(items(journal, job_id)[0])])
    pause = threading.Event()
    for _ in range(1_500):
        with sqlite3.connect(f"file:{tmp_path / 'journal.db'}?mode=ro", uri=True) as reader:
            states = reader.execute("SELECT state FROM items").fetchall()
        reader.close()
        if states == [("uploaded",)]:
            return
        pause.wait(0.02)
    raise AssertionError("the outcome was never written")


def test_items_of_many_threads_are_all_kept(journal: SqliteJournal) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found(*(str(n) for n in range(160))), [])
    rows = items(journal, job_id)

    def record(share: list[QueueItem]) -> None:
        for item in share:
            journal.record([uploaded(item)])
            journal.counts(job_id)

    threads = [threading.Thread(target=record, args=(rows[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.counts(job_id).files == {ItemState.UPLOADED: 160}


def test_same_names_and_same_places_are_told_apart(journal: SqliteJournal) -> None:
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a", "b", "c"), [])
    journal.add_items(job_id, found("b", "d", folder="/y"), [])
    assert journal.same_names(job_id, 10) == ["b"]
    assert journal.same_places(job_id, 10) == []
    journal.add_items(job_id, found("c", "a", "\udcff", "\udcff"), [])
    assert journal.same_places(job_id, 10) == ["/data/x/a", "/data/x/c", "/data/x/\udcff"]
    assert journal.same_places(job_id, 1) == ["/data/x/a"]
    assert journal.same_names(job_id, 10) == ["b"]


def test_a_removed_job_takes_its_items_along(journal: SqliteJournal) -> None:
    job_id, kept_id = journal.add_job(JOB).job_id, journal.add_job(JOB).job_id
    for each in (job_id, kept_id):
        journal.add_items(each, found("a"), [LeftOut("/l", "a link")])
    journal.remove_job(job_id)
    assert journal.job(job_id) is None
    assert (items(journal, job_id), journal.left_out(job_id, 9)) == ([], [])
    assert len(items(journal, kept_id)) == len(journal.left_out(kept_id, 9)) == 1
    assert journal.add_job(JOB).job_id > kept_id  # numbers are never used again


# -- crashes and damage ------------------------------------------------------------------------

_KILLED = """
import os, sys
from pathlib import Path
from app.domain.queue_item import FoundFile
from app.infra.sqlite_journal import SqliteJournal
from tests.unit.client_infra.test_sqlite_journal import JOB, found, items, uploaded
journal = SqliteJournal(Path(sys.argv[1]))
job = journal.add_job(JOB)
journal.add_items(job.job_id, found("a", "b"), [])
journal.record([uploaded(items(journal, job.job_id)[0])])
journal.flush()
os._exit(9)
"""


def test_what_was_promised_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False)
    assert killed.returncode == 9
    journal = SqliteJournal(path)
    (job,) = journal.jobs()
    assert [item.state for item in items(journal, job.job_id)] == [
        ItemState.UPLOADED,
        ItemState.QUEUED,
    ]
    assert journal.set_aside is None
    journal.close()


@pytest.mark.parametrize("damage", ["no database", "torn", "page", "empty", "a byte"])
def test_a_damaged_journal_is_set_aside_whole_and_a_new_one_begun(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.add_items(journal.add_job(JOB).job_id, found(*(str(n) for n in range(3_000))), [])
    journal.close()
    data = path.read_bytes()
    if damage == "no database":
        data = b"this is no database " * 1_000
    elif damage == "torn":
        data = data[: len(data) // 2]
    elif damage in ("empty", "a byte"):  # to SQLite: a database that is just being made
        data = data[: 1 if damage == "a byte" else 0]
    else:
        middle = len(data) // 2 // 4096 * 4096
        data = data[:middle] + b"\xff" * 8192 + data[middle + 8192 :]
    path.write_bytes(data)

    for number in (1, 2):  # a second damage does not overwrite what the first one left
        fresh = SqliteJournal(path)
        assert fresh.set_aside == tmp_path / f"journal.db.damaged-{number}"
        assert fresh.jobs() == []
        fresh.add_job(JOB)
        fresh.close()
        assert fresh.set_aside.read_bytes() == data
        path.write_bytes(data)


def test_the_journal_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
        db.execute("CREATE TABLE of_the_future (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(JournalFailed, match="newer LakeDrop"):
        SqliteJournal(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["missing/journal.db", "file/journal.db", "folder"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalFailed, match="cannot be opened"):
        SqliteJournal(tmp_path / place)
    assert threading.active_count() == 1 or "journal" not in {
        thread.name for thread in threading.enumerate()
    }


def test_a_full_disk_is_told_and_the_outcomes_are_kept_for_better_days(tmp_path: Path) -> None:
    """The disk is played by the limit on the size of a file, which every write then meets."""
    resource = pytest.importorskip("resource", reason="no such limit on this system")
    journal = SqliteJournal(tmp_path / "journal.db")
    job_id = journal.add_job(JOB).job_id
    journal.add_items(job_id, found("a"), [])
    (a,) = items(journal, job_id)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        journal.record([uploaded(a)])
        with pytest.raises(JournalFailed, match="cannot be written"):
            journal.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert items(journal, job_id)[0].state is ItemState.UPLOADED
    journal.close()

"""The upload queue's side of a draft: its place, pending sources, items by number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.queue_item import FoundFile, ItemState, LeftOut, QueueItem
from app.domain.upload_job import JobState, Source, UploadJob
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType

DRAFT = UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "nightly", kept=True)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


def found(*names: str, folder: str = "", top: str = "", problem: str = "") -> list[FoundFile]:
    return [FoundFile(f"/in{folder}/{name}", folder, name, 7, 0, problem, top) for name in names]


def with_items(journal: SqliteJournal, *names: str) -> UploadJob:
    job = journal.add_job(DRAFT)
    journal.add_items(job.job_id, found(*names), [])
    return job


def lake_paths(items: list[QueueItem]) -> list[str]:
    return [item.lake_path for item in items]


def test_lake_paths_follow_the_job_whatever_the_number_of_items(journal: SqliteJournal) -> None:
    job = journal.add_job(DRAFT)
    sales = found("a", folder="/Bán", top="/Bán") + found("b", folder="/Bán/1", top="/Bán")
    journal.add_items(job.job_id, [*sales, *found("c"), *found("d", folder="/in/2")], [])

    def shown() -> list[str]:
        return lake_paths(journal.items(job.job_id, None, 0, 10))

    assert shown() == ["/data/x/Bán/a", "/data/x/Bán/1/b", "/data/x/c", "/data/x/in/2/d"]
    journal.save_job(replace(job, destination="/y", contents_only=True))
    # A source whose own name never was in the path has none to leave out.
    assert shown() == ["/y/a", "/y/1/b", "/y/c", "/y/in/2/d"]
    assert lake_paths(journal.items_at(job.job_id, [(1, 1)], 10)) == ["/y/a"]
    assert lake_paths(journal.queued(job.job_id, 1, 1)) == ["/y/1/b"]


def test_what_meets_in_one_place_depends_on_the_own_names(journal: SqliteJournal) -> None:
    job = journal.add_job(DRAFT)
    for top in ("/one", "/two"):
        journal.add_items(job.job_id, found("a", folder=top, top=top), [])
        journal.add_items(job.job_id, found("b", folder=top + top, top=top), [])
    journal.add_items(job.job_id, found("a"), [])
    assert journal.same_places(job.job_id, 9) == []
    assert journal.same_names(job.job_id, 9) == ["a", "b"]
    journal.save_job(replace(job, destination="/y", contents_only=True))
    assert journal.same_places(job.job_id, 9) == ["/y/a"]
    assert journal.same_names(job.job_id, 9) == ["b"]


def test_pending_sources_go_with_the_items_they_became(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    odd = Source("/in/no-\udcff-utf8")
    job = journal.add_job(DRAFT, [odd, Source("/b", contents_only=True)])
    journal.save_job(replace(job, intake_done=True))
    journal.add_sources(job.job_id, [Source("/c")])
    again = journal.job(job.job_id)
    assert again is not None
    assert not again.intake_done
    other = journal.add_job(DRAFT, [Source("/other")])

    first, second, third = journal.pending_sources(job.job_id, 10)
    assert [each.source for each in (first, second, third)] == [
        odd,
        Source("/b", contents_only=True),
        Source("/c"),
    ]
    journal.add_items(job.job_id, found("a"), [], second.source_id)
    assert journal.pending_sources(job.job_id, 10) == [third]
    journal.add_items(job.job_id, found("a"), [])  # as when a large one is not yet over
    assert journal.pending_sources(job.job_id, 10) == [third]
    assert len(journal.pending_sources(other.job_id, 10)) == 1
    journal.remove_job(job.job_id)
    reader = sqlite3.connect(tmp_path / "journal.db")
    assert reader.execute("SELECT path FROM sources").fetchall() == [(b"/other",)]
    reader.close()


def test_items_are_found_by_number_and_state(journal: SqliteJournal) -> None:
    job = with_items(journal, "a", "b")
    other = with_items(journal, "x")
    journal.add_items(job.job_id, [*found("bad", problem="No."), *found("c", "d")], [])
    assert journal.item_ids(job.job_id, None, 0) == [1, 2, 4, 5, 6]
    assert journal.item_ids(job.job_id, None, 2) == [4, 5, 6]
    failed = frozenset({ItemState.FAILED})
    assert journal.item_ids(job.job_id, failed, 0) == [4]
    assert journal.item_ids(job.job_id, failed | {ItemState.QUEUED}, 2) == [4, 5, 6]
    assert journal.item_ids(other.job_id, None, 0) == [3]

    at = journal.items_at(job.job_id, [(5, 9), (1, 4)], 10)
    assert [item.name for item in at] == ["c", "d", "a", "b", "bad"]  # the other job's is not ours
    assert len(journal.items_at(job.job_id, [(1, 9), (1, 9)], 7)) == 7
    assert journal.items_at(job.job_id, [(100, 200)], 7) == []


def test_the_kind_of_a_problem_is_kept_until_the_file_is_tried_again(
    journal: SqliteJournal,
) -> None:
    job = with_items(journal, "a")
    journal.add_items(job.job_id, found("bad", problem="The folder cannot be read."), [])
    a, bad = journal.items(job.job_id, None, 0, 9)
    assert (bad.state, bad.problem) == (ItemState.FAILED, "SourceUnreadable")
    refused = a.moved_to(ItemState.UPLOADING).moved_to(ItemState.FAILED, "No.", "FileRefused")
    journal.record([refused])
    assert journal.items(job.job_id, None, 0, 9)[0].problem == "FileRefused"
    journal.move_items(job.job_id, frozenset({ItemState.FAILED}), ItemState.QUEUED)
    assert [item.problem for item in journal.items(job.job_id, None, 0, 9)] == ["", ""]


def test_removed_items_are_told_and_only_the_jobs_own_go(journal: SqliteJournal) -> None:
    job = with_items(journal, "a", "b", "c")
    other = with_items(journal, "x")
    journal.add_items(job.job_id, found("bad", problem="No."), [])
    removed = journal.remove_items(job.job_id, [(2, 2), (1, 2), (4, 100)])
    assert removed.files == {ItemState.QUEUED: 2, ItemState.FAILED: 1}
    assert removed.bytes == {ItemState.QUEUED: 14, ItemState.FAILED: 7}
    assert journal.item_ids(job.job_id, None, 0) == [3]
    assert journal.item_ids(other.job_id, None, 0) == [4]


def test_a_removed_path_is_remembered_until_the_intake_is_done(journal: SqliteJournal) -> None:
    job = with_items(journal, "a", "b")
    journal.add_items(job.job_id, [], [LeftOut("/in/link", "a link")])
    journal.remove_items(job.job_id, [(1, 1)])
    assert sorted(journal.source_paths(job.job_id)) == ["/in/a", "/in/b", "/in/link"]
    journal.save_job(replace(job, intake_done=True))
    assert sorted(journal.source_paths(job.job_id)) == ["/in/b", "/in/link"]
    journal.remove_items(job.job_id, [(2, 2)])
    assert journal.source_paths(job.job_id) == ["/in/link"]


def test_the_items_of_an_ended_job_are_counted_once(journal: SqliteJournal, tmp_path: Path) -> None:
    job = with_items(journal, "a", "b")
    journal.add_items(job.job_id, found("bad", problem="No."), [LeftOut("/l", "a link")])
    before = journal.counts(job.job_id)
    journal.save_job(replace(job, state=JobState.CANCELLED))
    with sqlite3.connect(tmp_path / "journal.db") as db:  # behind its back
        db.execute("DELETE FROM items WHERE job_id=?", (job.job_id,))
    db.close()
    assert journal.counts(job.job_id) == before


def test_what_still_changes_in_an_ended_job_is_counted_again(journal: SqliteJournal) -> None:
    job = with_items(journal, "a", "b")
    ended = replace(job, state=JobState.CANCELLED)
    journal.save_job(ended)
    journal.add_items(job.job_id, found("late"), [])  # by an intake that was just told to stop
    assert journal.counts(job.job_id).files == {ItemState.QUEUED: 3}
    journal.move_items(job.job_id, frozenset({ItemState.QUEUED}), ItemState.CANCELLED)
    assert journal.counts(job.job_id).files == {ItemState.CANCELLED: 3}

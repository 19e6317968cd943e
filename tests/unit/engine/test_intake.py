"""Dropped paths become items, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import Cancelled, SourceUnreadable
from app.domain.ports import Picks
from app.domain.queue_item import FoundFile, ItemState, LeftOut
from app.domain.upload_job import Source, UploadJob
from app.engine.intake import Intake
from app.infra.source_files import LocalSourceFiles
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType
from tests.unit.engine.house import House, write_files


class ManyFiles(LocalSourceFiles):
    """So many files, and how many of them the journal knew when each was handed out."""

    def __init__(self, count: int, journal: SqliteJournal) -> None:
        self._count = count
        self._journal = journal
        self.known_at_the_end = 0

    def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
        for number in range(self._count):
            yield FoundFile(f"/in/{number}", "", str(number), 2, 0)
        yield LeftOut("/in/link", "a link")
        self.known_at_the_end = sum(self._journal.counts(1).files.values())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


def job_of(journal: SqliteJournal, *sources: Source) -> UploadJob:
    return journal.add_job(
        UploadJob(0, LOCAL_LAKE, "/data/x", SyncType.FULL, "n"), sources or (Source("/in"),)
    )


def test_items_go_to_the_journal_while_more_are_looked_for(journal: SqliteJournal) -> None:
    sources = ManyFiles(10_000, journal)
    told: list[tuple[int, int, int, int]] = []
    Intake(
        job_of(journal), sources, journal, lambda *count: told.append(count), lambda: False
    ).run()
    assert sources.known_at_the_end >= 8_000  # never more than one batch in memory
    assert [sum(column) for column in zip(*told, strict=True)] == [10_000, 20_000, 1, 0]
    counts = journal.counts(1)
    assert (counts.files, counts.left_out) == ({ItemState.QUEUED: 10_000}, 1)


def test_a_cancel_stops_the_looking(journal: SqliteJournal) -> None:
    seen = 0

    def is_cancelled() -> bool:
        nonlocal seen
        seen += 1
        return seen > 10

    with pytest.raises(Cancelled):
        Intake(
            job_of(journal), ManyFiles(10_000, journal), journal, lambda *_: None, is_cancelled
        ).run()
    assert seen == 11


def test_several_paths_are_taken_in_one_after_the_other(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    one, two = write_files(tmp_path / "one", a=b"1"), write_files(tmp_path / "two", a=b"2")
    job = job_of(journal, Source(str(one)), Source(str(two)), Source(str(two / "a.csv")))
    Intake(job, LocalSourceFiles(), journal, lambda *_: None, lambda: False).run()
    places = [item.lake_path for item in journal.items(job.job_id, None, 0, 10)]
    assert places == ["/data/x/one/a.csv", "/data/x/two/a.csv", "/data/x/a.csv"]


def test_one_missing_path_among_several_is_an_error(journal: SqliteJournal, tmp_path: Path) -> None:
    there = write_files(tmp_path / "there", a=b"1")
    job = job_of(journal, Source(str(there)), Source(str(tmp_path / "nowhere")))
    with pytest.raises(SourceUnreadable, match="nowhere"):
        Intake(job, LocalSourceFiles(), journal, lambda *_: None, lambda: False).run()


def test_a_file_with_a_future_date_is_taken_like_any_other(tmp_path: Path) -> None:
    """SQLite's integers end in the year 2262 when they count nanoseconds."""

    class FromTheFuture(LocalSourceFiles):
        def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
            yield FoundFile("/in/a", "", "a", 1, 2**63)

    with House(tmp_path, sources=FromTheFuture()) as house:
        job_id = house.add(tmp_path)
        assert house.engine.snapshot(job_id).intake_done

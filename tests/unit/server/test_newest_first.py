"""Syncs and uploads by what is wanted of them: the same as a plain walk over all rows finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded_server.catalog.opening import open_catalog
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Page, Wanted
from embedded_server.domain.upload import Destination, UploadRow

_SYNCS = 40
_UPLOADS = 5_000
_PATHS = ("/data/x", "/data/x/below", "/data/x_2", "/other", "/data/100%")
_ODD_TEXTS = ("%", "_", "\\", "'", "x", "X", "/data/x/", "part-1", "below/", "100%/", "é", "x_2")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlCatalog]:
    """Five blocks and more, interleaved syncs, clocks that went back, and all kinds of statuses."""
    made = open_catalog(str(tmp_path_factory.mktemp("queries") / "catalog.db"))
    dice = random.Random(4)
    types = list(SyncType)
    ids = [
        made.add_sync(
            f"sync {dice.choice(_ODD_TEXTS)} {number}",
            LakePath.parse(dice.choice(_PATHS)),
            dice.choice(types),
            dice.randrange(1_000),
            key_name=dice.choice(["", "ann"]),
        )
        for number in range(_SYNCS)
    ]
    for sync_id in ids[::3]:
        made.finish_sync(sync_id, 2_000)
    made.fail_sync(ids[1], 2_000, "aborted")
    rows = []
    for number in range(_UPLOADS):
        is_failed = dice.random() < 0.02
        rows.append(
            UploadRow(
                # For a while one sync alone, then a crowd: blocks with and without a sync.
                ids[0] if 1_000 < number < 3_500 else dice.choice(ids),
                dice.choice(_PATHS),
                f"part-{number % 100}{dice.choice(_ODD_TEXTS).replace('/', '')}.csv",
                number,
                "" if is_failed else f"{number:064x}",
                number // 4 + dice.randrange(50),
                number,
                SyncStatus.FAILED if is_failed else SyncStatus.FINISHED,
                "cut" if is_failed else "",
                number * 1_000_000,
                dice.choice(["", "ben"]),
            )
        )
    made.add_finished_uploads(rows)
    made.begin_upload(ids[2], Destination(LakePath.parse("/data/x"), "late.bin"), 1_300)
    yield made
    made.close()


WANTED = st.builds(
    Wanted,
    sync_id=st.none() | st.sampled_from([1, 1, 2, 3, 39, 99]),
    status=st.none() | st.sampled_from(SyncStatus),
    sync_type=st.none() | st.sampled_from(SyncType),
    since_ms=st.none() | st.integers(0, 1_400),
    until_ms=st.none() | st.integers(0, 1_400),
    text=st.none() | st.sampled_from(_ODD_TEXTS),
    within=st.none() | st.sampled_from([LakePath.parse(path) for path in _PATHS]),
)
PAGES = st.tuples(st.sampled_from([0, 1, 7, 1_000, 1_025, 4_990, 10_000]), st.integers(0, 40))


def _matches(wanted: Wanted, status: SyncStatus, began_ms: int, path: str, *texts: str) -> bool:
    return (
        (wanted.status is None or status is wanted.status)
        and (wanted.since_ms is None or began_ms >= wanted.since_ms)
        and (wanted.until_ms is None or began_ms < wanted.until_ms)
        and (wanted.within is None or wanted.within.holds(LakePath.parse(path)))
        and (wanted.text is None or any(wanted.text.lower() in text.lower() for text in texts))
    )


def _syncs_walked(catalog: SqlCatalog, wanted: Wanted) -> list[int]:
    return [
        job.sync_id
        for job in reversed(catalog.sync_jobs(0, 10_000))
        if _matches(wanted, job.sync_status, job.start_time, job.path, job.name, job.path)
        and wanted.sync_id in (None, job.sync_id)
        and wanted.sync_type in (None, job.sync_type)
    ]


def _uploads_walked(catalog: SqlCatalog, wanted: Wanted) -> list[int]:
    types = {job.sync_id: job.sync_type for job in catalog.sync_jobs(0, 10_000)}
    with catalog.reading() as db:
        rows = db.exec_driver_sql("SELECT * FROM uploads ORDER BY history_id DESC").all()
    return [
        row.history_id
        for row in rows
        if _matches(
            wanted,
            SyncStatus(row.status),
            row.started_at_ms,
            row.folder,
            f"{row.folder}/{row.file_name}",
        )
        and wanted.sync_id in (None, row.sync_id)
        and wanted.sync_type in (None, types[row.sync_id])
    ]


def _sync_id(row: SyncDetails) -> int:
    return row.job.sync_id


def _history_id(row: UploadDetails) -> int:
    return row.record.history_id


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=WANTED, page=PAGES)
def test_a_page_of_uploads_is_that_of_a_plain_walk(
    catalog: SqlCatalog, wanted: Wanted, page: tuple[int, int]
) -> None:
    offset, limit = page
    walked = _uploads_walked(catalog, wanted)
    found = catalog.find_uploads(wanted, Page(limit, offset))
    assert found.total == len(walked)
    assert [_history_id(row) for row in found.rows] == walked[offset : offset + limit]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=WANTED, page=PAGES)
def test_a_page_of_syncs_is_that_of_a_plain_walk(
    catalog: SqlCatalog, wanted: Wanted, page: tuple[int, int]
) -> None:
    offset, limit = page
    walked = _syncs_walked(catalog, wanted)
    found = catalog.find_syncs(wanted, Page(limit, offset))
    assert found.total == len(walked)
    assert [_sync_id(row) for row in found.rows] == walked[offset : offset + limit]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=WANTED, limit=st.sampled_from([1, 37, 1_000]))
def test_following_the_cursor_meets_each_upload_once(
    catalog: SqlCatalog, wanted: Wanted, limit: int
) -> None:
    walked = _uploads_walked(catalog, wanted)[: limit * 20]
    met: list[int] = []
    before: int | None = None
    for number in range(20):
        found = catalog.find_uploads(wanted, Page(limit, before=before))
        assert (found.total is None) == (number > 0)
        met += [_history_id(row) for row in found.rows]
        before = found.next_before
        if before is None:
            break
    assert met == walked


def test_the_cursor_of_the_last_page_leads_nowhere(catalog: SqlCatalog) -> None:
    assert catalog.find_uploads(Wanted(), Page(10, before=11)).next_before is None
    assert catalog.find_uploads(Wanted(), Page(10, before=12)).next_before == 2
    assert catalog.find_syncs(Wanted(), Page(10, before=1)).rows == []


def test_a_row_tells_folder_size_digest_time_and_key(catalog: SqlCatalog) -> None:
    [late, row] = catalog.find_uploads(Wanted(), Page(2)).rows
    assert (late.record.file_name, late.size, late.sha256, late.mtime) == ("late.bin", 0, "", 0)
    number = _UPLOADS - 1
    assert (row.size, row.sha256, row.mtime) == (number, f"{number:064x}", number)
    assert row.folder in _PATHS
    keys = {row.key_name for row in catalog.find_uploads(Wanted(), Page(100)).rows}
    assert keys == {"", "ben"}
    aborted = catalog.find_syncs(Wanted(sync_id=2), Page(1)).rows[0]
    assert (aborted.message, aborted.job.sync_status) == ("aborted", SyncStatus.FAILED)


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        (Wanted(), Page(10, 900_000)),
        (Wanted(sync_id=1), Page(10, 1_500)),
        (Wanted(status=SyncStatus.FINISHED), Page(10, 4_000)),
        (Wanted(sync_id=1, status=SyncStatus.FAILED), Page(10)),
        (Wanted(since_ms=300, until_ms=900), Page(10, 1_000)),
        (Wanted(sync_id=1), Page(10, before=2_000)),
    ],
)
def test_no_search_without_a_text_walks_over_the_uploads(
    catalog: SqlCatalog, wanted: Wanted, page: Page
) -> None:
    """Counted in rows that SQLite steps over, not in time: a page, and two blocks at most."""
    steps = _steps_of(catalog, lambda: catalog.find_uploads(wanted, page))
    assert steps < 60_000 < _steps_of(catalog, lambda: _uploads_walked(catalog, wanted))


def _steps_of(catalog: SqlCatalog, work: Callable[[], object]) -> int:
    """Instructions of SQLite's machine, to the next hundred, on any connection of the pool."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 100
        return 0

    with catalog.reading() as db:
        raw = db.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(count, 100)
    try:
        work()
    finally:
        with catalog.reading() as db:
            raw = db.connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(None, 100)
    return steps


def test_an_empty_catalog_has_nothing(tmp_path: Path) -> None:
    made = open_catalog(str(tmp_path / "catalog.db"))
    for wanted in (Wanted(), Wanted(text="x"), Wanted(status=SyncStatus.FAILED)):
        assert made.find_uploads(wanted, Page(10)).total == 0
        assert made.find_syncs(wanted, Page(10)).rows == []
    made.close()

"""Syncs and uploads by what is wanted of them: the same as a plain walk over all rows finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, func, select

from embedded_server.catalog.opening import open_catalog
from embedded_server.catalog.searches import Searches
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.tables import syncs, uploads
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Page, Wanted
from embedded_server.domain.upload import Destination, UploadRow
from tests.support.sqlite_steps import steps_of

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
        (Wanted(text="part-1"), Page(10, 1_100)),
        (Wanted(text="part-1", sync_id=1, until_ms=900), Page(10, 400)),
        (Wanted(within=LakePath.parse("/data/x")), Page(10, 1_500)),
        (Wanted(sync_type=SyncType.FULL, status=SyncStatus.FINISHED), Page(10, 1_500)),
    ],
)
def test_no_search_walks_over_the_uploads_twice(
    catalog: SqlCatalog, wanted: Wanted, page: Page
) -> None:
    """Counted in rows that SQLite steps over, not in time: a page, and two blocks at most."""
    catalog.find_uploads(wanted, Page(1))
    steps = steps_of(catalog, lambda: catalog.find_uploads(wanted, page))
    assert steps < 60_000 < steps_of(catalog, lambda: _uploads_walked(catalog, wanted))


def test_status_and_time_need_no_walk_of_their_own(catalog: SqlCatalog) -> None:
    catalog.find_uploads(Wanted(text="part-2"), Page(1))
    narrower = Wanted(text="part-2", status=SyncStatus.FINISHED, since_ms=200, until_ms=900)
    assert steps_of(catalog, lambda: catalog.find_uploads(narrower, Page(10, 400))) < 60_000


def test_the_calls_of_a_bound_key_do_not_walk_to_a_far_page(catalog: SqlCatalog) -> None:
    within = LakePath.parse("/data/x")
    catalog.upload_records(0, 1, within)
    steps = steps_of(catalog, lambda: catalog.upload_records(1_900, 10, within))
    assert steps < 60_000


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(within=st.sampled_from([LakePath.parse(path) for path in _PATHS]), page=PAGES)
def test_a_bound_key_sees_its_part_oldest_first(
    catalog: SqlCatalog, within: LakePath, page: tuple[int, int]
) -> None:
    offset, limit = page
    walked = _uploads_walked(catalog, Wanted(within=within))[::-1]
    found = catalog.upload_records(offset, limit, within)
    assert [row.history_id for row in found] == walked[offset : offset + limit]
    walked = _syncs_walked(catalog, Wanted(within=within))[::-1]
    jobs = catalog.sync_jobs(offset, limit, within)
    assert [job.sync_id for job in jobs] == walked[offset : offset + limit]


@pytest.mark.parametrize("seed", range(3))
def test_what_was_counted_is_right_after_more_has_come(tmp_path: Path, seed: int) -> None:
    """Blocks fill up, uploads end long after they began, syncs end; each search is asked often."""
    made = open_catalog(str(tmp_path / "catalog.db"))
    dice = random.Random(seed)
    searches = [
        Wanted(status=SyncStatus.FINISHED),
        Wanted(status=SyncStatus.SYNCING),
        Wanted(text="part-1"),
        Wanted(text="part-1", status=SyncStatus.FAILED),
        Wanted(sync_id=2, text="x"),
        Wanted(since_ms=500),
        Wanted(within=LakePath.parse("/data/x"), status=SyncStatus.FINISHED),
        Wanted(sync_type=SyncType.FULL),
    ]
    on_their_way: list[tuple[int, UploadRow]] = []
    number = 0
    for path_text in _PATHS[:2]:
        made.add_sync("sync x", LakePath.parse(path_text), SyncType.INCREMENTAL, 0)
    for _ in range(12):
        for _ in range(dice.choice([1, 40, 400])):
            path = LakePath.parse(dice.choice(_PATHS))
            ids = made.add_sync("sync x", path, dice.choice(list(SyncType)), number)
            if dice.random() < 0.9:
                made.finish_sync(ids, number)
        rows = [_row(dice, it) for it in range(number, number + dice.choice([1, 700, 2_500]))]
        number += len(rows)
        made.add_finished_uploads(rows)
        for _ in range(3):
            row = _row(dice, number)
            where = Destination(LakePath.parse(row.folder), row.file_name)
            on_their_way.append((made.begin_upload(row.sync_id, where, row.started_at_ms), row))
            number += 1
        for _ in range(2):
            made.finish_upload(*on_their_way.pop(dice.randrange(len(on_their_way))))
        for wanted in searches:
            walked = _uploads_walked(made, wanted)
            offset = dice.randrange(len(walked) + 1)
            found = made.find_uploads(wanted, Page(7, offset))
            assert found.total == len(walked)
            assert [_history_id(row) for row in found.rows] == walked[offset : offset + 7]
            assert made.find_syncs(wanted, Page(1)).total == len(_syncs_walked(made, wanted))
    made.close()


def _row(dice: random.Random, number: int) -> UploadRow:
    is_failed = dice.random() < 0.05
    return UploadRow(
        dice.choice([1, 1, 2]),
        dice.choice(_PATHS),
        f"part-{number}.csv",
        1,
        "",
        number // 4,
        number,
        SyncStatus.FAILED if is_failed else SyncStatus.FINISHED,
        "",
    )


def test_writers_go_on_while_a_search_is_half_way(catalog: SqlCatalog) -> None:
    """The search waits for the writer here: were it the other way round too, neither would end."""
    written: list[int] = []

    def make(row: Row[Any]) -> int:
        path = LakePath.parse("/elsewhere")
        written.append(catalog.add_sync("meanwhile", path, SyncType.INCREMENTAL, 1))
        catalog.fail_sync(written[-1], 2, "")
        return int(row.history_id)

    with catalog.reading() as db:
        db.exec_driver_sql("BEGIN")
        found = Searches().newest_first(db, uploads, Wanted(text="part-1"), Page(3), make)
        seen = db.execute(select(func.max(syncs.c.sync_id))).scalar_one()
    assert len(found.rows) == len(written) == 3
    assert seen < written[0]  # the search goes on seeing one moment


def test_an_empty_catalog_has_nothing(tmp_path: Path) -> None:
    made = open_catalog(str(tmp_path / "catalog.db"))
    for wanted in (Wanted(), Wanted(text="x"), Wanted(status=SyncStatus.FAILED)):
        assert made.find_uploads(wanted, Page(10)).total == 0
        assert made.find_syncs(wanted, Page(10)).rows == []
    made.close()

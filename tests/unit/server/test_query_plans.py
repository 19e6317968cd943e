"""SQLite takes the right index, in whatever order the indexes of a catalog were made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_server.catalog.opening import open_catalog
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.sql_origins import SqlOrigins
from embedded_server.catalog.tables import uploads
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.queries import Page, Wanted
from embedded_server.domain.upload import UploadRow
from tests.support.sqlite_steps import steps_of

_FILES, _FOLDERS = 6_000, 3
_STEPS_A_FILE = 200  # what is needed for each is a quarter of it


@pytest.fixture(scope="module", params=["first", "last"])
def catalog(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SqlCatalog]:
    """One large sync; the index of syncs was made first or last."""
    made = open_catalog(str(tmp_path_factory.mktemp("plans") / "catalog.db"))
    by_name = {str(index.name): index for index in uploads.indexes}
    names = sorted(by_name, key=lambda name: name == "uploads_of_sync")
    if request.param == "first":
        names.reverse()
    for name in names:
        made.write(lambda db, it=by_name[name]: it.drop(db))  # type: ignore[misc]
    for name in names:
        made.write(lambda db, it=by_name[name]: it.create(db))  # type: ignore[misc]
    sync_id = made.add_sync("large", LakePath(("x",)), SyncType.INCREMENTAL, 1)
    made.add_finished_uploads([_row(sync_id, number) for number in range(_FILES)])
    yield made
    made.close()


def _row(sync_id: int, number: int) -> UploadRow:
    folder, name = f"/x/{number % _FOLDERS}", f"part-{number}.csv"
    return UploadRow(sync_id, folder, name, 1, "", number, number, SyncStatus.FINISHED, "")


def test_a_manifest_reads_each_file_once(catalog: SqlCatalog) -> None:
    origins = SqlOrigins(catalog)
    rows = [row for page in origins.manifest(1) for row in page]
    assert len(rows) == _FILES
    assert steps_of(catalog, lambda: list(origins.manifest(1))) < _FILES * _STEPS_A_FILE


def test_what_is_expected_is_read_once(catalog: SqlCatalog) -> None:
    origins = SqlOrigins(catalog)
    assert len(list(origins.expected())) == _FILES
    assert steps_of(catalog, lambda: list(origins.expected())) < _FILES * _STEPS_A_FILE


def test_what_a_sync_brought_is_looked_up_by_its_place(catalog: SqlCatalog) -> None:
    origins = SqlOrigins(catalog)
    names = [f"part-{number}.csv" for number in range(0, 300, _FOLDERS)]
    assert origins.brought(1, "/x/0", [*names, "other.csv"]) == frozenset(names)
    steps = steps_of(catalog, lambda: origins.brought(1, "/x/0", names))
    assert steps < len(names) * _STEPS_A_FILE


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(within=LakePath(("x", "1"))),
        Wanted(within=LakePath(("x",)), text="part-1"),
        Wanted(sync_id=1, text="part-1"),
    ],
)
def test_a_search_passes_over_each_upload_once(catalog: SqlCatalog, wanted: Wanted) -> None:
    steps = steps_of(catalog, lambda: catalog.find_uploads(wanted, Page(1)))
    assert steps < _FILES * _STEPS_A_FILE

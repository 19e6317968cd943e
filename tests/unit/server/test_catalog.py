"""The record of syncs and uploads."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from embedded_server.catalog.opening import open_catalog
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe, LakeFault
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.upload import Destination, UploadRow
from embedded_server.settings import take_key_from
from tests.unit.server.conftest import Rooms

PATH = LakePath.parse("/data/x")


def _row(sync_id: int, name: str, status: SyncStatus = SyncStatus.FINISHED) -> UploadRow:
    return UploadRow(sync_id, "/data/x", name, 3, "ab" * 32, 10, 20, status, "")


def test_a_file_that_is_no_catalog_is_refused_in_plain_words(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    file.write_bytes(b"this is no database, and long enough to be read as one" * 50)
    with pytest.raises(CannotServe, match="cannot be used"):
        open_catalog(str(file))


def test_counters_follow_the_rows(rooms: Rooms) -> None:
    catalog = rooms.catalog
    sync_id = catalog.add_sync("s", PATH, SyncType.INCREMENTAL, 1)
    catalog.add_finished_uploads([_row(sync_id, "a"), _row(sync_id, "b", SyncStatus.FAILED)])
    running = catalog.begin_upload(sync_id, Destination(PATH, "c"), 5)
    [job] = catalog.sync_jobs(0, 10)
    assert (job.total_files, job.num_failed, job.end_time) == (3, 1, 0)
    catalog.finish_upload(running, _row(sync_id, "c", SyncStatus.FAILED))
    [job] = catalog.sync_jobs(0, 10)
    assert (job.total_files, job.num_failed) == (3, 2)


def test_counters_stay_right_when_many_finish_at_once(rooms: Rooms) -> None:
    sync_id = rooms.catalog.add_sync("s", PATH, SyncType.INCREMENTAL, 1)
    with ThreadPoolExecutor(8) as pool:
        for done in [
            pool.submit(rooms.catalog.add_finished_uploads, [_row(sync_id, f"f{number}")])
            for number in range(200)
        ]:
            done.result()
    [job] = rooms.catalog.sync_jobs(0, 10)
    assert job.total_files == 200
    records = rooms.catalog.upload_records(0, 1_000)
    assert [record.history_id for record in records] == list(range(1, 201))


def test_pages_are_ranges_and_ids_have_no_gaps(rooms: Rooms) -> None:
    sync_id = rooms.catalog.add_sync("s", PATH, SyncType.INCREMENTAL, 1)
    with pytest.raises(Exception, match="catalog failed"):
        rooms.catalog.add_finished_uploads([_row(999, "of no sync")])
    rooms.catalog.add_finished_uploads([_row(sync_id, f"f{number}") for number in range(25)])
    page = rooms.catalog.upload_records(10, 5)
    assert [record.file_name for record in page] == ["f10", "f11", "f12", "f13", "f14"]
    assert rooms.catalog.upload_records(25, 5) == []


def test_one_bad_call_does_not_fail_its_neighbours(rooms: Rooms) -> None:
    writer = rooms.catalog._writer
    first_runs, others_wait = threading.Event(), threading.Event()

    def blocking(_: Connection) -> str:
        first_runs.set()
        others_wait.wait(30)
        return "first"

    def bad(_: Connection) -> str:
        raise LookupError("bad")

    def good(db: Connection) -> int:
        return int(db.execute(text("SELECT 42")).scalar_one())

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(writer.run, blocking)
        first_runs.wait(30)
        failing, working = pool.submit(writer.run, bad), pool.submit(writer.run, good)
        others_wait.set()
        assert first.result() == "first"
        with pytest.raises(LookupError):
            failing.result()
        assert working.result() == 42


def test_readers_cannot_write(rooms: Rooms) -> None:
    with rooms.catalog.reading() as db:
        raw = db.connection.driver_connection
        assert raw is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            raw.execute("DELETE FROM uploads")


def test_uploads_that_a_stop_interrupted_are_failed_at_the_next_start(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    sync_id = rooms.start("/data/x")
    rooms.catalog.begin_upload(sync_id, Destination(PATH, "big.bin"), 5)
    (Path(rooms.layout.incoming) / "half").write_bytes(b"half")
    rooms.close()
    rooms = Rooms(lake_root)
    [record] = rooms.syncs.history(0, 10)
    assert record.sync_status == "Failed"
    assert record.message == "the server stopped before the file had arrived"
    [job] = rooms.syncs.jobs(0, 10)
    assert (job.total_files, job.num_failed, job.sync_status) == (1, 1, "Syncing")
    assert list(Path(rooms.layout.incoming).iterdir()) == []
    rooms.close()


def test_the_key_is_taken_out_of_the_environment() -> None:
    environment = {"LAKEDROP_API_KEY": "secret", "OTHER": "x"}
    key = take_key_from(environment)
    assert key is not None
    assert environment == {"OTHER": "x"}
    assert "secret" not in repr(key)
    assert key.digest == ApiKey("secret").digest != ApiKey("other").digest
    assert take_key_from({"LAKEDROP_API_KEY": ""}) is None


def test_a_call_after_the_end_is_refused_at_once_and_not_kept_waiting(rooms: Rooms) -> None:
    rooms.catalog.close()
    with ThreadPoolExecutor(1) as pool, pytest.raises(LakeFault, match="closed"):
        pool.submit(rooms.start, "/data/x").result(30)

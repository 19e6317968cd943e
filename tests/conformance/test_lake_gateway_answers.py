"""What every lake gateway refuses, reads back and promises beyond the plain contract."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest

from app.domain.errors import (
    FileRefused,
    InvalidApiKey,
    LakeDropError,
    LakeRefused,
    SyncAborted,
    SyncAlreadyEnded,
    SyncNotFound,
)
from app.domain.ports import LakeGateway, UploadReceipt
from embedded_server import contract
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.contract_extensions import EXTENSION_BROWSE
from tests.conformance.lakes import LakeUnderTest, Promise
from tests.conformance.syncs import all_jobs, published, rows_of, send, sync_of
from tests.support.contents import ignore_sent, small_file

FULL, INCREMENTAL = SyncType.FULL, SyncType.INCREMENTAL


# Refusals.


def test_a_wrong_key_is_told_as_such(lake: LakeUnderTest, path: str) -> None:
    stranger = lake.with_key("11111111-0000-0000-0000-000000000000")
    sync_id = lake.gateway.start_sync("mine", path, INCREMENTAL)
    with pytest.raises(InvalidApiKey):
        stranger.start_sync("not mine", path, INCREMENTAL)
    with pytest.raises(InvalidApiKey):
        stranger.end_sync(sync_id)
    with pytest.raises(InvalidApiKey):
        stranger.check()


def test_a_check_leaves_nothing_behind(gateway: LakeGateway) -> None:
    before = all_jobs(gateway)
    gateway.check()
    assert all_jobs(gateway) == before


def test_a_sync_that_never_was_is_not_found(gateway: LakeGateway, path: str) -> None:
    with pytest.raises(SyncNotFound):
        send(gateway, 987_654, path, "a.csv")
    with pytest.raises(SyncNotFound):
        gateway.end_sync(987_654)


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_sync_that_ended_takes_nothing_more(
    lake: LakeUnderTest, path: str, mode: SyncType
) -> None:
    sync_id = sync_of(lake.gateway, path, mode, {"a.csv": b"1"})
    with pytest.raises(SyncAlreadyEnded):
        send(lake.gateway, sync_id, path, "late.csv")
    with pytest.raises(SyncAlreadyEnded):
        lake.gateway.end_sync(sync_id)
    assert published(lake, path) == {"a.csv": b"1"}


def test_a_folder_outside_the_sync_is_refused(lake: LakeUnderTest, path: str) -> None:
    sync_id = lake.gateway.start_sync("outside", path, INCREMENTAL)
    before = lake.published()
    for folder in ("/data/elsewhere", f"{path}x", f"{path}/../other"):
        with pytest.raises(LakeRefused):
            send(lake.gateway, sync_id, folder, "a.csv")
    assert lake.published() == before


@pytest.mark.parametrize("name", ["..", ".", "a/b.csv", "../a.csv"])
def test_a_hostile_name_is_refused_and_nothing_is_written(
    lake: LakeUnderTest, path: str, name: str
) -> None:
    sync_id = lake.gateway.start_sync("hostile", path, INCREMENTAL)
    before = lake.published()
    with pytest.raises(FileRefused):
        send(lake.gateway, sync_id, path, name)
    assert lake.published() == before


# Reading back.


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_the_list_tells_a_sync_while_it_runs_and_when_it_ended(
    gateway: LakeGateway, path: str, mode: SyncType
) -> None:
    sync_id = sync_of(gateway, path, mode, {"a.csv": b"1", "b.csv": b"2"}, end=False)
    running = all_jobs(gateway)[-1]
    assert (running.sync_id, running.name, running.path) == (sync_id, "a sync", path)
    assert (running.sync_type, running.sync_status) == (mode, SyncStatus.SYNCING)
    assert running.end_time == 0
    gateway.end_sync(sync_id)
    ended = all_jobs(gateway)[-1]
    assert (ended.sync_id, ended.sync_status) == (sync_id, SyncStatus.FINISHED)
    assert (ended.total_files, ended.num_failed) == (2, 0)
    assert ended.end_time >= ended.start_time == running.start_time > 1_600_000_000_000


def test_the_history_has_a_row_for_each_upload(gateway: LakeGateway, path: str) -> None:
    sync_id = sync_of(gateway, path, INCREMENTAL, {"a.csv": b"1", "below/b.csv": b"2"})
    rows = rows_of(gateway, sync_id)
    assert [row.file_name for row in rows] == ["a.csv", "b.csv"]
    assert [row.sync_status for row in rows] == [SyncStatus.FINISHED] * 2
    assert all(row.end_time >= row.start_time > 1_600_000_000_000 for row in rows)


def test_pages_are_in_order_without_gaps_and_end(gateway: LakeGateway, path: str) -> None:
    for number in range(3):
        sync_of(gateway, f"{path}/{number}", INCREMENTAL, {"a.csv": b"1", "b.csv": b"2"})
    jobs, rows = all_jobs(gateway), gateway.history(0, 1000)
    job_ids = [job.sync_id for job in jobs]
    row_ids = [row.history_id for row in rows]
    assert job_ids == sorted(set(job_ids))
    assert row_ids == sorted(set(row_ids))
    last = len(jobs) - 2
    assert [job.sync_id for job in gateway.sync_jobs(last, 5)] == job_ids[last:]
    assert [row.history_id for row in gateway.history(1, 2)] == row_ids[1:3]
    assert gateway.sync_jobs(len(jobs), 10) == []
    assert gateway.history(len(rows), 10) == []


# What only some promise.


def test_capabilities_name_what_is_promised(lake: LakeUnderTest) -> None:
    capabilities = lake.gateway.capabilities()
    if not lake.promises:
        assert capabilities is None
        return
    assert capabilities is not None
    for promise, extension in (
        (Promise.DIGEST, contract.EXTENSION_DIGEST),
        (Promise.BATCH, contract.EXTENSION_BATCH),
        (Promise.USAGE, contract.EXTENSION_USAGE),
        (Promise.BROWSE, EXTENSION_BROWSE),
    ):
        assert (promise in lake.promises) == (extension in capabilities.extensions)


def test_an_upload_is_answered_by_the_digest_of_what_was_stored(
    lake: LakeUnderTest, path: str
) -> None:
    data = random.Random(8).randbytes(70_000)
    sync_id = lake.gateway.start_sync("digest", path, FULL)
    receipt = send(lake.gateway, sync_id, path, "a.bin", data)
    if Promise.DIGEST in lake.promises:
        assert receipt == UploadReceipt(hashlib.sha256(data).hexdigest(), len(data))
    else:
        assert receipt == UploadReceipt(None, None)


def test_usage_counts_what_is_published_below_a_path(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, path, INCREMENTAL, {"a.csv": b"12345", "below/b.csv": b"678"})
    usage = lake.gateway.usage(path)
    nothing = lake.gateway.usage(f"{path}/not/there")
    if Promise.USAGE not in lake.promises:
        assert usage is None
        assert nothing is None
        return
    assert usage is not None
    assert nothing is not None
    assert (usage.path, usage.files, usage.bytes) == (path, 2, 8)
    assert (nothing.files, nothing.bytes) == (0, 0)


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_folder_is_listed_with_the_digests_of_what_came(
    lake: LakeUnderTest, path: str, mode: SyncType
) -> None:
    files = {"Bán.csv": b"12345", "b.csv": b"678", "below/c.csv": b"9"}
    sync_of(lake.gateway, path, mode, files)
    page = lake.gateway.entries(path, 0, 10)
    if Promise.BROWSE not in lake.promises:
        assert page is None
        return
    assert page is not None
    told = {row.name: (row.kind, row.size, row.sha256, row.changed) for row in page.rows}
    assert told == {
        "below": ("folder", 0, "", False),
        **{
            name: ("file", len(files[name]), hashlib.sha256(files[name]).hexdigest(), False)
            for name in ("Bán.csv", "b.csv")
        },
    }
    assert page.total == 3
    parts = [lake.gateway.entries(path, at, 2) for at in (0, 2, 4)]
    assert [part.total for part in parts if part] == [3, 3, 3]
    assert tuple(row for part in parts if part for row in part.rows) == page.rows
    nothing = lake.gateway.entries(f"{path}/not/there", 0, 10)
    assert nothing is not None
    assert (nothing.total, nothing.rows) == (0, ())


def test_a_file_that_somebody_changed_behind_the_server_is_told_as_changed(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.BROWSE)
    sync_of(lake.gateway, path, INCREMENTAL, {"a.csv": b"12345", "b.csv": b"678"})
    lake.change_behind(f"{path}/a.csv", b"54321")
    page = lake.gateway.entries(path, 0, 10)
    assert page is not None
    assert [(row.name, row.size, row.changed) for row in page.rows] == [
        ("a.csv", 5, True),
        ("b.csv", 3, False),
    ]


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_batch_stores_each_of_its_files(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None], mode: SyncType
) -> None:
    needs(Promise.BATCH)
    files = [
        small_file(path, "a.csv", b"1"),
        small_file(f"{path}/Tháng 12/100%", "a.csv", b"2"),
        small_file(path, "báo cáo 📈.csv", b"\r\n--\r\n" * 1000),
        small_file(path, "empty", b""),
    ]
    sync_id = lake.gateway.start_sync("batch", path, mode)
    sent: list[int] = []
    outcomes = lake.gateway.upload_batch(sync_id, files, sent.append)
    lake.gateway.end_sync(sync_id)
    assert outcomes == [UploadReceipt(file.sha256, len(file.content)) for file in files]
    assert sum(sent) == sum(len(file.content) for file in files)
    assert published(lake, path) == {
        f"{file.folder}/{file.name}".removeprefix(f"{path}/"): file.content for file in files
    }
    # Files of one batch may arrive in any order: nothing in the contract speaks of it.
    assert sorted(row.file_name for row in rows_of(lake.gateway, sync_id)) == sorted(
        file.name for file in files
    )


def test_one_bad_file_of_a_batch_does_not_harm_the_others(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.BATCH)
    good = small_file(path, "good.csv", b"1")
    outside = small_file("/data/elsewhere", "outside.csv", b"2")
    damaged = small_file(path, "damaged.csv", b"3")
    damaged = type(damaged)(damaged.folder, damaged.name, b"not 3", damaged.sha256)
    also_good = small_file(path, "also_good.csv", b"4")
    sync_id = lake.gateway.start_sync("batch", path, INCREMENTAL)
    outcomes = lake.gateway.upload_batch(sync_id, [good, outside, damaged, also_good], ignore_sent)
    lake.gateway.end_sync(sync_id)
    assert outcomes[0] == UploadReceipt(good.sha256, 1)
    assert isinstance(outcomes[1], FileRefused)
    assert isinstance(outcomes[2], LakeDropError)
    assert outcomes[3] == UploadReceipt(also_good.sha256, 1)
    assert published(lake, path) == {"good.csv": b"1", "also_good.csv": b"4"}


def test_a_batch_for_an_ended_or_unknown_sync_is_refused_as_a_whole(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.BATCH)
    file = small_file(path, "late.csv", b"1")
    ended = sync_of(lake.gateway, path, INCREMENTAL, {})
    with pytest.raises(SyncAlreadyEnded):
        lake.gateway.upload_batch(ended, [file], ignore_sent)
    with pytest.raises(SyncNotFound):
        lake.gateway.upload_batch(987_654, [file], ignore_sent)
    assert published(lake, path) == {}


# A start that comes again, and syncs that are given up.


def test_a_start_that_comes_again_is_the_same_sync(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.ONCE)
    first, other = f"{path[1:]}-1".replace("/", "-"), f"{path[1:]}-2".replace("/", "-")
    ids = [lake.gateway.start_sync("once", path, FULL, once) for once in (first, first, other)]
    assert ids[0] == ids[1] != ids[2]
    assert lake.gateway.start_sync("once", path, FULL) not in ids


def test_a_server_that_knows_no_key_of_a_start_begins_another(
    lake: LakeUnderTest, path: str
) -> None:
    if Promise.ONCE in lake.promises:
        pytest.skip("this lake knows it")
    assert len({lake.gateway.start_sync("once", path, FULL, "k") for _ in range(2)}) == 2


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_an_aborted_sync_takes_nothing_more(
    lake: LakeUnderTest, path: str, mode: SyncType, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.ABORT)
    sync_of(lake.gateway, path, INCREMENTAL, {"old.csv": b"old"})
    sync_id = sync_of(lake.gateway, path, mode, {"new.csv": b"new"}, end=False)
    assert [lake.gateway.abort_sync(sync_id) for _ in range(2)] == [True, True]
    with pytest.raises(SyncAborted):
        send(lake.gateway, sync_id, path, "late.csv")
    with pytest.raises(SyncAborted):
        lake.gateway.end_sync(sync_id)
    stays = {} if mode is FULL else {"new.csv": b"new"}
    assert published(lake, path) == {"old.csv": b"old", **stays}
    [job] = [job for job in all_jobs(lake.gateway) if job.sync_id == sync_id]
    assert job.sync_status == "Failed"


def test_an_ended_sync_cannot_be_aborted(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.ABORT)
    sync_id = sync_of(lake.gateway, path, FULL, {"a.csv": b"1"})
    with pytest.raises(SyncAlreadyEnded):
        lake.gateway.abort_sync(sync_id)
    with pytest.raises(SyncNotFound):
        lake.gateway.abort_sync(987_654)
    assert published(lake, path) == {"a.csv": b"1"}


def test_where_a_sync_cannot_be_aborted_it_goes_on(lake: LakeUnderTest, path: str) -> None:
    if Promise.ABORT in lake.promises:
        pytest.skip("this lake can")
    sync_id = lake.gateway.start_sync("s", path, INCREMENTAL)
    assert lake.gateway.abort_sync(sync_id) is False
    send(lake.gateway, sync_id, path, "a.csv", b"1")
    lake.gateway.end_sync(sync_id)
    assert published(lake, path) == {"a.csv": b"1"}

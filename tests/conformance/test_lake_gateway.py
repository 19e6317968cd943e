"""What every lake gateway does with files, whatever stands behind it."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.errors import (
    Cancelled,
    FileRefused,
    SourceChanged,
)
from embedded_server.contract import SyncType
from tests.conformance.lakes import LakeUnderTest, Promise
from tests.conformance.syncs import published, rows_of, send, sync_of
from tests.support.contents import BytesContent, ignore_sent

FULL, INCREMENTAL = SyncType.FULL, SyncType.INCREMENTAL


# Full and incremental syncs.


def test_an_incremental_sync_adds_to_what_is_there(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, path, INCREMENTAL, {"a.csv": b"old"})
    sync_of(lake.gateway, path, INCREMENTAL, {"b.csv": b"new"})
    assert published(lake, path) == {"a.csv": b"old", "b.csv": b"new"}


def test_a_full_sync_is_seen_all_at_once_at_its_end(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, path, FULL, {"a.csv": b"old", "below/c.csv": b"old too"})
    sync_id = sync_of(lake.gateway, path, FULL, {"b.csv": b"new", "x/y.csv": b"2"}, end=False)
    assert published(lake, path) == {"a.csv": b"old", "below/c.csv": b"old too"}
    lake.gateway.end_sync(sync_id)
    assert published(lake, path) == {"b.csv": b"new", "x/y.csv": b"2"}


def test_a_full_sync_leaves_its_neighbours_alone(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, f"{path}_2", INCREMENTAL, {"a.csv": b"mine"})
    sync_of(lake.gateway, path, FULL, {"a.csv": b"1"})
    sync_of(lake.gateway, path, FULL, {"a.csv": b"2"})
    assert published(lake, f"{path}_2") == {"a.csv": b"mine"}


def test_a_full_sync_without_files_leaves_its_path_empty(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, path, FULL, {"a.csv": b"old"})
    sync_of(lake.gateway, path, FULL, {})
    assert published(lake, path) == {}


def test_an_abandoned_full_sync_is_never_published(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.OWN_STAGING)
    sync_of(lake.gateway, path, FULL, {"abandoned.csv": b"1"}, end=False)
    sync_of(lake.gateway, path, FULL, {"b.csv": b"2"})
    assert published(lake, path) == {"b.csv": b"2"}


def test_a_plain_server_publishes_an_abandoned_full_sync_with_the_next(
    lake: LakeUnderTest, path: str
) -> None:
    if Promise.OWN_STAGING in lake.promises:
        pytest.skip("this lake does not have the public backend's trap")
    sync_of(lake.gateway, path, FULL, {"abandoned.csv": b"1"}, end=False)
    sync_of(lake.gateway, path, FULL, {"b.csv": b"2"})
    assert published(lake, path) == {"abandoned.csv": b"1", "b.csv": b"2"}


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_name_that_exists_is_replaced(lake: LakeUnderTest, path: str, mode: SyncType) -> None:
    sync_id = lake.gateway.start_sync("twice", path, mode)
    send(lake.gateway, sync_id, path, "a.csv", b"first")
    send(lake.gateway, sync_id, path, "a.csv", b"second")
    lake.gateway.end_sync(sync_id)
    assert published(lake, path) == {"a.csv": b"second"}


def test_what_was_replaced_is_in_the_trash(
    lake: LakeUnderTest, path: str, needs: Callable[[Promise], None]
) -> None:
    needs(Promise.TRASH)
    first, second = f"first of {path}".encode(), f"second of {path}".encode()
    sync_of(lake.gateway, path, INCREMENTAL, {"a.csv": first})
    sync_of(lake.gateway, path, INCREMENTAL, {"a.csv": second})
    sync_of(lake.gateway, path, FULL, {"b.csv": b"3"})
    assert {first, second} <= set(lake.trashed())


# Files.


def test_folders_below_the_path_are_kept(lake: LakeUnderTest, path: str) -> None:
    files = {"a.csv": b"1", "2021/a.csv": b"2", "2021/12/06/a.csv": b"3"}
    sync_of(lake.gateway, path, INCREMENTAL, files)
    assert published(lake, path) == files


def test_an_empty_file_arrives(lake: LakeUnderTest, path: str) -> None:
    sync_of(lake.gateway, path, INCREMENTAL, {"_SUCCESS": b""})
    assert published(lake, path) == {"_SUCCESS": b""}


@pytest.mark.parametrize(
    "name",
    [
        "Doanh thu quý 4 năm 2021.csv",
        "📈 sales.parquet",
        "ts=10%3A00.csv",
        "100%.csv",
        "it's.csv",
        "a+b&c=d;e,f#g.csv",
        "données (1) [2].csv",
        "no_extension",
    ],
)
@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_a_name_arrives_as_it_is(lake: LakeUnderTest, path: str, name: str, mode: SyncType) -> None:
    files = {name: b"in the root", f"{name} below/{name}": b"below"}
    sync_id = sync_of(lake.gateway, path, mode, files)
    assert published(lake, path) == files
    assert [row.file_name for row in rows_of(lake.gateway, sync_id)] == [name, name]


def test_a_double_quote_in_a_name_arrives_or_is_refused(lake: LakeUnderTest, path: str) -> None:
    # Windows knows no such name, so a lake that must live everywhere may refuse it.
    sync_id = lake.gateway.start_sync("quotes", path, INCREMENTAL)
    try:
        send(lake.gateway, sync_id, path, 'say "hi".csv', b"1")
    except FileRefused:
        assert published(lake, path) == {}
    else:
        assert published(lake, path) == {'say "hi".csv': b"1"}


def test_a_file_of_many_pieces_arrives_byte_by_byte_and_is_counted(
    lake: LakeUnderTest, path: str
) -> None:
    data = random.Random(7).randbytes(5 * 1024 * 1024 + 3)
    sync_id = lake.gateway.start_sync("big", path, INCREMENTAL)
    sent: list[int] = []
    lake.gateway.upload(sync_id, path, "big.bin", BytesContent(data), sent.append)
    lake.gateway.end_sync(sync_id)
    assert published(lake, path)["big.bin"] == data
    assert sum(sent) == len(data)
    assert all(sent)


def test_bytes_that_look_like_a_form_arrive_as_they_are(lake: LakeUnderTest, path: str) -> None:
    data = b'\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n--x--\r\n\r\n--\r\n'
    sync_of(lake.gateway, path, INCREMENTAL, {"form.bin": data})
    assert published(lake, path) == {"form.bin": data}


def test_eight_threads_may_share_a_gateway(lake: LakeUnderTest, path: str) -> None:
    files = {f"part-{number}.csv": f"row {number}".encode() * 500 for number in range(64)}
    sync_id = lake.gateway.start_sync("many", path, FULL)

    def upload(name: str) -> None:
        send(lake.gateway, sync_id, path, name, files[name])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload, files))
    lake.gateway.end_sync(sync_id)
    assert published(lake, path) == files
    assert len(rows_of(lake.gateway, sync_id)) == 64


def test_what_the_content_raises_comes_through_and_nothing_is_published(
    lake: LakeUnderTest, path: str
) -> None:
    sync_id = lake.gateway.start_sync("cut", path, INCREMENTAL)
    content = BytesContent(bytes(3_000_000), error=Cancelled("stop"), error_after_bytes=1)
    with pytest.raises(Cancelled, match="stop"):
        lake.gateway.upload(sync_id, path, "half.bin", content, ignore_sent)
    assert published(lake, path) == {}
    send(lake.gateway, sync_id, path, "whole.bin", b"1")  # and the gateway lives on
    assert published(lake, path) == {"whole.bin": b"1"}


@pytest.mark.parametrize("told_bytes", [99, 101])
def test_a_content_of_another_length_than_told_is_not_published(
    lake: LakeUnderTest, path: str, told_bytes: int
) -> None:
    sync_id = lake.gateway.start_sync("shrunk", path, INCREMENTAL)
    content = BytesContent(bytes(100), size_bytes=told_bytes)
    with pytest.raises(SourceChanged):
        lake.gateway.upload(sync_id, path, "odd.bin", content, ignore_sent)
    assert published(lake, path) == {}

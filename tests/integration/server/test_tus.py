"""Resumable uploads (tus 1.0.0) over real sockets: the protocol's own words, line by line."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support.observed_disk import tree
from tests.support.real_server import RealServer
from tests.support.tus import OFFSET_TYPE, TUS, begin, checksum, metadata, offset_of, send
from tests.support.window.waiting import until

DATA = os.urandom(300_000)


def partial_files(client: Client) -> list[Path]:
    return list((client.server.lake / ".lakedrop/partial").iterdir())


def test_a_file_sent_in_pieces_is_published_by_the_last_one(client: Client) -> None:
    sync_id = client.started()
    where = begin(client.http, sync_id, "bảng.csv", len(DATA), path=f"{client.path}/năm 2026")
    assert offset_of(client.http, where) == 0
    first = send(client.http, where, 0, DATA[:100_000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100000")
    assert "Upload-Expires" in first.headers
    assert client.published() == {}
    [row] = client.history_of(sync_id)
    assert (row["file_name"], row["sync_status"]) == ("bảng.csv", "Syncing")
    last = send(client.http, where, 100_000, DATA[100_000:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(DATA)))
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert last.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert client.published() == {"năm 2026/bảng.csv": DATA}
    [row] = client.history_of(sync_id)
    assert row["sync_status"] == "Finished"
    assert partial_files(client) == []
    # Its answer may be lost: whoever asks is told that all of it is there, and may say so again.
    assert offset_of(client.http, where) == len(DATA)
    assert send(client.http, where, len(DATA), b"").status_code == 204
    assert client.end(sync_id).json() == {"success": True}
    assert client.job(sync_id)["total_files"] == 1


def test_options_tells_what_is_spoken(client: Client) -> None:
    answer = client.http.options(contract.TUS_ROUTE)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
    said = "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["Tus-Extension"] == said
    assert int(answer.headers["Tus-Max-Size"]) == 16 << 40


def test_creation_may_bring_the_first_bytes_or_all(client: Client) -> None:
    sync_id = client.started()
    made = client.http.post(
        contract.TUS_ROUTE,
        params={"sync_id": sync_id},
        headers=TUS | OFFSET_TYPE | {"Upload-Length": "10", **metadata(filename="part")},
        content=b"01234",
    )
    assert (made.status_code, made.headers["Upload-Offset"]) == (201, "5")
    assert send(client.http, made.headers["Location"], 5, b"56789").status_code == 204
    whole = client.http.post(
        contract.TUS_ROUTE,
        headers=TUS
        | OFFSET_TYPE
        | {"Upload-Length": "3"}
        | metadata(filename="whole", sync_id=str(sync_id)),
        content=b"abc",
    )
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, "3")
    assert begin(client.http, sync_id, "empty", 0)
    assert client.published() == {"part": b"0123456789", "whole": b"abc", "empty": b""}


def test_head_tells_length_metadata_and_may_not_be_cached(client: Client) -> None:
    where = begin(client.http, client.started(), "a", 7)
    told = client.http.head(where, headers=TUS)
    assert told.status_code == 200
    assert (told.headers["Upload-Length"], told.headers["Upload-Offset"]) == ("7", "0")
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["Upload-Metadata"].startswith("filename ")


def test_a_wrong_offset_is_told_and_changes_nothing(client: Client) -> None:
    where = begin(client.http, client.started(), "a", 10)
    assert send(client.http, where, 0, b"0123").status_code == 204
    for wrong in (0, 3, 5, 10):
        answer = send(client.http, where, wrong, b"x")
        assert answer.status_code == 409, answer.text
        assert "4 bytes" in answer.json()["message"]
    assert send(client.http, where, 4, b"456789").status_code == 204
    assert client.published() == {"a": b"0123456789"}


def test_more_bytes_than_announced_are_refused(client: Client) -> None:
    where = begin(client.http, client.started(), "a", 3)
    assert send(client.http, where, 0, b"0123").status_code == 413
    assert offset_of(client.http, where) == 0
    assert send(client.http, where, 0, b"012").status_code == 204
    assert client.published() == {"a": b"012"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_bytes_count_only_with_the_checksum_they_came_with(client: Client, algorithm: str) -> None:
    where = begin(client.http, client.started(), "a", 8)
    wrong = send(client.http, where, 0, b"0123", checksum(algorithm, b"9999"))
    assert wrong.status_code == 460
    assert offset_of(client.http, where) == 0
    assert send(client.http, where, 0, b"0123", checksum(algorithm, b"0123")).status_code == 204
    assert send(client.http, where, 4, b"4567", checksum(algorithm, b"xxxx")).status_code == 460
    assert client.published() == {}
    assert send(client.http, where, 4, b"4567", checksum(algorithm, b"4567")).status_code == 204
    assert client.published() == {"a": b"01234567"}


def test_the_digest_of_rfc_9530_is_checked_as_the_checksum_is(client: Client) -> None:
    def of(data: bytes) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {"Content-Digest": f"sha-256=:{digest}:"}

    where = begin(client.http, client.started(), "a", 4)
    assert send(client.http, where, 0, b"0123", of(b"9999")).status_code == 460
    both = of(b"0123") | checksum("sha256", b"0123")
    assert send(client.http, where, 0, b"0123", both).status_code == 400
    unreadable = {"Content-Digest": "sha-256=0123"}
    assert send(client.http, where, 0, b"0123", unreadable).status_code == 400
    assert offset_of(client.http, where) == 0
    assert send(client.http, where, 0, b"0123", of(b"0123")).status_code == 204
    assert client.published() == {"a": b"0123"}


@pytest.mark.parametrize("said", ["md5 AAAA", "sha256 !!!", "sha256 QUJD", "sha256"])
def test_a_checksum_that_cannot_be_checked_is_refused(client: Client, said: str) -> None:
    where = begin(client.http, client.started(), "a", 8)
    assert send(client.http, where, 0, b"0123", {"Upload-Checksum": said}).status_code == 400
    assert offset_of(client.http, where) == 0


def test_a_file_that_is_not_the_promised_one_is_not_published(client: Client) -> None:
    sync_id = client.started()
    right = hashlib.sha256(b"0123").hexdigest()
    where = begin(client.http, sync_id, "a", 4, sha256=right)
    assert send(client.http, where, 0, b"9999").status_code == 460
    assert client.http.head(where, headers=TUS).status_code == 410
    assert (client.published(), partial_files(client)) == ({}, [])
    [row] = client.history_of(sync_id)
    assert row["sync_status"] == "Failed"
    again = begin(client.http, sync_id, "a", 4, sha256=right.upper())
    assert send(client.http, again, 0, b"0123").status_code == 204
    assert client.published() == {"a": b"0123"}


def test_a_deleted_upload_is_gone(client: Client) -> None:
    sync_id = client.started()
    where = begin(client.http, sync_id, "a", 10)
    send(client.http, where, 0, b"0123")
    assert client.http.delete(where, headers=TUS).status_code == 204
    assert client.http.head(where, headers=TUS).status_code == 410
    assert send(client.http, where, 4, b"x").status_code == 410
    assert partial_files(client) == []
    [row] = client.history_of(sync_id)
    assert (row["sync_status"], row["message"]) == ("Failed", "the client deleted the upload")


def test_the_end_of_a_sync_leaves_unfinished_uploads_out(client: Client) -> None:
    sync_id = client.started()
    done = begin(client.http, sync_id, "done", 4)
    send(client.http, done, 0, b"done")
    half = begin(client.http, sync_id, "half", 8)
    send(client.http, half, 0, b"half")
    assert client.end(sync_id).json() == {"success": True}
    assert client.published() == {"done": b"done"}
    assert partial_files(client) == []
    late = send(client.http, half, 4, b"late")
    assert late.status_code == 410
    assert "sync was over" in late.json()["message"]
    refused = client.http.post(
        contract.TUS_ROUTE,
        params={"sync_id": sync_id},
        headers=TUS | {"Upload-Length": "1"} | metadata(filename="b"),
    )
    assert refused.status_code == 400
    assert refused.json()["message"] == contract.JOB_ALREADY_ENDED


def test_a_full_sync_takes_resumable_files_at_its_end(client: Client) -> None:
    sync_id = client.started("FullSync")
    where = begin(client.http, sync_id, "a", 4, path=f"{client.path}/sub")
    send(client.http, where, 0, b"full")
    assert client.published() == {}
    assert client.end(sync_id).json() == {"success": True}
    assert client.published() == {"sub/a": b"full"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1_0"}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Length": str(1 << 60)}, 413),
        ({"Upload-Defer-Length": "1"}, 400),
        ({"Upload-Length": "1", "Upload-Concat": "partial"}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename ???"}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename YS5é"}, 400),
        (
            {"Upload-Length": "1", "Upload-Metadata": "filename YQ==", "Upload-Checksum": "sha1 é"},
            400,
        ),
        ({"Upload-Length": "1", "Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": ""}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename Li4="}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename YQ==,path L2V0Yw=="}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename YQ==,sha256 YQ=="}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename " + "YWFh" * 3_000}, 400),
    ],
)
def test_what_cannot_be_begun_is_refused_in_words(
    client: Client, headers: dict[str, str], status: int
) -> None:
    sent = [(name.encode(), text.encode()) for name, text in (TUS | headers).items()]
    answer = client.http.post(
        contract.TUS_ROUTE, params={"sync_id": client.started()}, headers=sent
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]
    assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_an_unknown_sync_or_upload_is_told(client: Client) -> None:
    headers = TUS | {"Upload-Length": "1"} | metadata(filename="a")
    answer = client.http.post(contract.TUS_ROUTE, params={"sync_id": "999999"}, headers=headers)
    assert answer.json()["message"] == contract.sync_not_found_text(999_999)
    for unknown in ("0" * 32, "..", "%2e%2e%2fcatalog.db", "a/b"):
        url = f"{contract.TUS_ROUTE}/{unknown}"
        assert client.http.head(url, headers=TUS).status_code in (403, 404)


def test_another_version_or_method_is_refused(client: Client) -> None:
    where = begin(client.http, client.started(), "a", 1)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = client.http.patch(where, headers=OFFSET_TYPE | headers, content=b"a")
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
        assert answer.json()["reason"] == "invalid_param"
    too_large = TUS | {"Upload-Length": str(2**60), "Upload-Metadata": "filename YQ=="}
    refused = client.http.post(contract.TUS_ROUTE, headers=too_large)
    assert (refused.status_code, refused.json()["reason"]) == (413, "quota_exceed")
    assert client.http.get(where, headers=TUS).status_code == 405
    wrong_type = {"Content-Type": "text/plain", "Upload-Offset": "0"}
    assert client.http.patch(where, headers=TUS | wrong_type, content=b"a").status_code == 415
    override = TUS | OFFSET_TYPE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.http.post(where, headers=override, content=b"a").status_code == 204
    assert client.published() == {"a": b"a"}


def _half_a_patch(client: Client, where: str, body: bytes, announced: int) -> socket.socket:
    """A request that never ends; the caller closes it."""
    connection = socket.create_connection(("127.0.0.1", client.server.port), timeout=60)
    head = (
        f"PATCH {where} HTTP/1.1\r\nHost: 127.0.0.1:{client.server.port}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Length: {announced}\r\n"
        "Content-Type: application/offset+octet-stream\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection


def test_what_a_cut_connection_brought_is_kept(client: Client) -> None:
    data = DATA * 10
    where = begin(client.http, client.started(), "a", len(data))
    with _half_a_patch(client, where, data[:2_500_000], len(data)) as connection:
        # The web server itself drops what it has not handed over when the connection ends.
        until(lambda: any(path.stat().st_size for path in partial_files(client)), "it writes")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) in (b"", b"H")
    kept = offset_of(client.http, where)
    assert 1 << 20 <= kept <= 2_500_000
    assert send(client.http, where, kept, data[kept:]).status_code == 204
    assert client.published() == {"a": data}


def test_a_client_that_comes_back_sends_its_hanging_request_away(client: Client) -> None:
    data = DATA * 10
    where = begin(client.http, client.started(), "a", len(data))
    with _half_a_patch(client, where, data[:2_000_000], len(data)) as hanging:
        until(lambda: partial_files(client), "the request has begun to write")
        kept = offset_of(client.http, where)
        assert send(client.http, where, kept, data[kept:]).status_code == 204
        status_line = hanging.recv(100).split(b"\r\n")[0]
        assert b"423" in status_line or status_line == b""
    assert client.published() == {"a": data}


def test_a_killed_server_knows_what_was_durable_and_goes_on_from_there(lake: Path) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        sync_id = client.started()
        whole = begin(client.http, sync_id, "whole", 4)
        send(client.http, whole, 0, b"done")
        where = begin(client.http, sync_id, "a", len(DATA))
        send(client.http, where, 0, DATA[:123_456])
        untouched = begin(client.http, sync_id, "b", 3)
        server.kill()
    # What a power cut may leave behind the last durable offset: more bytes, and they are wrong.
    [partial] = [path for path in (lake / ".lakedrop/partial").iterdir() if path.stat().st_size]
    with partial.open("ab") as file:
        file.write(bytes(500_000))
    (lake / ".lakedrop/partial/nobodys").write_bytes(b"x")
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        assert offset_of(client.http, whole) == 4
        assert offset_of(client.http, where) == 123_456
        assert [row["sync_status"] for row in client.history_of(sync_id)] == [
            *("Finished", "Syncing", "Syncing")
        ]
        assert send(client.http, where, 123_456, DATA[123_456:]).status_code == 204
        assert send(client.http, untouched, 0, b"bbb").status_code == 204
        assert client.published() == {"whole": b"done", "a": DATA, "b": b"bbb"}
        assert partial_files(client) == []
        assert client.end(sync_id).json() == {"success": True}


def test_an_upload_whose_sync_ended_before_a_crash_is_over(lake: Path) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        sync_id = client.started()
        where = begin(client.http, sync_id, "a", 10)
        send(client.http, where, 0, b"0123")
        server.kill()
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        assert client.end(sync_id).json() == {"success": True}
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        assert client.http.head(where, headers=TUS).status_code == 410
        [row] = client.history_of(sync_id)
        assert row["sync_status"] == "Failed"
        assert tree(lake / ".lakedrop/partial") == {}


def test_a_replaced_file_goes_to_the_trash_once(client: Client) -> None:
    old = client.started()
    client.upload(old, "a", b"old")
    client.end(old)
    sync_id = client.started()
    where = begin(client.http, sync_id, "a", 3)
    send(client.http, where, 0, b"new")
    assert client.published() == {"a": b"new"}
    trashed = tree(client.server.trash / str(sync_id))
    assert list(trashed.values()) == [b"old"]


def test_capabilities_name_it(client: Client) -> None:
    told: dict[str, Any] = client.http.get(contract.CAPABILITIES_ROUTE).json()
    assert "tus" in told["extensions"]


def test_two_parallel_uploads_of_one_name_leave_one_of_them_whole(client: Client) -> None:
    sync_id = client.started()
    one, other = (begin(client.http, sync_id, "a", 200_000) for _ in range(2))
    for start in range(0, 200_000, 50_000):
        with httpx.Client(base_url=client.server.address) as second:
            send(client.http, one, start, b"1" * 50_000)
            send(second, other, start, b"2" * 50_000)
    assert client.published() == {"a": b"2" * 200_000}

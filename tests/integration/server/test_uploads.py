"""Uploads over real sockets: names as clients send them, large files, cut connections, batches."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest

from embedded_server import contract
from embedded_server.contract import BatchFileResult
from tests.integration.server.conftest import Client

NAMES = [
    "plain.csv",
    "bảng dữ liệu.csv",
    "ba\u0309ng.csv",
    "数据 😀.parquet",
    "ts=10%3A00.csv",
    "%2e%2e",
    "a;b=c,'d'.csv",
    ".hidden",
    "_SUCCESS",
    "x" * 255,
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_as_it_was_sent(client: Client, name: str) -> None:
    sync_id = client.started()
    answer = client.upload(sync_id, name, b"data")
    assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(b"data").hexdigest()
    assert answer.json() == {"code": 0, "msg": None, "sha256": digest, "size": 4}
    assert client.published() == {name: b"data"}
    [record] = client.history_of(sync_id)
    assert record["file_name"] == name
    assert record["start_time"] <= record["end_time"]


def test_a_path_is_decoded_once(client: Client) -> None:
    sync_id = client.started()
    url = f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}&path={client.path}/%252e%252e/d%E1%BB%AF%20li"
    assert client.http.post(url, files={"file": ("a", b"x")}).status_code == 200
    assert client.published() == {"%2e%2e/dữ li/a": b"x"}


def test_an_empty_file_is_a_file(client: Client) -> None:
    assert client.upload(client.started(), "empty", b"").json()["size"] == 0
    assert client.published() == {"empty": b""}


def test_usage_counts_what_is_published(client: Client) -> None:
    def usage(path: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.http.get(contract.USAGE_ROUTE, params={"path": path}).json()
        return answer

    assert usage(client.path) == {"path": client.path, "files": 0, "bytes": 0}
    sync_id = client.started()
    client.upload(sync_id, "a", b"123")
    client.upload(sync_id, "b", b"45678", path=f"{client.path}/sub/deep")
    assert usage(client.path) == {"path": client.path, "files": 2, "bytes": 8}
    assert usage(f"{client.path}/sub") == {"path": f"{client.path}/sub", "files": 1, "bytes": 5}


def test_capabilities_tell_the_extensions(client: Client) -> None:
    told = contract.Capabilities.from_wire(client.http.get(contract.CAPABILITIES_ROUTE).json())
    assert told.extensions == {
        *("abort", "batch", "browse", "digest", "health", "idempotency", "manifest", "metrics"),
        *("openapi", "query", "trash", "tus", "usage"),
    }
    assert (told.batch_max_files, told.batch_max_bytes) == (512, 16 << 20)


def test_a_large_file_takes_little_memory(client: Client) -> None:
    size_mib = 300
    piece = bytes(range(256)) * 4096
    digest = hashlib.sha256()

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n'
        for _ in range(size_mib):
            digest.update(piece)
            yield piece
        yield b"\r\n--b--\r\n"

    answer = client.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={client.started()}",
        content=body(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.json()["sha256"] == digest.hexdigest()
    assert (client.server.files / client.path[1:] / "big").stat().st_size == size_mib << 20
    if sys.platform == "linux":
        status = Path(f"/proc/{client.server.process.pid}/status").read_text()
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        assert peak_kib < 200 << 10


def test_a_client_that_goes_away_leaves_a_failed_row_and_no_file(client: Client) -> None:
    sync_id = client.started()
    with socket.create_connection(("127.0.0.1", client.server.port)) as connection:
        connection.sendall(
            f"POST {contract.UPLOAD_ROUTE}?sync_id={sync_id} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{client.server.port}\r\nContent-Length: 9000000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
            'Content-Disposition: form-data; name="file"; filename="cut.bin"\r\n\r\n'.encode()
            + b"x" * 3_000_000
        )
        # Who has gone before anybody asked whose the connection is counts as a stranger.
        while not client.history_of(sync_id):
            pass
    # *end* is a fence, but this upload is not committing: ask until its row is over.
    while (row := client.history_of(sync_id)[0])["sync_status"] == "Syncing":
        pass
    assert row["sync_status"] == "Failed"
    assert "connection ended" in row["message"]
    assert client.published() == {}
    assert list((client.server.lake / ".lakedrop/incoming").iterdir()) == []
    job = client.job(sync_id)
    assert (job["total_files"], job["num_failed"]) == (1, 1)


# -- batches ---------------------------------------------------------------------------------


def _digest_header(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def _part(name: str, data: bytes, folder: str | None = None, digest: str | None = None) -> bytes:
    lines = [f'Content-Disposition: form-data; name="file"; filename="{name}"']
    if folder is not None:
        lines.append(f"Lake-Folder: {quote(folder)}")
    if digest is not None:
        lines.append(f"Content-Digest: {digest}")
    return b"--b\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def _batch(client: Client, sync_id: int, body: bytes) -> httpx.Response:
    return client.http.post(
        f"{contract.BATCH_ROUTE}?sync_id={sync_id}",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )


def _results(answer: httpx.Response) -> list[BatchFileResult]:
    assert answer.status_code == 200, answer.text
    return contract.batch_results_from_wire(answer.json())


def _promised(client: Client, route: str, body: bytes, *digests: str) -> httpx.Response:
    """With what the request's own headers say of the whole body."""
    headers = [("Content-Type", "multipart/form-data; boundary=b")]
    headers += [("Content-Digest", digest) for digest in digests]
    return client.http.post(route, content=body, headers=headers)


@pytest.mark.parametrize("route", [contract.UPLOAD_ROUTE, contract.BATCH_ROUTE])
@pytest.mark.parametrize("size_bytes", [3, 3_000_000])
def test_the_digest_of_a_request_is_that_of_its_whole_body(
    client: Client, route: str, size_bytes: int
) -> None:
    sync_id = client.started()
    url = f"{route}?sync_id={sync_id}"
    body = _part("a", b"x" * size_bytes) + b"--b--\r\n"
    of_file_only = _digest_header(b"x" * size_bytes)
    for wrong in ([of_file_only], [_digest_header(body), of_file_only], ["sha-256=:QUJD:"]):
        refused = _promised(client, url, body, *wrong)
        assert refused.status_code == 400, refused.text
        assert "igest" in refused.json()["message"]
    assert client.published() == {}
    assert list((client.server.lake / ".lakedrop" / "incoming").iterdir()) == []
    taken = _promised(client, url, body, "md5=:QUJD:", _digest_header(body))
    assert taken.status_code == 200, taken.text
    assert client.published() == {"a": b"x" * size_bytes}


@pytest.mark.parametrize("sync_type", ["FullSync", "IncrementalSync"])
def test_a_batch_publishes_many_files_in_many_folders(client: Client, sync_type: str) -> None:
    sync_id = client.started(sync_type)
    files = {f"dữ liệu {n % 3}/f{n}.csv": b"data %d" % n for n in range(300)}
    body = b"".join(
        _part(
            name.partition("/")[2],
            data,
            f"{client.path}/{name.partition('/')[0]}",
            _digest_header(data),
        )
        for name, data in files.items()
    )
    results = _results(_batch(client, sync_id, body + _part("top.csv", b"top") + b"--b--\r\n"))
    assert [result.name for result in results[:2]] == ["f0.csv", "f1.csv"]
    assert results[0].folder == f"{client.path}/dữ liệu 0"
    assert results[-1].folder == client.path
    assert all(result.answer.code == 0 for result in results)
    assert results[5].answer.sha256 == hashlib.sha256(b"data 5").hexdigest()
    assert client.end(sync_id).status_code == 200
    assert client.published() == files | {"top.csv": b"top"}
    assert client.job(sync_id)["total_files"] == 301
    assert len(client.history_of(sync_id)) == 301


def test_a_bad_part_does_not_fail_its_neighbours(client: Client) -> None:
    sync_id = client.started()
    body = (
        _part("good.csv", b"good")
        + _part("../bad.csv", b"bad name")
        + _part("wrong.csv", b"wrong", digest=_digest_header(b"right"))
        + _part("outside.csv", b"x", "/data")
        + _part("NUL", b"x")
        + _part("last.csv", b"last", digest=_digest_header(b"last"))
        + b"--b--\r\n"
    )
    results = _results(_batch(client, sync_id, body))
    assert [result.answer.code == 0 for result in results] == [
        True,
        False,
        False,
        False,
        False,
        True,
    ]
    assert all(result.answer.msg for result in results[1:5])
    assert client.published() == {"good.csv": b"good", "last.csv": b"last"}
    rows = {row["file_name"]: row["sync_status"] for row in client.history_of(sync_id)}
    assert rows == {"good.csv": "Finished", "last.csv": "Finished", "wrong.csv": "Failed"}
    assert client.job(sync_id)["num_failed"] == 1
    assert list((client.server.lake / ".lakedrop/incoming").iterdir()) == []


def test_a_name_twice_in_a_batch_keeps_the_first_version_in_the_trash(client: Client) -> None:
    sync_id = client.started()
    body = _part("a.csv", b"one") + _part("a.csv", b"two") + b"--b--\r\n"
    assert [it.answer.code for it in _results(_batch(client, sync_id, body))] == [0, 0]
    assert client.published() == {"a.csv": b"two"}
    trashed = client.server.trash / str(sync_id) / "1" / client.path[1:] / "a.csv"
    assert trashed.read_bytes() == b"one"


@pytest.mark.parametrize(
    ("what", "status"), [("files", 413), ("bytes", 413), ("cut", 400), ("none", 400)]
)
def test_a_batch_that_is_refused_publishes_nothing(client: Client, what: str, status: int) -> None:
    sync_id = client.started()
    body = {
        "files": b"".join(_part(f"f{n}", b"x") for n in range(513)) + b"--b--\r\n",
        "bytes": _part("ok", b"x") + _part("big", b"x" * (16 << 20)) + b"--b--\r\n",
        "cut": _part("a", b"x") * 3 + b"--b\r\n",
        "none": b"--b--\r\n",
    }[what]
    answer = _batch(client, sync_id, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == status
    assert client.published() == {}
    assert client.history_of(sync_id) == []
    assert list((client.server.lake / ".lakedrop/incoming").iterdir()) == []


def test_a_large_part_of_a_batch_has_one_row_like_any_other(client: Client) -> None:
    sync_id = client.started()
    body = _part("big", b"x" * (3 << 20)) + _part("small", b"x") + b"--b--\r\n"
    assert [it.answer.code for it in _results(_batch(client, sync_id, body))] == [0, 0]
    assert [row["sync_status"] for row in client.history_of(sync_id)] == ["Finished"] * 2


def test_a_batch_for_an_ended_sync_is_refused(client: Client) -> None:
    sync_id = client.started()
    client.end(sync_id)
    answer = _batch(client, sync_id, _part("a", b"x") + b"--b--\r\n")
    assert (answer.status_code, answer.json()["message"]) == (400, contract.JOB_ALREADY_ENDED)


def test_no_secret_and_no_file_handle_is_left_behind(client: Client) -> None:
    sync_id = client.started()
    client.http.post(f"{contract.END_ROUTE}?api_key={client.server.api_key}", content=b"not json")
    for number in range(20):
        client.upload(sync_id, f"f{number}", b"x")
        client.upload(sync_id, "bad/name", b"x")
    process = psutil.Process(client.server.process.pid)
    own = str(client.server.lake / ".lakedrop" / "incoming")
    assert [file.path for file in process.open_files() if file.path.startswith(own)] == []
    assert client.server.api_key not in client.server.errors.read_text()
    assert client.server.api_key not in json.dumps(process.cmdline())

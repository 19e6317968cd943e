"""The bytes that the gateway puts on the wire, seen by a socket."""

from __future__ import annotations

import email.parser
import email.policy
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.errors import (
    ConnectionNotUsable,
    ContractBroken,
    FileRefused,
    LakeRefused,
    LakeUnreachable,
    SyncAborted,
    SyncExpired,
)
from app.infra.http_connections import Timeouts
from app.infra.http_gateway import HttpGateway
from embedded_server import contract
from embedded_server.contract import SyncType
from tests.support.contents import BytesContent, ignore_sent, small_file
from tests.support.stub_server import SeenRequest, http, stub_server

KEY = "canary-4711-key"
YES = http(200, '{"code":0,"msg":null}')


def parts_of(request: SeenRequest) -> list[tuple[dict[str, str], bytes]]:
    """Headers and content of each part, read by the standard library's own parser."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    found = []
    for part in whole.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found.append(({name.lower(): str(value) for name, value in part.items()}, content))
    return found


def test_start_and_end_are_the_contract_s_json() -> None:
    with stub_server(http(200, '{"sync_id":8}'), http(200, '{"success":true}')) as server:
        gateway = HttpGateway(server.address, KEY)
        assert gateway.start_sync("tháng 12", "/data/x", SyncType.FULL) == 8
        gateway.end_sync(8)
        gateway.close()
    start, end = server.seen
    assert (start.method, start.target) == ("POST", "/api/ingestion/file/sync/start")
    assert json.loads(start.body) == {
        "name": "tháng 12",
        "path": "/data/x",
        "api_key": KEY,
        "sync_type": "FullSync",
    }
    assert (end.method, end.target) == ("POST", "/api/ingestion/file/sync/end")
    assert json.loads(end.body) == {"sync_id": 8, "api_key": KEY}
    for request in server.seen:
        assert request.headers["content-type"] == "application/json"
        assert request.headers["host"] == server.host


@pytest.mark.parametrize("extensions", [["idempotency"], ["digest"]])
def test_a_start_bears_its_key_only_where_the_server_names_it(extensions: list[str]) -> None:
    told = {"product": "LakeDrop", "version": "1", "extensions": extensions}
    with stub_server(http(200, json.dumps(told)), http(200, '{"sync_id":8}')) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.start_sync("s", "/data/x", SyncType.FULL, "0f0e")
        gateway.close()
    expected = '"0f0e"' if extensions == ["idempotency"] else None
    assert server.seen[-1].headers.get("idempotency-key") == expected


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (contract.sync_expired_text(8), SyncExpired),
        (contract.sync_aborted_text(8), SyncAborted),
        (contract.sync_expired_text(8) + "!", LakeRefused),
    ],
)
@pytest.mark.parametrize("status", [400, 410])
def test_a_sync_that_was_given_up_is_known_by_its_exact_words(
    told: str, kind: type[LakeRefused], status: int
) -> None:
    body = json.dumps({"code": status, "reason": "expired", "message": told})
    with stub_server(http(status, body)) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(LakeRefused) as refused:
            gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.close()
    assert type(refused.value) is kind


def test_an_upload_is_one_form_with_one_boundary_and_a_known_length() -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY)
        content = BytesContent(b"1,2\r\n3,4\r\n")
        gateway.upload(7, "/data/quý 4/a+b&c=%41", "part.csv", content, ignore_sent)
        gateway.close()
    (request,) = server.seen
    assert request.method == "POST"
    assert request.target == (
        "/api/lake/file/upload?path=/data/qu%C3%BD%204/a%2Bb%26c%3D%2541&sync_id=7"
    )
    assert "transfer-encoding" not in request.headers
    assert int(request.headers["content-length"]) == len(request.body)
    assert request.headers["content-type"].count("boundary=") == 1
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    assert request.body.startswith(b"--" + boundary + b"\r\n")
    assert request.body.endswith(b"\r\n1,2\r\n3,4\r\n\r\n--" + boundary + b"--\r\n")
    assert request.body.count(boundary) == 2


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [
        ("báo cáo 📈.csv", "báo cáo 📈.csv"),
        ('say "hi".csv', "say %22hi%22.csv"),
        ("two\r\nlines", "two%0D%0Alines"),
        ("ts=10%3A00", "ts=10%3A00"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_a_file_name_is_sent_as_browsers_send_it(name: str, on_the_wire: str) -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.upload(7, "/data/x", name, BytesContent(b""), ignore_sent)
        gateway.close()
    line = server.seen[0].body.split(b"\r\n")[1]
    expected = f'Content-Disposition: form-data; name="file"; filename="{on_the_wire}"'
    assert line.decode() == expected


@pytest.mark.parametrize(("folder", "name"), [("/data/x", "a\udce9.csv"), ("/d\udce9", "a.csv")])
def test_a_name_that_is_no_unicode_is_refused_before_anything_is_sent(
    folder: str, name: str
) -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(FileRefused, match="not valid Unicode"):
            gateway.upload(7, folder, name, BytesContent(b"1"), ignore_sent)
        gateway.close()
    assert server.seen == []


def test_a_batch_names_folder_and_digest_of_every_part() -> None:
    files = [
        small_file("/data/x", "a.csv", b"abc"),
        small_file("/data/x/quý 4", "b.csv", bytes(300_000)),
        small_file("/data/x", "c.csv", b""),
    ]
    yes = http(
        200,
        json.dumps(
            {
                "results": [
                    {"folder": f.folder, "name": f.name, "code": 0, "msg": None} for f in files
                ]
            }
        ),
    )
    sent: list[int] = []
    with stub_server(yes) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.upload_batch(7, files, sent.append)
        gateway.close()
    (request,) = server.seen
    assert request.target == "/api/lake/file/batch?sync_id=7"
    assert int(request.headers["content-length"]) == len(request.body)
    parts = parts_of(request)
    assert [content for _, content in parts] == [file.content for file in files]
    assert [headers["lake-folder"] for headers, _ in parts] == [
        "/data/x",
        "/data/x/qu%C3%BD%204",
        "/data/x",
    ]
    # The SHA-256 of "abc", FIPS 180-2, appendix B.1, in base 64.
    assert parts[0][0]["content-digest"] == (
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    )
    assert sum(sent) == 300_003


def test_a_prefix_in_the_address_stands_before_every_route() -> None:
    with stub_server(http(200, "[]")) as server:
        gateway = HttpGateway(f"{server.address}/lake", KEY)
        gateway.sync_jobs(30, 10)
        gateway.history(0, 1)
        gateway.close()
    assert [request.target for request in server.seen] == [
        "/lake/api/ingestion/file/sync/list?from=30&size=10",
        "/lake/api/ingestion/file/sync/history?from=0&size=1",
    ]


def test_the_key_travels_in_the_bodies_of_start_and_end_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    capabilities = contract.Capabilities("1", frozenset({contract.EXTENSION_USAGE}))
    usage = contract.LakeUsage("/data/x", 1, 1)
    caplog.set_level(logging.DEBUG)
    with stub_server(
        http(200, '{"sync_id":8}'),
        YES,
        http(200, json.dumps(capabilities.to_wire())),
        http(200, json.dumps(usage.to_wire())),
        http(200, "[]"),
        http(200, "[]"),
        http(200, '{"success":true}'),
    ) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.start_sync("s", "/data/x", SyncType.FULL)
        gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        assert gateway.usage("/data/x") == usage
        gateway.sync_jobs(0, 10)
        gateway.history(0, 10)
        gateway.end_sync(8)
        assert KEY not in repr(gateway)
        gateway.close()
    with_key = [KEY.encode() in request.body for request in server.seen]
    assert with_key == [True, False, False, False, False, False, True]
    for request in server.seen:
        assert KEY not in request.target
        assert KEY not in str(request.headers)
    assert caplog.records  # the libraries below did log
    assert KEY not in caplog.text


def test_a_redirect_is_told_and_never_followed() -> None:
    with stub_server(http(200, '{"sync_id":1}')) as elsewhere:
        moved = http(307, "", location=f"{elsewhere.address}/api/ingestion/file/sync/start")
        with stub_server(moved) as server:
            gateway = HttpGateway(server.address, KEY)
            with pytest.raises(ContractBroken, match="another address"):
                gateway.start_sync("s", "/data/x", SyncType.FULL)
            with pytest.raises(ContractBroken, match="another address"):
                gateway.upload(1, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
            with pytest.raises(ContractBroken, match="another address"):
                gateway.capabilities()
            gateway.close()
    assert elsewhere.seen == []


def test_a_proxy_is_used_for_other_machines_and_never_for_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stub_server(YES) as proxy, stub_server(YES) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", "")
        far = HttpGateway("http://lake.invalid/lake", KEY)
        near = HttpGateway(server.address, KEY)
        for gateway in (far, near):
            gateway.upload(7, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
            gateway.close()
    assert [request.target for request in proxy.seen] == [
        "http://lake.invalid/lake/api/lake/file/upload?path=/data/x&sync_id=7"
    ]
    assert proxy.seen[0].headers["host"] == "lake.invalid"
    assert [request.target for request in server.seen] == [
        "/api/lake/file/upload?path=/data/x&sync_id=7"
    ]


def test_a_proxy_s_password_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "nonsense://somebody:hush-hush@proxy.invalid:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ConnectionNotUsable) as caught:
        HttpGateway("http://lake.invalid", KEY)
    assert "hush-hush" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "address", ["lake.example", "ftp://lake.example", "http://", "http://a:99999", "http://a..b"]
)
def test_what_is_no_address_is_not_usable(address: str) -> None:
    with pytest.raises(ConnectionNotUsable):
        HttpGateway(address, KEY)


def test_connections_are_kept_and_lent_to_one_thread_at_a_time() -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=Timeouts(keep_idle_s=60.0))

        def upload(number: int) -> None:
            gateway.upload(7, "/data/x", f"{number}.csv", BytesContent(b"1"), ignore_sent)

        for number in range(5):
            upload(number)
        assert server.connections == 1
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(upload, range(40)))
        assert server.connections <= 4
        gateway.close()
        with pytest.raises(LakeUnreachable, match="closed"):
            upload(0)
    assert len(server.seen) == 45

"""What the gateway tells when the network or the server fails, on real sockets."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.errors import (
    Cancelled,
    ContractBroken,
    FileRefused,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeFull,
    LakeRefused,
    LakeUnreachable,
    SyncAlreadyEnded,
)
from app.domain.ports import UploadReceipt
from app.infra.http_connections import Timeouts
from app.infra.http_gateway import HttpGateway
from embedded_server import contract
from embedded_server.contract import SyncType
from tests.support.contents import BytesContent, ignore_sent, small_file
from tests.support.stub_server import (
    Answering,
    AnsweringEarly,
    Cutting,
    Line,
    Silence,
    http,
    stub_server,
)

KEY = "canary-4711-key"
CERTIFICATE = Path(__file__).resolve().parents[2] / "support" / "loopback_certificate.pem"
SOON = Timeouts(connect_s=5.0, write_s=0.2, read_s=0.2, read_after_upload_s=0.2)
PAGE = "<!DOCTYPE html><html><body><h1>Welcome to nginx</h1></body></html>"
YES = http(200, '{"code":0,"msg":null}')
FAR_MORE_THAN_SOCKETS_BUFFER = bytes(32 * 1024 * 1024)


def refusal(message: str) -> Line:
    return http(400, json.dumps({"code": 400, "reason": "bad_request", "message": message}))


def start(gateway: HttpGateway) -> object:
    return gateway.start_sync("s", "/data/x", SyncType.FULL)


def upload(gateway: HttpGateway, data: bytes = b"1,2\n") -> UploadReceipt:
    return gateway.upload(7, "/data/x", "a.csv", BytesContent(data), ignore_sent)


def batch(gateway: HttpGateway) -> object:
    files = [small_file("/data/x", name, name.encode()) for name in ("a.csv", "b.csv")]
    return gateway.upload_batch(7, files, ignore_sent)


CALLS: dict[str, Callable[[HttpGateway], object]] = {
    "start": start,
    "upload": upload,
    "batch": batch,
    "end": lambda gateway: gateway.end_sync(7),
    "list": lambda gateway: gateway.sync_jobs(0, 10),
    "history": lambda gateway: gateway.history(0, 10),
    "capabilities": lambda gateway: gateway.capabilities(),
}


def error_of(
    call: Callable[[HttpGateway], object], *script: Line, timeouts: Timeouts | None = None
) -> LakeDropError:
    with stub_server(*script) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=timeouts)
        try:
            with pytest.raises(LakeDropError) as caught:
                call(gateway)
        finally:
            gateway.close()
    return caught.value


# No connection, a cut, a time-out.


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Cutting(), "broke the connection off"),
        (Cutting(body_bytes=0), ""),
        (Cutting(reset=True), "cut"),
        (Answering(b"SSH-2.0-OpenSSH_9.2p1\r\n", then_close=True), "proper HTTP"),
        (Answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", then_close=True), "broke"),
        (Answering(b"HTTP/1.1 200 OK\r\nContent-Le", then_close=True), "broke"),
        (Silence(), "did not answer for 0.2 s"),
        (Answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"), "did not answer for 0.2 s"),
    ],
)
def test_a_server_that_fails_to_answer_is_unreachable(
    call: Callable[[HttpGateway], object], line: Line, words: str
) -> None:
    error = error_of(call, line, timeouts=SOON)
    assert type(error) is LakeUnreachable
    assert words in error.message
    assert error.__cause__ is not None


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address, words in (
        (f"http://127.0.0.1:{port}", "refused the connection"),
        ("http://lake.invalid", "is not known"),
    ):
        gateway = HttpGateway(address, KEY)
        with pytest.raises(LakeUnreachable, match=words):
            gateway.check()
        gateway.close()


def test_a_server_that_takes_no_more_bytes_is_given_up() -> None:
    def upload_much(gateway: HttpGateway) -> object:
        return upload(gateway, FAR_MORE_THAN_SOCKETS_BUFFER)

    error = error_of(upload_much, Silence(read_body=False), timeouts=SOON)
    assert type(error) is LakeUnreachable
    assert "took no more data for 0.2 s" in error.message


def test_a_certificate_must_be_trusted() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with stub_server(http(200, "[]"), tls=context) as server:
        stranger = HttpGateway(server.address, KEY)
        with pytest.raises(LakeUnreachable, match="not trusted"):
            stranger.check()
        stranger.close()
        trusting = ssl.create_default_context(cafile=CERTIFICATE)
        friend = HttpGateway(server.address, KEY, ssl_context=trusting)
        assert friend.sync_jobs(0, 10) == []
        friend.close()
    assert len(server.seen) == 1


def test_a_server_without_encryption_is_told_as_such() -> None:
    def answer_in_plain(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        thread.submit(answer_in_plain, listener)
        gateway = HttpGateway(f"https://127.0.0.1:{listener.getsockname()[1]}", KEY)
        with pytest.raises(LakeUnreachable, match="No encrypted connection"):
            gateway.check()
        gateway.close()


# Answers that came too early, or after something stopped the body.


def test_a_refusal_that_comes_while_we_still_send_is_told() -> None:
    def upload_much(gateway: HttpGateway) -> object:
        return upload(gateway, FAR_MORE_THAN_SOCKETS_BUFFER)

    too_large = http(413, PAGE, "text/html").raw
    error = error_of(upload_much, AnsweringEarly(too_large, body_bytes=100_000))
    # Where the reset overtakes the answer, a system may throw the answer away.
    assert type(error) in (FileRefused, LakeUnreachable)


def test_a_yes_to_half_a_file_is_no_yes() -> None:
    def upload_much(gateway: HttpGateway) -> object:
        return upload(gateway, FAR_MORE_THAN_SOCKETS_BUFFER)

    error = error_of(upload_much, AnsweringEarly(YES.raw, body_bytes=100_000))
    assert type(error) is LakeUnreachable


def test_what_stops_a_body_drops_the_connection_and_sends_no_last_boundary() -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=Timeouts(keep_idle_s=60.0))
        upload(gateway)
        content = BytesContent(bytes(2**22), error=Cancelled("stop"), error_after_bytes=2**21)
        with pytest.raises(Cancelled, match="stop") as caught:
            gateway.upload(7, "/data/x", "half.bin", content, ignore_sent)
        assert caught.value.__cause__ is None
        upload(gateway)
        gateway.close()
    # In whatever order the two threads of the stub wrote them down.
    assert sorted(request.connection for request in server.seen) == [1, 1, 2]
    (half,) = (request for request in server.seen if len(request.body) > 1000)
    boundary = half.headers["content-type"].partition("boundary=")[2].encode()
    assert half.body.startswith(b"--" + boundary)
    assert b"--" + boundary + b"--" not in half.body
    assert len(half.body) < int(half.headers["content-length"])


def test_progress_is_told_for_what_was_handed_over_only() -> None:
    with stub_server(YES) as server:
        gateway = HttpGateway(server.address, KEY)
        sent: list[int] = []
        content = BytesContent(bytes(3 * 1024 * 1024), error=Cancelled(), error_after_bytes=2**21)
        with pytest.raises(Cancelled):
            gateway.upload(7, "/data/x", "a.bin", content, sent.append)
        assert 0 < sum(sent) <= 2**21
        gateway.close()


# Answers that are no answers.


@pytest.mark.parametrize(
    ("call", "body"),
    [
        *((call, body) for call in CALLS if call != "capabilities" for body in (PAGE, "", "null")),
        *((call, '{"sync_id": 8') for call in CALLS if call != "capabilities"),
        ("start", '{"sync_id": "8"}'),
        ("start", '{"sync_id": true}'),
        ("start", '{"sync_id": -1}'),
        ("start", '{"code": 0}'),
        ("upload", "{}"),
        ("upload", '{"code": "0"}'),
        ("upload", "[0]"),
        ("end", "{}"),
        ("end", '{"success": "true"}'),
        ("list", "{}"),
        ("list", "[1]"),
        ("list", '[{"sync_id": 1}]'),
        ("history", '[{"history_id": 1}]'),
        ("batch", '{"results": []}'),
        ("batch", '{"results": [{"folder": "/data/x", "name": "a.csv", "code": 0}]}'),
        ("capabilities", '{"product": "LakeDrop", "version": "1"}'),
        ("capabilities", '{"product": "LakeDrop", "version": 1, "extensions": []}'),
    ],
)
def test_a_200_that_is_not_the_contract_s_is_told_in_plain_words(call: str, body: str) -> None:
    error = error_of(CALLS[call], http(200, body))
    assert type(error) is ContractBroken
    assert "<" not in error.message


def test_batch_results_of_other_files_are_never_taken_for_ours() -> None:
    results = [
        {"folder": "/data/x", "name": name, "code": 0, "msg": None} for name in ("b.csv", "a.csv")
    ]
    assert type(error_of(batch, http(200, json.dumps({"results": results})))) is ContractBroken


def test_each_file_of_a_batch_has_its_own_outcome() -> None:
    results = [
        {"folder": "/data/x", "name": "a.csv", "code": 0, "msg": None, "sha256": "AB", "size": 5},
        {"folder": "/data/x", "name": "b.csv", "code": 507, "msg": "disk full"},
    ]
    with stub_server(http(200, json.dumps({"results": results}))) as server:
        gateway = HttpGateway(server.address, KEY)
        outcomes = batch(gateway)
        gateway.close()
    assert isinstance(outcomes, list)
    assert outcomes[0] == UploadReceipt("ab", 5)
    assert type(outcomes[1]) is LakeFull


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    error = error_of(CALLS["list"], Answering(head + bytes(40 * 1024 * 1024), then_close=True))
    assert type(error) is ContractBroken


def test_a_refused_end_is_told() -> None:
    assert type(error_of(CALLS["end"], http(200, '{"success":false}'))) is LakeRefused


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            http(400, '{"code":400,"reason":"bad_request","message":"invalid api key"}'),
            InvalidApiKey,
        ),
        (http(400, '{"code":400,"reason":"bad_request","message":"bad name"}'), FileRefused),
        (http(200, '{"code":1,"msg":"bad name"}'), FileRefused),
        (http(200, '{"code":1,"msg":"job is already ended"}'), SyncAlreadyEnded),
        (http(502, PAGE, "text/html"), LakeBusy),
        (http(503, "", Retry_After="-3"), LakeBusy),
        (http(500, "{"), LakeBroken),
        (http(507, "{"), LakeFull),
    ],
)
def test_an_upload_s_failure_says_what_helps(line: Line, kind: type[LakeDropError]) -> None:
    assert type(error_of(upload, line)) is kind


def test_retry_after_is_handed_on() -> None:
    error = error_of(upload, http(429, "", Retry_After="17"))
    assert isinstance(error, LakeBusy)
    assert error.retry_after_s == 17.0


# Test connection, and negotiation.


@pytest.mark.parametrize(
    "line",
    [
        http(200, '{"success":true}'),
        refusal("job is already ended"),
        http(404, PAGE, "text/html"),
    ],
)
def test_a_check_that_hears_anything_but_not_found_fails(line: Line) -> None:
    error_of(lambda gateway: gateway.check(), line)


OURS = http(200, json.dumps(contract.Capabilities("1", frozenset({"digest"})).to_wire()))


@pytest.mark.parametrize(
    "line",
    [
        http(404, '{"code":404,"reason":"not_found","message":"no such route"}'),
        http(404, PAGE, "text/html"),
        http(405, ""),
        http(501, ""),
        http(200, PAGE, "text/html"),
        http(200, '{"product":"SomethingElse","extensions":["digest"]}'),
        http(200, "[]"),
    ],
)
def test_a_plain_server_is_known_after_one_question(line: Line) -> None:
    with stub_server(line, OURS) as server:
        gateway = HttpGateway(server.address, KEY)
        assert gateway.capabilities() is None
        assert gateway.capabilities() is None
        assert gateway.usage("/data/x") is None
        gateway.close()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "line",
    [
        http(401, '{"code":401,"reason":"not_authenticated","message":"key?"}'),
        http(403, PAGE),
        http(429, ""),
        http(500, ""),
        http(502, PAGE),
        http(302, "", location="http://elsewhere.invalid/"),
        Cutting(),
    ],
)
def test_not_known_yet_is_told_and_asked_again(line: Line) -> None:
    with stub_server(line, OURS) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(LakeDropError):
            gateway.capabilities()
        capabilities = gateway.capabilities()
        gateway.close()
    assert capabilities is not None
    assert capabilities.extensions == {"digest"}
    assert len(server.seen) == 2


def test_many_threads_ask_for_capabilities_once() -> None:
    with stub_server(OURS) as server:
        gateway = HttpGateway(server.address, KEY)
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: gateway.capabilities(), range(32)))
        gateway.close()
    assert all(capabilities == found[0] for capabilities in found)
    assert len(server.seen) == 1


# The key.


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "line",
    [
        refusal(f"key {KEY}?"),
        http(500, f"trace of {KEY}"),
        http(200, f'{{"code":1,"msg":"{KEY}","success":"{KEY}","sync_id":"{KEY}","product":"x"}}'),
        http(200, f'[{{"sync_type":"{KEY}","org_id":0,"sync_id":1,"name":"","path":""}}]'),
        http(200, f"{KEY} <html>"),
        http(307, "", location=f"http://elsewhere.invalid/?api_key={KEY}"),
        Answering(f"{KEY}\r\n\r\n".encode(), then_close=True),
        Cutting(),
    ],
)
def test_a_key_that_a_server_echoes_reaches_no_error(
    call: Callable[[HttpGateway], object], line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with stub_server(line) as server:
        gateway = HttpGateway(server.address, KEY)
        try:
            call(gateway)
        except LakeDropError as error:
            told = "".join(traceback.format_exception(error)) + repr(error)
            # The lines of this very file that a traceback quotes do not hold the key either.
            assert KEY not in told
        finally:
            gateway.close()
    assert KEY not in caplog.text

"""What a gateway sends for a resumable upload, and what it makes of odd answers: real sockets."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import (
    ContractBroken,
    DigestMismatch,
    FileRefused,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeFull,
    LakeRefused,
    LakeUnreachable,
    SyncExpired,
    SyncNotFound,
)
from app.domain.ports import UploadReceipt
from app.domain.resumable import HowFar
from app.infra.http_connections import Timeouts
from app.infra.http_gateway import HttpGateway
from embedded_server import contract
from tests.support.contents import BytesContent, ignore_sent
from tests.support.stub_server import Answering, AnsweringEarly, Line, http, stub_server

KEY = "canary-4711-key"
SOON = Timeouts(connect_s=5.0, write_s=0.2, read_s=0.2, read_after_upload_s=0.2)
DATA = b"0123456789"
SHA_HEX = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
SHA_HEADER = "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:"


def _empty(status: int, **headers: str) -> Answering:
    """204 and the answers to HEAD have no body."""
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    return Answering(f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode())


def _told(status: int, message: str, reason: str = "bad_request") -> Answering:
    return http(status, json.dumps({"code": status, "reason": reason, "message": message}))


def _went_on(line: Line) -> tuple[UploadReceipt | LakeDropError, list[int]]:
    sent: list[int] = []
    with stub_server(line) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        content = BytesContent(DATA)
        content.skip(4)
        try:
            return gateway.go_on_upload("abc", 4, content, sent.append), sent
        except LakeDropError as error:
            return error, sent
        finally:
            gateway.close()


def test_a_file_is_announced_and_sent_behind_its_offset() -> None:
    begun = _empty(201, Location=f"{contract.TUS_ROUTE}/abc", Content_Length="0")
    done = _empty(204, Upload_Offset="10", Repr_Digest=SHA_HEADER)
    with stub_server(begun, done) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        upload = gateway.begin_upload(7, "/data/Bán hàng", "a b.bin", len(DATA))
        content = BytesContent(DATA)
        content.skip(4)
        receipt = gateway.go_on_upload(upload, 4, content, ignore_sent)
        gateway.close()
    assert receipt == UploadReceipt(SHA_HEX, len(DATA))
    first, second = server.seen
    assert (first.method, first.body) == ("POST", b"")
    assert first.target == f"{contract.TUS_ROUTE}?path=/data/B%C3%A1n%20h%C3%A0ng&sync_id=7"
    assert first.headers["upload-length"] == "10"
    assert first.headers["upload-metadata"] == "filename YSBiLmJpbg=="
    assert (second.method, second.target) == ("PATCH", f"{contract.TUS_ROUTE}/abc")
    assert second.headers["upload-offset"] == "4"
    assert second.headers["content-type"] == "application/offset+octet-stream"
    assert second.body == DATA[4:]
    for request in server.seen:
        assert request.headers["tus-resumable"] == "1.0.0"
        assert KEY not in f"{request.target}{request.headers}"  # nobody asked for it


@pytest.mark.parametrize(
    "location", ["https://elsewhere.example/api/lake/tus/abc", "//elsewhere.example/abc", "abc"]
)
def test_no_answer_can_send_a_file_elsewhere(location: str) -> None:
    done = _empty(204, Upload_Offset="10", Repr_Digest=SHA_HEADER)
    with stub_server(_empty(201, Location=location, Content_Length="0"), done) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        upload = gateway.begin_upload(7, "/data/x", "a.bin", len(DATA))
        gateway.go_on_upload(upload, 0, BytesContent(DATA), ignore_sent)
        gateway.close()
    assert [request.target for request in server.seen][1:] == [f"{contract.TUS_ROUTE}/abc"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Location": ""}, {"Location": "/api/lake/tus/"}, {"Location": "/api/lake/tus/a?b#c d"}],
)
def test_an_upload_without_an_address_is_nonsense(headers: dict[str, str]) -> None:
    with stub_server(_empty(201, Content_Length="0", **headers)) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        with pytest.raises(ContractBroken, match="where to send"):
            gateway.begin_upload(7, "/data/x", "a.bin", 1)
        gateway.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_told(400, "sync info for id 7 not found"), SyncNotFound),
        (_told(410, contract.sync_expired_text(7), "expired"), SyncExpired),
        (_told(400, "a folder is in the way"), FileRefused),
        (_told(413, "too large", "quota_exceed"), FileRefused),
        (_told(507, "full", "quota_exceed"), LakeFull),
        (_told(503, "stopping"), LakeBusy),
        (_told(500, "oh"), LakeBroken),
        (_told(403, "not for you", "not_allowed"), LakeRefused),
    ],
)
def test_why_an_upload_cannot_begin(answer: Line, kind: type[LakeDropError]) -> None:
    with stub_server(answer) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        with pytest.raises(kind) as told:
            gateway.begin_upload(7, "/data/x", "a.bin", 1)
        gateway.close()
    assert type(told.value) is kind


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (_empty(200, Upload_Offset="4", Upload_Length="10"), HowFar(4, 10)),
        *((_empty(status), None) for status in (400, 403, 404, 410)),
        (_empty(200, Upload_Offset="11", Upload_Length="10"), ContractBroken),
        (_empty(200, Upload_Offset="-4", Upload_Length="10"), ContractBroken),
        (_empty(200, Upload_Offset="4"), ContractBroken),
        (_empty(204, Upload_Offset="4", Upload_Length="10"), ContractBroken),
        (_empty(301, Location="https://elsewhere.example/"), ContractBroken),
        (_empty(401), InvalidApiKey),
        (_empty(408), LakeBusy),
        (_empty(423), LakeBusy),
        (_empty(429, Retry_After="3"), LakeBusy),
        (_empty(503), LakeBusy),
        (_empty(500), LakeBroken),
    ],
)
def test_how_far_it_is_or_that_nobody_can_go_on(
    answer: Line, found: HowFar | type[LakeDropError] | None
) -> None:
    with stub_server(answer) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        if isinstance(found, type):
            with pytest.raises(found):
                gateway.how_far("abc")
        else:
            assert gateway.how_far("abc") == found
        gateway.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *((_told(status, "look again"), LakeBusy) for status in (404, 409, 410, 423)),
        (_told(410, contract.sync_expired_text(7), "expired"), SyncExpired),
        (_told(460, "other bytes"), DigestMismatch),
        (_told(400, "a folder is in the way"), FileRefused),
        (_told(507, "full", "quota_exceed"), LakeFull),
        (_told(500, "oh"), LakeBroken),
        (_empty(204, Upload_Offset="9", Repr_Digest=SHA_HEADER), ContractBroken),
        (_empty(204, Repr_Digest=SHA_HEADER), ContractBroken),
        (http(200, "<html>welcome</html>", "text/html"), ContractBroken),
    ],
)
def test_what_the_end_of_an_upload_may_be(answer: Line, kind: type[LakeDropError]) -> None:
    outcome, _ = _went_on(answer)
    assert type(outcome) is kind, outcome


def test_a_server_that_tells_no_digest_has_acknowledged() -> None:
    outcome, sent = _went_on(_empty(204, Upload_Offset="10"))
    assert outcome == UploadReceipt(None, 10)
    assert sum(sent) == 6


def test_a_yes_before_all_was_sent_is_no_yes() -> None:
    early = AnsweringEarly(b"HTTP/1.1 204 Whatever\r\nUpload-Offset: 33554432\r\n\r\n")
    with stub_server(early) as server:
        gateway = HttpGateway(server.address, KEY, timeouts=SOON)
        with pytest.raises(LakeUnreachable):
            gateway.go_on_upload("abc", 0, BytesContent(bytes(32 << 20)), ignore_sent)
        gateway.close()

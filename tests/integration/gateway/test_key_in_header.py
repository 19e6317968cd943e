"""Where the key goes: into a header only where the server itself asked for it, and nowhere else."""

from __future__ import annotations

import pytest

from app.domain.errors import ConnectionNotUsable, ContractBroken, InvalidApiKey, LakeBusy
from app.infra.http_gateway import HttpGateway
from embedded_server.contract import SyncType
from tests.support.contents import BytesContent, ignore_sent, small_file
from tests.support.stub_server import StubServer, http, stub_server

KEY = "canary-4711-key"
CHALLENGE = {"WWW_Authenticate": 'Bearer realm="LakeDrop"'}
ASKING = http(401, '{"code":401,"reason":"not_authenticated","message":"key?"}', **CHALLENGE)
YES = http(200, '{"code":0,"msg":null}')
NO_ROWS = http(200, "[]")


def _bearers(server: StubServer) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.seen]


def test_a_server_that_does_not_ask_never_gets_it() -> None:
    elsewhere = http(401, "", WWW_Authenticate='Basic realm="proxy"')
    with stub_server(http(200, '{"sync_id":8}'), YES, NO_ROWS, elsewhere) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.start_sync("n", "/data/x", SyncType.FULL)
        gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.sync_jobs(0, 10)
        with pytest.raises(InvalidApiKey):
            gateway.history(0, 10)
        gateway.close()
    assert _bearers(server) == [None] * 4


def test_who_asks_is_answered_at_once_and_from_then_on() -> None:
    with stub_server(ASKING, NO_ROWS, YES) as server:
        gateway = HttpGateway(server.address, KEY)
        assert gateway.sync_jobs(0, 10) == []
        gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.close()
    assert _bearers(server) == [None, f"Bearer {KEY}", f"Bearer {KEY}"]
    assert all(KEY not in request.target for request in server.seen)


def test_the_answer_to_start_tells_how_the_uploads_go() -> None:
    with stub_server(http(200, '{"sync_id":8}', **CHALLENGE), YES) as server:
        gateway = HttpGateway(server.address, KEY)
        gateway.start_sync("n", "/data/x", SyncType.FULL)
        gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.close()
    assert _bearers(server) == [None, f"Bearer {KEY}"]


def test_a_file_is_sent_again_by_the_engine_and_a_batch_at_once() -> None:
    results = (
        '{"results":[{"folder":"/data/x","name":"a","code":0,"msg":null},'
        '{"folder":"/data/x","name":"b","code":0,"msg":null}]}'
    )
    with stub_server(ASKING, YES) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(LakeBusy):
            gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.upload(8, "/data/x", "a.csv", BytesContent(b"1"), ignore_sent)
        gateway.close()
    assert _bearers(server) == [None, f"Bearer {KEY}"]
    sent: list[int] = []
    files = [small_file("/data/x", "a", b"12"), small_file("/data/x", "b", b"3")]
    with stub_server(ASKING, http(200, results)) as server:
        gateway = HttpGateway(server.address, KEY)
        assert len(gateway.upload_batch(8, files, sent.append)) == 2
        gateway.close()
    assert _bearers(server) == [None, f"Bearer {KEY}"]
    assert sum(sent) == 3


def test_a_wrong_key_is_told_after_one_try() -> None:
    with stub_server(ASKING, ASKING) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(InvalidApiKey) as caught:
            gateway.capabilities()
        gateway.close()
    assert _bearers(server) == [None, f"Bearer {KEY}"]
    assert KEY not in str(caught.value)


def test_without_a_key_the_connection_is_told_to_need_one() -> None:
    with stub_server(ASKING) as server:
        gateway = HttpGateway(server.address, "")
        with pytest.raises(ConnectionNotUsable, match="no API key"):
            gateway.sync_jobs(0, 10)
        gateway.close()
    assert len(server.seen) == 1


def test_the_key_does_not_follow_a_redirect() -> None:
    with stub_server() as elsewhere:
        away = http(307, "", location=f"{elsewhere.address}/api/ingestion/file/sync/list")
        with stub_server(ASKING, away) as server:
            gateway = HttpGateway(server.address, KEY)
            with pytest.raises(ContractBroken):
                gateway.sync_jobs(0, 10)
            gateway.close()
    assert elsewhere.seen == []
    assert elsewhere.connections == 0


@pytest.mark.parametrize("key", ["clé-secrète", "two\r\nlines", "schlüssel"])
def test_a_key_that_no_header_carries_is_told_without_it(key: str) -> None:
    with stub_server(ASKING) as server:
        gateway = HttpGateway(server.address, key)
        with pytest.raises(ConnectionNotUsable) as caught:
            gateway.sync_jobs(0, 10)
        gateway.close()
    assert key not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"

"""Everything that is refused is told in the contract's shape, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from embedded_server import contract
from embedded_server.contract import ErrorAnswer, ErrorReason
from tests.integration.server.conftest import Client
from tests.support.observed_disk import tree

NO_SUCH_ID = 987_654_321


def _state(client: Client) -> dict[str, Any]:
    """All that a request could have changed."""
    return {
        "files": tree(client.server.files),
        "incoming": list((client.server.lake / ".lakedrop/incoming").iterdir()),
        "jobs": client.http.get(contract.LIST_ROUTE, params={"size": "1000"}).json(),
        "history": client.http.get(contract.HISTORY_ROUTE, params={"size": "1000"}).json(),
    }


def _error(answer: httpx.Response, status: int = 400) -> ErrorAnswer:
    assert answer.status_code == status, answer.text
    error = ErrorAnswer.from_wire(answer.json())
    assert set(answer.json()) == {"code", "reason", "message"}
    assert error.code == status
    assert error.reason in set(ErrorReason)
    assert error.message
    return error


REFUSED_STARTS: dict[str, dict[str, Any]] = {
    "wrong key": {"api_key": "wrong"},
    "empty key": {"api_key": ""},
    "key of half a character": {"api_key": "\ud800"},
    "no key": {"api_key": None},
    "key that is a number": {"api_key": 5},
    "no name": {"name": None},
    "name with half a character": {"name": "\udfff"},
    "name with a control character": {"name": "a\x00b"},
    "endless name": {"name": "x" * 5_000},
    "no path": {"path": None},
    "relative path": {"path": "data/x"},
    "root": {"path": "/"},
    "path that climbs": {"path": "/data/../../etc"},
    "path of a device": {"path": "/data/NUL"},
    "path that is a list": {"path": ["/data"]},
    "wrong kind": {"sync_type": "Incremental"},
    "kind in lower case": {"sync_type": "fullsync"},
    "no kind": {"sync_type": None},
    "huge": {"name": "x" * 100_000},
}


@pytest.mark.parametrize("what", REFUSED_STARTS)
def test_a_wrong_start_is_refused(client: Client, what: str) -> None:
    before = _state(client)
    # By hand: httpx cannot write half a character.
    body = {
        "name": "n",
        "path": client.path,
        "api_key": client.server.api_key,
        "sync_type": "FullSync",
    } | REFUSED_STARTS[what]
    body = {name: value for name, value in body.items() if value is not None}
    answer = client.http.post(contract.START_ROUTE, content=json.dumps(body))
    error = _error(answer, 413 if what == "huge" else 400)
    if what in ("wrong key", "empty key", "key of half a character"):
        assert (error.reason, error.message) == ("bad_request", "invalid api key")
    assert _state(client) == before


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", '"x"', "{", "\xff", "[" * 50_000, '{"sync_id":' + "9" * 5_000]
)
@pytest.mark.parametrize("route", [contract.START_ROUTE, contract.END_ROUTE])
def test_a_body_that_is_no_json_object_is_refused(client: Client, route: str, body: str) -> None:
    _error(client.http.post(route, content=body.encode("latin-1")))


@pytest.mark.parametrize("kind", ["Full Sync", "Incremental Sync"])
def test_the_kinds_may_be_written_with_a_space(client: Client, kind: str) -> None:
    sync_id = client.started(kind)
    assert client.job(sync_id)["sync_type"] == kind.replace(" ", "")


def test_the_key_may_come_in_the_query(client: Client) -> None:
    body = {"name": "n", "path": client.path, "sync_type": "FullSync"}
    key = {"api_key": client.server.api_key}
    started = client.http.post(contract.START_ROUTE, params=key, json=body)
    assert started.status_code == 200
    sync_id = started.json()["sync_id"]
    wrong = client.http.post(
        contract.END_ROUTE, params={"api_key": "wrong"}, json={"sync_id": sync_id}
    )
    assert _error(wrong).message == "invalid api key"
    assert client.http.post(contract.END_ROUTE, params=key, json={"sync_id": sync_id}).json() == {
        "success": True
    }


@pytest.mark.parametrize("sync_id", [-1, 2**63, 1.5, "1", True, None])
def test_an_impossible_id_is_refused_at_end(client: Client, sync_id: object) -> None:
    body = {"sync_id": sync_id, "api_key": client.server.api_key}
    _error(client.http.post(contract.END_ROUTE, json=body))


def test_an_unknown_sync_and_an_ended_one_are_told_apart(client: Client) -> None:
    missing = f"sync info for id {NO_SUCH_ID} not found"
    assert _error(client.end(NO_SUCH_ID)).message == missing
    assert _error(client.upload(NO_SUCH_ID, "a.csv", b"x")).message == missing
    sync_id = client.started()
    assert client.end(sync_id).json() == {"success": True}
    before = _state(client)
    assert _error(client.end(sync_id)).message == "job is already ended"
    assert _error(client.upload(sync_id, "a.csv", b"x")).message == "job is already ended"
    assert _state(client) == before


REFUSED_UPLOADS: dict[str, Callable[[Client, int], httpx.Response]] = {
    "no sync_id": lambda c, _: c.http.post(contract.UPLOAD_ROUTE, files={"file": ("a", b"x")}),
    "sync_id no number": lambda c, _: c.upload("x1", "a.csv", b"x"),
    "sync_id negative": lambda c, _: c.upload("-1", "a.csv", b"x"),
    "sync_id too large": lambda c, _: c.upload(str(2**63), "a.csv", b"x"),
    "path beside the sync": lambda c, i: c.upload(i, "a.csv", b"x", path=c.path + "x"),
    "path above the sync": lambda c, i: c.upload(i, "a.csv", b"x", path="/data"),
    "path that climbs": lambda c, i: c.upload(i, "a.csv", b"x", path=c.path + "/../other"),
    "empty path": lambda c, i: c.upload(i, "a.csv", b"x", path=""),
    "path not UTF-8": lambda c, i: c.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={i}&path={c.path}%FF", files={"file": ("a", b"x")}
    ),
    "path given twice": lambda c, i: c.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={i}&path={c.path}&path={c.path}",
        files={"file": ("a", b"x")},
    ),
    "name with a slash": lambda c, i: c.upload(i, "../a.csv", b"x"),
    "name with a back-slash": lambda c, i: c.upload(i, "..\\a.csv", b"x"),
    "name of a device": lambda c, i: c.upload(i, "NUL.txt", b"x"),
    "name with a quote": lambda c, i: c.upload(i, 'a".csv', b"x"),
    "two files": lambda c, i: c.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={i}", files=[("file", ("a", b"1")), ("file", ("b", b"2"))]
    ),
    "no file": lambda c, i: c.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={i}", files={"other": ("a", b"1")}
    ),
    "no form": lambda c, i: c.http.post(f"{contract.UPLOAD_ROUTE}?sync_id={i}", json={"file": 1}),
    "no body": lambda c, i: c.http.post(f"{contract.UPLOAD_ROUTE}?sync_id={i}"),
}


@pytest.mark.parametrize("what", REFUSED_UPLOADS)
def test_a_wrong_upload_is_refused_and_nothing_is_written(client: Client, what: str) -> None:
    sync_id = client.started()
    before = _state(client)
    _error(REFUSED_UPLOADS[what](client, sync_id))
    assert _state(client) == before


@pytest.mark.parametrize(
    "query",
    [
        "from=-1",
        "size=-1",
        "size=1001",
        "from=x",
        "size=",
        "size=1.5",
        "size=1e3",
        "from=%EF%BC%91",
    ],
)
@pytest.mark.parametrize("route", [contract.LIST_ROUTE, contract.HISTORY_ROUTE])
def test_a_wrong_page_is_refused(client: Client, route: str, query: str) -> None:
    _error(client.http.get(f"{route}?{query}"))


def test_pages_count_from_the_oldest(client: Client) -> None:
    first, *_ = [client.started() for _ in range(3)]
    jobs = client.http.get(f"{contract.LIST_ROUTE}?from={first - 1}&size=2").json()
    assert [job["sync_id"] for job in jobs] == [first, first + 1]
    assert client.http.get(f"{contract.LIST_ROUTE}?from=0&size=0").json() == []
    assert len(client.http.get(contract.LIST_ROUTE).json()) <= 10
    assert client.http.get(f"{contract.LIST_ROUTE}?from={2**63 - 1}").json() == []


def test_routes_and_methods_that_are_not_there_are_told_in_the_same_shape(client: Client) -> None:
    assert _error(client.http.get("/nowhere"), 404).reason == "not_found"
    assert _error(client.http.get(contract.LIST_ROUTE + "/"), 404).reason == "not_found"
    _error(client.http.put(contract.START_ROUTE), 405)
    _error(client.http.get(contract.UPLOAD_ROUTE), 405)
    _error(client.http.delete(contract.BATCH_ROUTE), 405)


def test_usage_refuses_what_is_no_path(client: Client) -> None:
    _error(client.http.get(contract.USAGE_ROUTE))
    _error(client.http.get(contract.USAGE_ROUTE, params={"path": "/../etc"}))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:80"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Forwarded": "for=1.2.3.4"}, 403),
        ({"X-Forwarded-For": "1.2.3.4"}, 403),
        ({"X-Forwarded-Host": "x"}, 403),
        ({"X-Real-IP": "1.2.3.4"}, 403),
        ({"Via": "1.1 proxy"}, 403),
        ({"X-Client-IP": "1.2.3.4"}, 403),
        ({"True-Client-IP": "1.2.3.4"}, 403),
        ({"CF-Connecting-IP": "1.2.3.4"}, 403),
        ({"X-Cluster-Client-IP": "1.2.3.4"}, 403),
        ({"Forwarded-For": "1.2.3.4"}, 403),
        ({"X-Forwarded": "for=1.2.3.4"}, 403),
        ({"X-Original-Host": "x"}, 403),
        ({"X-Original-URL": "/x"}, 403),
        ({"X-ProxyUser-IP": "1.2.3.4"}, 403),
        ({"Fastly-Client-IP": "1.2.3.4"}, 403),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_strangers_are_kept_out_before_the_body(
    client: Client, headers: dict[str, str], status: int
) -> None:
    sync_id = client.started()
    before = _state(client)
    answer = client.http.post(
        f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}", files={"file": ("a", b"1")}, headers=headers
    )
    error = _error(answer, status)
    assert status != 403 or error.reason == "not_allowed"
    assert _state(client) == before


def test_friends_are_let_in(client: Client) -> None:
    port = client.server.port
    for headers in (
        {"Host": f"localhost:{port}"},
        {"Host": f"LOCALHOST:{port}"},
        {"Host": f"[::1]:{port}"},
        {"Origin": client.server.address, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Content-Encoding": "identity"},
    ):
        assert client.http.get(contract.LIST_ROUTE, headers=headers).status_code == 200

"""Idempotency keys, aborts and expired syncs, as a client meets them over HTTP."""

from __future__ import annotations

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server import contract
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.services.expiry import DAY_MS
from tests.integration.server.conftest import Client
from tests.support.observed_disk import tree
from tests.support.real_server import RealServer

KEY = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'


def _start(client: Client, *keys: str, **fields: Any) -> httpx.Response:
    body = {
        "name": "once",
        "path": client.path,
        "api_key": client.server.api_key,
        "sync_type": "FullSync",
    }
    headers = [(contract.IDEMPOTENCY_HEADER, key) for key in keys]
    return client.http.post(contract.START_ROUTE, json=body | fields, headers=headers)


def _abort(client: Client, sync: int, **fields: Any) -> httpx.Response:
    body = {"sync_id": sync, "api_key": client.server.api_key}
    return client.http.post(contract.ABORT_ROUTE, json=body | fields)


# Idempotency-Key on *start*.


def test_a_start_that_comes_again_is_the_same_sync(client: Client) -> None:
    first = _start(client, f'"{client.path}"').json()
    assert _start(client, f'"{client.path}"').json() == first
    assert _start(client, client.path).json() == first  # bare, as many clients send it
    assert _start(client).json() != first


def test_many_at_once_are_one(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _start(client, f'"{client.path}"').text, range(16)))
    assert len(set(answers)) == 1


def test_another_body_under_the_same_key_is_refused(client: Client) -> None:
    assert _start(client, KEY).status_code == 200
    told = _start(client, KEY, name="another")
    assert (told.status_code, told.json()["reason"]) == (422, "invalid_param")
    assert "Idempotency-Key" in told.json()["message"]


@pytest.mark.parametrize(
    "key", ['""', '"', 'a"b', '"a" ; b', "a, b", '"\\x"', "x" * 256, '"' + "x" * 256 + '"', "a b"]
)
def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    told = _start(client, key)
    assert (told.status_code, told.json()["reason"]) == (400, "invalid_param")


def test_two_keys_are_refused(client: Client) -> None:
    assert _start(client, '"a"', '"b"').status_code == 400


def test_a_wrong_api_key_learns_nothing_of_a_start(client: Client) -> None:
    assert _start(client, f'"{client.path}"').status_code == 200
    told = _start(client, f'"{client.path}"', api_key="wrong")
    assert told.json()["message"] == "invalid api key"


# Abort.


def test_an_abort_is_answered_and_may_be_asked_again(client: Client) -> None:
    sync_id = client.started()
    assert client.upload(sync_id, "a.csv", b"1").status_code == 200
    answers = [_abort(client, sync_id) for _ in range(2)]
    assert [it.json() for it in answers] == [{"success": True, "kept_uploads": 1}] * 2
    assert client.job(sync_id)["sync_status"] == "Failed"
    assert client.published() == {"a.csv": b"1"}
    aborted = contract.sync_aborted_text(sync_id)
    for told in (client.upload(sync_id, "b.csv", b"2"), client.end(sync_id)):
        assert told.status_code == 400
        assert told.json() == {"code": 400, "reason": "bad_request", "message": aborted}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"api_key": "wrong"}, "invalid api key"),
        ({"sync_id": 99_999}, "sync info for id 99999 not found"),
        ({"sync_id": "1"}, "sync_id must be a whole number from 0 to 2^63-1"),
    ],
)
def test_an_abort_that_cannot_be_is_refused(
    client: Client, fields: dict[str, Any], message: str
) -> None:
    told = _abort(client, client.started(), **fields)
    assert (told.status_code, told.json()["message"]) == (400, message)


def test_an_ended_sync_is_not_aborted(client: Client) -> None:
    sync_id = client.started()
    assert client.end(sync_id).status_code == 200
    told = _abort(client, sync_id)
    assert (told.status_code, told.json()["message"]) == (400, "job is already ended")


# Expiry.


def test_a_server_expires_an_idle_sync_and_says_so_ever_after(lake: Path) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        idle, fresh = client.started("FullSync"), client.started("FullSync")
        client.upload(idle, "a.csv", b"1")
    with closing(sqlite3.connect(lake / ".lakedrop" / "catalog.db")) as db:
        db.execute("UPDATE syncs SET idle_ms = ? WHERE sync_id = ?", (7 * DAY_MS, idle))
        db.commit()
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        while client.job(idle)["sync_status"] == "Syncing":
            pass  # the server looks at its start; the test's own time-out ends this
        told = client.upload(idle, "b.csv", b"2")
        assert told.status_code == 410
        assert told.json() == {
            "code": 410,
            "reason": "expired",
            "message": contract.sync_expired_text(idle),
        }
        assert client.job(fresh)["sync_status"] == "Syncing"
        assert tree(lake / ".lakedrop" / "staging") == {}
        assert client.upload(fresh, "c.csv", b"3").status_code == 200


# Queries.


def _query(client: Client, route: str, **fields: object) -> httpx.Response:
    return client.http.get(route, params={name: str(value) for name, value in fields.items()})


def test_uploads_are_found_newest_first_with_all_that_is_known_of_them(client: Client) -> None:
    sync_id = client.started()
    for name in ("a.csv", "b.csv"):
        client.upload(sync_id, name, b"1,2\n", path=f"{client.path}/below")
    client.upload(sync_id, "con", b"refused", path=client.path)
    found = _query(client, contract.HISTORY_QUERY_ROUTE, sync_id=sync_id, size=1).json()
    assert (found["total"], len(found["rows"])) == (2, 1)
    newest = UploadDetails.from_wire(found["rows"][0])
    stored = client.server.files / client.path[1:] / "below" / "b.csv"
    assert (newest.record.file_name, newest.folder) == ("b.csv", f"{client.path}/below")
    assert (newest.size, newest.mtime) == (4, stored.stat().st_mtime_ns // 1_000_000)
    assert newest.sha256 == hashlib.sha256(b"1,2\n").hexdigest()
    older = _query(
        client, contract.HISTORY_QUERY_ROUTE, sync_id=sync_id, before=found["next"]
    ).json()
    assert [row["file_name"] for row in older["rows"]] == ["a.csv"]
    assert (older["total"], older["next"]) == (None, None)


def test_syncs_are_found_by_text_type_and_status(client: Client) -> None:
    sync_id = client.started("FullSync")
    _abort(client, sync_id)
    found = _query(
        client, contract.SYNCS_QUERY_ROUTE, text=client.path, type="FullSync", status="Failed"
    ).json()
    [row] = [SyncDetails.from_wire(row) for row in found["rows"]]
    assert (row.job.sync_id, row.message, found["total"]) == (sync_id, "aborted", 1)


@pytest.mark.parametrize("route", [contract.SYNCS_QUERY_ROUTE, contract.HISTORY_QUERY_ROUTE])
@pytest.mark.parametrize(
    "fields",
    [
        {"size": 1_001},
        {"from": -1},
        {"before": "x"},
        {"from": 1, "before": 2},
        {"status": "Done"},
        {"type": "Half"},
        {"since": "yesterday"},
        {"text": "x" * 201},
        {"form": 1},
        {"sync_id": 2**63},
    ],
    ids=lambda it: "-".join(it),
)
def test_a_query_that_makes_no_sense_is_refused(
    client: Client, route: str, fields: dict[str, object]
) -> None:
    told = _query(client, route, **fields)
    assert (told.status_code, told.json()["reason"]) == (400, "invalid_param")


@pytest.mark.parametrize("route", [contract.SYNCS_QUERY_ROUTE, contract.HISTORY_QUERY_ROUTE])
@pytest.mark.parametrize("largest", ["from", "before", "sync_id", "since", "until"])
def test_the_largest_numbers_are_answered(client: Client, route: str, largest: str) -> None:
    fields = {"text": "%\\_'\"é\U0001f4c8"} if largest == "until" else {}
    told = _query(client, route, **{largest: 2**63 - 1}, **fields)
    assert told.status_code == 200, told.text

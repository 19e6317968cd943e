"""The trash over HTTP: listed, put back, purged; and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_server.contract import CAPABILITIES_ROUTE
from embedded_server.contract_extensions import (
    EXTENSION_TRASH,
    TRASH_FILES_ROUTE,
    TRASH_PURGE_ROUTE,
    TRASH_RESTORE_ROUTE,
    TRASH_ROUTE,
)
from tests.integration.server.conftest import Client
from tests.support.real_server import RealServer


@pytest.fixture
def twice(tmp_path: Path) -> Iterator[tuple[Client, int]]:
    """A folder that two full syncs wrote, on a lake of its own; the second one's id."""
    with RealServer(tmp_path / "lake") as server, Client(server, "/data/x") as client:
        for data in (b"one", b"second"):
            sync_id = client.started("FullSync")
            assert client.upload(sync_id, "a.csv", data).status_code == 200
            assert client.end(sync_id).status_code == 200
        yield client, sync_id


def _row(client: Client) -> dict[str, Any]:
    answer = client.http.get(TRASH_ROUTE).json()
    assert answer["total"] == 1
    row: dict[str, Any] = answer["rows"][0]
    return row


def test_a_full_sync_is_taken_back_and_again(twice: tuple[Client, int]) -> None:
    client, sync_id = twice
    row = _row(client)
    assert (row["sync_id"], row["sync_type"], row["path"]) == (sync_id, "FullSync", "/data/x")
    assert (row["files"], row["size"]) == (1, 3)
    version = {"sync_id": sync_id, "version": row["version"]}
    files = client.http.get(TRASH_FILES_ROUTE, params=version).json()
    assert [it["path"] for it in files["rows"]] == ["/data/x/a.csv"]
    done = client.http.post(TRASH_RESTORE_ROUTE, json=version).json()
    assert client.published() == {"a.csv": b"one"}
    assert client.http.post(TRASH_RESTORE_ROUTE, json=done["undo"]).status_code == 200
    assert client.published() == {"a.csv": b"second"}


def test_a_restore_sent_again_with_the_state_it_saw_is_done_once(
    twice: tuple[Client, int],
) -> None:
    """Its answer was lost: the second one must not take the first one back."""
    client, sync_id = twice
    row = _row(client)
    body = {"sync_id": sync_id, "version": row["version"], "state": row["state"]}
    assert client.http.post(TRASH_RESTORE_ROUTE, json=body).status_code == 200
    again = client.http.post(TRASH_RESTORE_ROUTE, json=body)
    assert (again.status_code, again.json()["code"]) == (409, 409)
    assert client.published() == {"a.csv": b"one"}
    changed = _row(client)
    assert changed["state"] != row["state"]
    back = {**body, "version": changed["version"], "state": changed["state"]}
    assert client.http.post(TRASH_RESTORE_ROUTE, json=back).status_code == 200
    assert client.published() == {"a.csv": b"second"}


def test_a_state_goes_with_a_whole_version(twice: tuple[Client, int]) -> None:
    client, sync_id = twice
    row = _row(client)
    body = {"sync_id": sync_id, "version": row["version"], "state": row["state"]}
    refused = client.http.post(TRASH_RESTORE_ROUTE, json={**body, "path": "/data/x/a.csv"})
    assert refused.status_code == 400
    assert client.published() == {"a.csv": b"second"}


def test_what_is_not_there_is_not_found(twice: tuple[Client, int]) -> None:
    client, sync_id = twice
    for body in (
        {"sync_id": sync_id, "version": 9},
        {"sync_id": 99, "version": 1},
        {"sync_id": sync_id, "version": 1, "path": "/data/x/b.csv"},
    ):
        told = client.http.post(TRASH_RESTORE_ROUTE, json=body)
        assert (told.status_code, told.json()["reason"]) == (404, "not_found")
    query = {"sync_id": sync_id, "version": 9}
    assert client.http.get(TRASH_FILES_ROUTE, params=query).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"older_than_day": 0},
        {"older_than_days": -1},
        {"older_than_days": 10**6},
        {"max_bytes": "1"},
    ],
)
def test_a_purge_that_is_not_understood_removes_nothing(
    twice: tuple[Client, int], body: dict[str, Any]
) -> None:
    client, _ = twice
    assert client.http.post(TRASH_PURGE_ROUTE, json=body).status_code == 400
    assert _row(client)


def test_the_trash_is_emptied_when_asked_and_not_before(twice: tuple[Client, int]) -> None:
    client, _ = twice
    nothing = {"versions": 0, "files": 0, "size": 0}
    assert client.http.post(TRASH_PURGE_ROUTE, json={}).json() == nothing
    assert client.http.post(TRASH_PURGE_ROUTE, json={"max_bytes": 3}).json() == nothing
    emptied = client.http.post(TRASH_PURGE_ROUTE, json={"older_than_days": 0}).json()
    assert emptied == {"versions": 1, "files": 1, "size": 3}
    assert client.http.get(TRASH_ROUTE).json() == {"total": 0, "rows": []}
    assert client.published() == {"a.csv": b"second"}


def test_capabilities_name_it(client: Client) -> None:
    assert EXTENSION_TRASH in client.http.get(CAPABILITIES_ROUTE).json()["extensions"]


def test_the_trash_is_purged_by_itself(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        for data in (b"one", b"second"):
            sync_id = client.started("FullSync")
            client.upload(sync_id, "a.csv", data)
            client.end(sync_id)
        row = _row(client)
        age_ms = row["purge_at"] - row["replaced_at"]
        assert abs(age_ms - 30 * 86_400_000) < 3_600_000
    with_cap = ("-m", "embedded_server", "--trash-max-size", "2", "--trash-days", "0")
    with RealServer(lake, program=with_cap) as server, Client(server, "/data/x") as client:
        while client.http.get(TRASH_ROUTE).json()["total"]:  # it looks soon after its start
            pass
        assert client.published() == {"a.csv": b"second"}
        sync_id = client.started("FullSync")
        client.end(sync_id)
        assert _row(client)["purge_at"] is None

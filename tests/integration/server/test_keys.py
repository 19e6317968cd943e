"""`lakedrop keys`: who may use a lake, on a lake at rest and while its server runs."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from embedded_server import contract
from tests.support.real_server import RealServer
from tests.support.tls import SERVE_WITH_TLS, trusting

_REPOSITORY = Path(__file__).resolve().parents[3]
FILE = {"file": ("a.csv", b"x")}


def _keys(
    lake: Path, *arguments: str, program: str = "embedded_server"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", program, "keys", *arguments, "--lake", str(lake)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=_REPOSITORY,
        timeout=60,
        check=False,
    )


def _added(lake: Path, *arguments: str) -> str:
    done = _keys(lake, "add", *arguments)
    assert done.returncode == 0, done.stderr
    [key] = done.stdout.splitlines()
    return key


def _listed(lake: Path) -> dict[str, dict[str, object]]:
    done = _keys(lake, "list", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: row for row in rows}


class Served:
    """A strict server on a lake that has one key, "first"."""

    def __init__(self, server: RealServer, key: str) -> None:
        self.server = server
        self.lake = server.lake
        self.key = key
        self.http = httpx.Client(base_url=server.address, verify=trusting(), timeout=60)

    def ask(self, key: str, method: str, url: str, **body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return self.http.request(method, url, headers=headers, **body)  # type: ignore[arg-type]

    def start(self, key: str, path: str) -> httpx.Response:
        body = {"name": "n", "path": path, "sync_type": "IncrementalSync"}
        return self.ask(key, "POST", contract.START_ROUTE, json=body)

    def end(self, key: str, sync_id: int) -> httpx.Response:
        return self.ask(key, "POST", contract.END_ROUTE, json={"sync_id": sync_id})

    def upload(self, key: str, sync_id: int, route: str = contract.UPLOAD_ROUTE) -> httpx.Response:
        return self.ask(key, "POST", f"{route}?sync_id={sync_id}", files=FILE)

    def list(self, key: str) -> int:
        return self.ask(key, "GET", contract.LIST_ROUTE).status_code


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    lake = tmp_path_factory.mktemp("keys") / "lake"
    key = _added(lake, "first")
    program = ("-m", "embedded_server", "--strict", *SERVE_WITH_TLS)
    with RealServer(lake, api_key="", program=program) as server:
        made = Served(server, key)
        yield made
        made.http.close()


def test_a_key_works_at_once_and_is_out_at_once(served: Served) -> None:
    assert served.list(served.key) == 200
    key = _added(served.lake, "soon-gone")
    assert key.startswith("lake_")
    assert len(key) >= len("lake_") + 22
    assert served.list(key) == 200
    gone = _keys(served.lake, "revoke", "soon-gone")
    assert gone.returncode == 0
    assert key not in gone.stdout + gone.stderr
    assert served.list(key) == 401
    assert served.list(served.key) == 200
    again = _added(served.lake, "soon-gone")  # the name is free again, the old key is not
    assert again != key
    assert (served.list(again), served.list(key)) == (200, 401)


def test_the_list_tells_uses_and_never_keys(served: Served) -> None:
    key = _added(served.lake, "used", "--path", "/data/used/")
    assert _listed(served.lake)["used"]["last_used_at_ms"] == 0
    served.start(key, "/data/used")
    row = _listed(served.lake)["used"]
    assert row["path"] == "/data/used"
    assert row["read_only"] is False
    assert isinstance(row["last_used_at_ms"], int)
    assert isinstance(row["created_at_ms"], int)
    assert row["last_used_at_ms"] >= row["created_at_ms"] > 0
    table = _keys(served.lake, "list").stdout
    assert "NAME" in table.splitlines()[0]
    assert "/data/used" in table
    assert "lake_" not in table
    for file in served.lake.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file


def test_a_bound_key_reaches_nothing_beside_its_path(served: Served) -> None:
    key = _added(served.lake, "bound", "--path", "/data/mine")
    mine = served.start(key, "/data/mine/below")
    assert mine.status_code == 200, mine.text
    sync_id = mine.json()["sync_id"]
    assert served.upload(key, sync_id).status_code == 200
    assert served.upload(key, sync_id, contract.BATCH_ROUTE).status_code == 200
    usage = f"{contract.USAGE_ROUTE}?path="
    assert served.ask(key, "GET", usage + "/data/mine").status_code == 200
    assert served.end(key, sync_id).status_code == 200
    other = served.start(served.key, "/data/other").json()["sync_id"]
    for answer in (
        served.start(key, "/data/mine2"),
        served.start(key, "/data"),
        served.upload(key, other),
        served.upload(key, other, contract.BATCH_ROUTE),
        served.end(key, other),
        served.ask(key, "GET", usage + "/data"),
        served.ask(key, "GET", "/openapi.json"),
        # Where the body brings the key, the path counts as well.
        served.http.post(
            contract.START_ROUTE,
            json={"name": "n", "path": "/data/x", "sync_type": "FullSync", "api_key": key},
        ),
        served.http.post(contract.END_ROUTE, json={"sync_id": other, "api_key": key}),
    ):
        assert answer.status_code == 403, answer.text
        assert answer.json()["reason"] == "not_allowed"
    # What is beside the path is not there for it, also where rows are counted.
    for _ in range(2):
        again = served.start(key, "/data/mine").json()["sync_id"]
        served.upload(served.key, other)
        served.upload(key, again)
    for query, newest in (("size=1000", 3), ("from=1&size=1", 1), ("from=3", 0)):
        jobs = served.ask(key, "GET", f"{contract.LIST_ROUTE}?{query}").json()
        assert [job["path"].startswith("/data/mine") for job in jobs] == [True] * newest
    history = served.ask(key, "GET", f"{contract.HISTORY_ROUTE}?size=1000").json()
    assert {row["sync_id"] for row in history} == {sync_id, again, again - 1}
    assert len(served.ask(key, "GET", f"{contract.HISTORY_ROUTE}?from=3").json()) == 1
    for route in (contract.SYNCS_QUERY_ROUTE, contract.HISTORY_QUERY_ROUTE):
        found = served.ask(key, "GET", route)
        assert found.status_code == 200
        assert "/data/other" not in found.text
    assert served.end(served.key, other).status_code == 200


def test_a_reading_key_changes_nothing(served: Served) -> None:
    key = _added(served.lake, "reader", "--read-only")
    other = served.start(served.key, "/data/read").json()["sync_id"]
    assert served.list(key) == 200
    assert served.ask(key, "GET", f"{contract.USAGE_ROUTE}?path=/data").status_code == 200
    body = {"name": "n", "path": "/data/x", "sync_type": "FullSync", "api_key": key}
    for answer in (
        served.start(key, "/data/read"),
        served.upload(key, other),
        served.upload(key, other, contract.BATCH_ROUTE),
        served.end(key, other),
        served.ask(key, "POST", "/no/such/route/yet"),
        served.http.post(contract.START_ROUTE, json=body),
        served.http.post(contract.END_ROUTE, json={"sync_id": other, "api_key": key}),
    ):
        assert answer.status_code == 403, answer.text
    assert served.end(served.key, other).status_code == 200


def test_who_sent_what_is_in_the_catalog(served: Served) -> None:
    key = _added(served.lake, "sender")
    sync_id = served.start(key, "/data/sent").json()["sync_id"]
    served.upload(key, sync_id)
    served.upload(served.key, sync_id, contract.BATCH_ROUTE)
    uri = f"file:{served.lake}/.lakedrop/catalog.db?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as db:
        started_by = db.execute("SELECT key_name FROM syncs WHERE sync_id = ?", (sync_id,))
        assert started_by.fetchone() == ("sender",)
        names = db.execute(
            "SELECT key_name FROM uploads WHERE sync_id = ? ORDER BY history_id", (sync_id,)
        )
        assert names.fetchall() == [("sender",), ("first",)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "first"), "there is a key named first"),
        (("add", "lake"), "the lake's own key"),
        (("add", "a b"), "cannot be a key's name"),
        (("add", "x" * 65), "cannot be a key's name"),
        (("add", "x", "--path", "data"), "must be absolute"),
        (("add", "x", "--path", "/"), "must name a folder"),
        (("revoke", "nobody"), "there is no key named 'nobody'"),
    ],
)
def test_what_cannot_be_is_told(served: Served, arguments: tuple[str, ...], told: str) -> None:
    done = _keys(served.lake, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def _at_the_door(served: Served, line: bytes) -> bytes:
    door = json.loads((served.lake / ".lakedrop/owners-door.json").read_text())
    with socket.create_connection(("127.0.0.1", door["port"]), 60) as connection:
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            return connection.makefile("rb").read()
        except OSError:  # it need not listen to the end
            return b""


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b'{"command": "list"}\n',
        b'{"secret": "", "command": "list"}\n',
        b'{"secret": "\\ud800", "command": "list"}\n',
        b'{"secret": 5, "command": "add", "name": "x", "path": null, "read_only": false}\n',
        b"x" * 200_000 + b"\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_the_back_door_opens_to_its_secret_alone(served: Served, line: bytes) -> None:
    answer = _at_the_door(served, line)
    assert b"done" not in answer
    assert b"first" not in answer
    assert "x" not in _listed(served.lake)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_the_secret_of_the_door_is_the_owner_s_and_goes_with_the_server(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with RealServer(lake):
        file = lake / ".lakedrop/owners-door.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        _added(lake, "kept")
    assert not file.exists()
    assert "kept" in _listed(lake)


def test_a_use_is_remembered_across_runs(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    key = _added(lake, "once")
    with RealServer(lake) as server:
        answer = httpx.get(
            server.address + contract.LIST_ROUTE, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200
    assert _listed(lake)["once"]["last_used_at_ms"] != 0


def test_it_is_a_command_of_lakedrop_and_makes_no_lake_by_a_slip(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for action in (("list",), ("revoke", "x")):
        done = _keys(lake, *action, program="app")
        assert done.returncode == 1
        assert "is no lake" in done.stderr
        assert not lake.exists()
    assert _keys(lake, "add", "x", program="app").stdout.startswith("lake_")
    assert "x" in _keys(lake, "list", program="app").stdout
    assert _keys(lake, "nonsense").returncode == 2

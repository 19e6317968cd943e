"""Trying a connection before it is saved: what is wrong is told, and nothing is left behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import (
    ConnectionNotUsable,
    ContractBroken,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeRefused,
    LakeUnreachable,
)
from app.engine.connection_commands import ConnectionCommands
from app.engine.keys import Keys
from app.infra.gateways import HttpGateways
from app.infra.server_process import LocalLakeServer
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets
from tests.support.plain_server import running_plain_server
from tests.support.stub_server import Line, http, stub_server

KEY = "canary-key-4711"
PAGE = "<!DOCTYPE html><html><head><title>Welcome to our shop</title></head></html>"


class Desk:
    def __init__(self, home: Path) -> None:
        self.store, self.secrets = MemoryConnectionStore(), MemorySecrets()
        self.gateways = HttpGateways(LocalLakeServer(home / "lake"))
        keys = Keys(self.secrets, self.store)
        self.table = ConnectionCommands(self.gateways.open, self.store, self.secrets, keys).table()

    def check(self, connection: dict[str, Any], key: str | None = KEY, **more: Any) -> Any:
        return self.table["check_connection"]({"connection": connection, "key": key, **more})

    def error(self, connection: dict[str, Any], key: str | None = KEY) -> LakeDropError:
        """What the check tells; never with the key in it."""
        with pytest.raises(LakeDropError) as caught:
            self.check(connection, key)
        assert KEY not in f"{caught.value!r} {caught.value.message}"
        return caught.value


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.gateways.close()


def test_an_address_that_is_not_saved_is_tried_and_nothing_is_left(
    desk: Desk, tmp_path: Path
) -> None:
    with running_plain_server(tmp_path / "plain", KEY) as server:
        here = {"base_url": server.address, "allow_plain_http": False}
        answer = desk.check(here)
        assert answer["plain_server"] is True
        assert answer["label"] == server.address
        error = desk.error(here, "wrong" + KEY)
        assert type(error) is InvalidApiKey
        assert "API key" in error.message
        assert "no API key" in desk.error(here, None).message
        gateway = desk.gateways.open(Connection("", server.address), None)
        assert gateway.sync_jobs(0, 10) == []
        assert gateway.history(0, 10) == []
    assert [path for path in (tmp_path / "plain").rglob("*") if path.is_file()] == []
    assert desk.store.all() == []


def test_plain_http_to_another_machine_needs_consent_and_no_byte_is_sent_without(
    desk: Desk,
) -> None:
    error = desk.error({"base_url": "http://lake.invalid", "allow_plain_http": False})
    assert type(error) is ConnectionNotUsable
    assert "not encrypted" in error.message
    error = desk.error({"base_url": "http://lake.invalid", "allow_plain_http": True})
    assert type(error) is LakeUnreachable  # with the consent it is tried


@pytest.mark.parametrize(
    "address", ["lake.example.com", "ftp://x.example", "https://", "javascript:x"]
)
def test_what_is_no_address_is_told(desk: Desk, address: str) -> None:
    error = desk.error({"base_url": address, "allow_plain_http": False})
    assert "must look like https://" in error.message


def test_an_address_where_nobody_answers_is_told(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = desk.error({"base_url": f"http://127.0.0.1:{port}", "allow_plain_http": False})
    assert type(error) is LakeUnreachable
    assert "refused the connection" in error.message


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        (http(200, PAGE, "text/html"), ContractBroken, "web page"),
        (http(404, PAGE, "text/html"), ContractBroken, "address of this connection"),
        (http(405, PAGE, "text/html"), ContractBroken, "address of this connection"),
        (http(403, PAGE, "text/html"), LakeRefused, "web page"),
        (http(302, "", Location="https://elsewhere.example"), ContractBroken, "another address"),
        (http(502, PAGE, "text/html"), LakeBusy, "web page"),
        (http(500, PAGE, "text/html"), LakeBroken, "web page"),
        (http(200, '{"success": true}'), ContractBroken, "cannot exist"),
        (http(200, '{"hello": "world"}'), ContractBroken, "not one of the upload API"),
    ],
)
def test_a_server_that_is_something_else_is_told_and_asked_nothing_more(
    desk: Desk, line: Line, kind: type[LakeDropError], words: str
) -> None:
    with stub_server(line) as server:
        error = desk.error({"base_url": server.address, "allow_plain_http": False})
    assert type(error) is kind
    assert words in error.message
    assert "<" not in error.message
    # One request, which on a right server would have ended a sync that cannot exist.
    assert [json.loads(request.body)["sync_id"] for request in server.seen] == [2**63 - 1]


def test_a_stored_key_tries_another_path_of_its_server_and_no_other_server(
    desk: Desk, tmp_path: Path
) -> None:
    with (
        running_plain_server(tmp_path / "one", KEY) as one,
        running_plain_server(tmp_path / "two", KEY) as two,
    ):
        desk.store.save(Connection("prod", one.address + "/v1"))
        desk.secrets.set("prod", KEY)
        assert desk.check({"base_url": one.address}, None, key_of="prod")["plain_server"] is True
        with pytest.raises(ConnectionNotUsable, match="no API key"):
            desk.check({"base_url": one.address}, None)
        with pytest.raises(ConnectionNotUsable, match="no API key"):
            desk.check({"base_url": two.address}, None, key_of="prod")
        with pytest.raises(InvalidApiKey):
            desk.check({"base_url": one.address}, "typed", key_of="prod")

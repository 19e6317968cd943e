"""A server process for the tests of a module; each test works below a path of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server import contract
from tests.support.observed_disk import tree
from tests.support.real_server import RealServer

_numbers = itertools.count(1)


class Client:
    """The five calls by a plain HTTP client, and a path nobody else uses."""

    def __init__(self, server: RealServer, path: str) -> None:
        self.server = server
        self.path = path
        self.http = httpx.Client(base_url=server.address, timeout=60)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def start(self, sync_type: str = "IncrementalSync", **fields: Any) -> httpx.Response:
        body = {
            "name": "a sync",
            "path": self.path,
            "api_key": self.server.api_key,
            "sync_type": sync_type,
        }
        return self.http.post(contract.START_ROUTE, json=body | fields)

    def started(self, sync_type: str = "IncrementalSync") -> int:
        answer = self.start(sync_type)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["sync_id"])

    def upload(self, sync_id: int | str, name: str, data: bytes, **query: str) -> httpx.Response:
        return self.http.post(
            contract.UPLOAD_ROUTE,
            params={"sync_id": str(sync_id), **query},
            files={"file": (name, data)},
        )

    def end(self, sync_id: int) -> httpx.Response:
        body = {"sync_id": sync_id, "api_key": self.server.api_key}
        return self.http.post(contract.END_ROUTE, json=body)

    def history_of(self, sync_id: int) -> list[dict[str, Any]]:
        rows = self.http.get(contract.HISTORY_ROUTE, params={"size": "1000"}).json()
        return [row for row in rows if row["sync_id"] == sync_id]

    def job(self, sync_id: int) -> dict[str, Any]:
        query = {"from": str(sync_id - 1), "size": "1"}
        [job] = self.http.get(contract.LIST_ROUTE, params=query).json()
        assert isinstance(job, dict)
        return job

    def published(self) -> dict[str, bytes]:
        return tree(self.server.files / self.path[1:])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("server") / "lake") as running:
        yield running


@pytest.fixture
def client(server: RealServer) -> Iterator[Client]:
    with Client(server, f"/data/test{next(_numbers)}") as made:
        yield made


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"

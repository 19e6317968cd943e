"""Searches have workers of their own: however long they take, nothing else waits behind them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import httpx
from starlette.types import Receive, Scope, Send

from embedded_server import contract
from embedded_server.domain.api_key import ApiKey, StoredKey
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.measures import Measures
from embedded_server.domain.try_limiter import TryLimiter
from embedded_server.gate.gatekeeper import HouseRules
from embedded_server.gate.names import ServerNames
from embedded_server.opened_lake import OpenedLake
from embedded_server.routes.callers import VISITOR
from embedded_server.services.admission import Admission, Visitor
from embedded_server.services.keys import Keys
from embedded_server.storage.disk import Disk
from embedded_server.storage.local_lake import open_layout

_OWN, _BOUND = "o" * 40, "b" * 40
_MORE_THAN_THERE_ARE = 32


def test_no_call_waits_behind_searches(tmp_path: Path) -> None:
    opened = OpenedLake(open_layout(str(tmp_path / "lake"), Disk()), Disk(), Measures())
    path = LakePath(("data",))
    bound = StoredKey("ci", ApiKey(_BOUND).digest, path, is_read_only=False, created_at_ms=1)
    keys = Keys(ApiKey(_OWN), [bound])
    never = TryLimiter(1_000, lambda: 0.0)
    names = ServerNames.of("http", "127.0.0.1", 8640)
    admission = Admission(keys, never, never, lambda _: None)
    app = opened.app(admission, HouseRules(names, is_strict=False))

    async def from_here(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {VISITOR: Visitor("here", needs_key=False)}
        await app(scope, receive, send)

    let_go = threading.Event()
    for _ in range(_MORE_THAN_THERE_ARE):
        opened.search_workers.submit(let_go.wait, 60)
    transport = httpx.ASGITransport(app=from_here)
    try:
        asyncio.run(_calls(transport, let_go))
    finally:
        let_go.set()
        opened.close()


async def _calls(transport: httpx.ASGITransport, let_go: threading.Event) -> None:
    bound = {"Authorization": f"Bearer {_BOUND}"}
    body = {"name": "x", "path": "/data/x", "api_key": _OWN, "sync_type": "IncrementalSync"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8640") as http:
        searches = [
            asyncio.create_task(http.get(contract.HISTORY_QUERY_ROUTE, params={"text": "x"})),
            asyncio.create_task(http.get(contract.SYNCS_QUERY_ROUTE)),
            asyncio.create_task(http.get(contract.LIST_ROUTE, headers=bound)),
            asyncio.create_task(http.get(contract.HISTORY_ROUTE, headers=bound)),
        ]
        started = await http.post(contract.START_ROUTE, json=body)
        sync = started.json()["sync_id"]
        file = {"file": ("a.csv", b"1")}
        answers = [
            await http.post(contract.UPLOAD_ROUTE, params={"sync_id": sync}, files=file),
            await http.get(contract.LIST_ROUTE),
            await http.get(contract.HISTORY_ROUTE),
            await http.get(contract.CAPABILITIES_ROUTE),
            await http.post(contract.END_ROUTE, json={"sync_id": sync, "api_key": _OWN}),
        ]
        assert [it.status_code for it in answers] == [200] * len(answers)
        assert not any(it.done() for it in searches)
        let_go.set()
        assert {it.status_code for it in await asyncio.gather(*searches)} == {200}

"""The lists on a server with nothing but the five calls, over HTTP in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from app.domain.connections import Connection
from app.domain.ports import LakeGateway
from app.engine.keys import Keys
from app.engine.reading_commands import ReadingCommands
from app.infra.http_gateway import HttpGateway
from app.infra.server_process import LocalLakeServer
from app.ui.context import UiContext
from app.ui.history.history_page import HistoryPage
from app.ui.jobs.jobs_page import JobsPage
from embedded_server.contract import SyncType
from tests.gui.jobs.served import cell, open_page, press
from tests.support.contents import BytesContent, ignore_sent
from tests.support.fake_engine import FakeEngine
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets
from tests.support.plain_server import running_plain_server

KEY = "cccccccc-14a1-4eb1-8964-000000000000"


@pytest.fixture
def plain(engine: FakeEngine, tmp_path: Path) -> Iterator[HttpGateway]:
    """The engine reads this server for the connection `plain`, with the commands of its own."""
    with running_plain_server(tmp_path / "lake", KEY) as server:
        gateway = HttpGateway(server.address, KEY)
        store = MemoryConnectionStore()
        store.save(Connection("plain", server.address))

        def open_gateway(connection: Connection, _: str | None) -> LakeGateway:
            assert connection.name == "plain"
            return gateway

        keys = Keys(MemorySecrets(), store)
        local = LocalLakeServer(tmp_path / "home")
        table = ReadingCommands(open_gateway, store, keys, local).table()

        def answer(command: str, args: dict[str, Any]) -> dict[str, Any]:
            return dict(table[command](args))

        for command in ("count_rows", "page_rows", "history_of_sync"):
            engine.answers[command] = partial(answer, command)
        entry = {
            "name": "plain",
            "base_url": server.address,
            "allow_plain_http": False,
            "has_key": True,
            "key": "session",
        }
        engine.answers["connections"] = lambda _: {"keyring": True, "connections": [entry]}
        yield gateway
        gateway.close()


def _start(gateway: HttpGateway, name: str) -> int:
    return gateway.start_sync(name, "/data/x", SyncType.INCREMENTAL)


def _send(gateway: HttpGateway, sync_id: int, name: str) -> None:
    gateway.upload(sync_id, "/data/x", name, BytesContent(b"1"), ignore_sent)


def test_jobs_of_a_plain_server_newest_first_and_looked_at_while_one_runs(
    context: UiContext, engine: FakeEngine, plain: HttpGateway, qtbot: QtBot
) -> None:
    for number in range(150):  # more than a page
        plain.end_sync(_start(plain, f"sync {number}"))
    running = _start(plain, "the running one")
    page = JobsPage(context)
    page._choice.choose("plain")
    table = open_page(page, qtbot)

    qtbot.waitUntil(lambda: table.model().rowCount() == 151 and cell(table, 0) != "")
    assert (cell(table, 0), cell(table, 0, 1)) == ("the running one", "Syncing")
    table.scrollToBottom()
    qtbot.waitUntil(lambda: cell(table, 150) == "sync 0")
    table.scrollToTop()
    plain.end_sync(running)
    qtbot.waitUntil(lambda: cell(table, 0, 1) == "Finished", timeout=10_000)


def test_from_a_job_to_its_files_on_a_plain_server_while_it_runs(
    context: UiContext, engine: FakeEngine, plain: HttpGateway, qtbot: QtBot
) -> None:
    other, sync_id = _start(plain, "another"), _start(plain, "tháng 10")
    for number in range(3):
        _send(plain, sync_id, f"tháng {number}.csv")
        _send(plain, other, f"other {number}.csv")
    page = HistoryPage(context)
    page._choice.choose("plain")
    whole = open_page(page, qtbot)
    qtbot.waitUntil(lambda: whole.model().rowCount() == 6)
    page.show_sync("plain", sync_id, "tháng 10")
    table = page.findChild(QTableView, "history.syncTable")
    assert table is not None
    qtbot.waitUntil(lambda: table.model().rowCount() == 3)
    assert [cell(table, row) for row in range(3)] == [f"tháng {row}.csv" for row in (2, 1, 0)]
    table.selectRow(2)

    _send(plain, sync_id, "late.csv")

    qtbot.waitUntil(lambda: table.model().rowCount() == 4, timeout=10_000)
    assert cell(table, 0) == "late.csv"
    assert [index.row() for index in table.selectionModel().selectedRows()] == [3]
    press(page, "history.allFiles")
    qtbot.waitUntil(lambda: whole.model().rowCount() == 7 and cell(whole, 0) == "late.csv")

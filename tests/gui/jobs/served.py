"""A server's rows behind the scripted engine, and what a page shows of them."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from app.ui.context import Page
from tests.support.fake_engine import FakeEngine


class Server:
    """Rows of sync jobs, oldest first, as a server tells them."""

    def __init__(self, engine: FakeEngine, count: int) -> None:
        self.count = count
        self.running: set[int] = set()
        self.pages: list[tuple[int, int]] = []
        engine.answers["count_rows"] = lambda _: {"count": self.count}
        engine.answers["page_rows"] = self._page

    def _page(self, args: dict[str, Any]) -> dict[str, Any]:
        offset, limit = args["offset"], args["limit"]
        self.pages.append((offset, limit))
        last = min(offset + limit, self.count)
        return {"rows": [self._row(number) for number in range(offset, last)]}

    def _row(self, number: int) -> dict[str, Any]:
        running = number in self.running
        return {
            "org_id": 0,
            "sync_id": number + 1,
            "name": f"sync {number}",
            "path": "/data/x",
            "sync_type": "FullSync",
            "sync_status": "Syncing" if running else "Finished",
            "start_time": 1_795_252_440_000,
            "end_time": 0 if running else 1_795_252_441_000,
            "total_files": 3,
            "num_failed": 0,
        }


def open_page(page: Page, qtbot: QtBot) -> QTableView:
    qtbot.addWidget(page)
    page.resize(1096, 600)
    page.show()
    qtbot.waitExposed(page)
    page.entered()
    table = page.findChild(QTableView, f"{page._names}.table")  # type: ignore[attr-defined]
    assert isinstance(table, QTableView)
    return table


def cell(table: QTableView, row: int, column: int = 0) -> str:
    model = table.model()
    return str(model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole))


def text(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    return label.text() if label is not None and label.isVisible() else ""


def press(page: QWidget, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isVisible(), name
    button.click()


class Gate:
    """Holds the answers to a command back until each is let through."""

    def __init__(self, engine: FakeEngine, command: str) -> None:
        self._answer = engine.answers[command]
        self._may_pass = threading.Semaphore(0)
        self.reached = 0
        engine.answers[command] = self._wait

    def _wait(self, args: dict[str, Any]) -> dict[str, Any]:
        answer = self._answer  # as the server stood when it was asked
        self.reached += 1
        self._may_pass.acquire(timeout=10)
        return answer(args)

    def let_through(self, count: int = 1) -> None:
        self._may_pass.release(count)


class OneSync:
    """The history of a sync that goes on; ids and offsets count all rows of the server."""

    def __init__(self, engine: FakeEngine, count: int, sync_id: int = 7) -> None:
        self.sync_id = sync_id
        self.rows = [self.row(number) for number in range(count)]
        self.running = True
        self.asked: list[dict[str, Any]] = []
        engine.answers["history_of_sync"] = self._step

    def row(self, number: int, status: str = "Finished") -> dict[str, Any]:
        return {
            "org_id": 0,
            "history_id": number + 1,
            "sync_id": self.sync_id,
            "file_name": f"file {number}",
            "start_time": 1_795_252_440_000,
            "end_time": 0 if status == "Syncing" else 1_795_252_441_000,
            "sync_status": status,
            "message": "",
        }

    def add(self, count: int) -> None:
        self.rows += [self.row(len(self.rows) + number) for number in range(count)]

    def _step(self, args: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(args)
        rows = list(self.rows)
        end = len(rows) if args["before"] is None else args["before"]
        first = max(end - args["limit"], args.get("after", 0), 0)
        return {
            "uploads": rows[first:end][::-1],
            "before": first if first > args.get("after", 0) else None,
            "count": len(rows),
            "running": self.running,
        }

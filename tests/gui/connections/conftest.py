"""A page of connections with one stored remote, `prod`."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.ui.connections.connection_list import ConnectionList
from app.ui.connections.connections_page import ConnectionsPage
from app.ui.context import UiContext
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def stored(engine: FakeEngine) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "keyring": True,
        "connections": [
            {
                "name": "prod",
                "base_url": "https://client.example.com",
                "allow_plain_http": False,
                "has_key": True,
                "key": "keyring",
            }
        ],
    }
    engine.answers["connections"] = lambda _: answer
    engine.answers["lake"] = lambda _: {"lake": "/lake", "files": "/lake/files"}
    engine.answers["save_connection"] = lambda _: {}
    return answer


@pytest.fixture
def page(
    context: UiContext, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> ConnectionsPage:
    page = ConnectionsPage(context)
    qtbot.addWidget(page)
    page.resize(1096, 700)
    page.show()
    qtbot.waitExposed(page)
    page.entered()
    listing = page.findChild(ConnectionList)
    assert listing is not None
    qtbot.waitUntil(lambda: listing.count() == 1 + len(stored["connections"]))
    return page

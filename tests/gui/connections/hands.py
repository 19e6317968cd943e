"""What a person does on the page of connections, and what is seen there."""

from __future__ import annotations

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.connections.connection_list import ConnectionList
from app.ui.connections.connections_page import ConnectionsPage
from tests.support.fake_engine import FakeEngine

KEY = "canary-key-77aa"
WORKS = {"label": "x", "plain_server": True, "version": "", "extensions": []}


def line(page: QWidget, name: str) -> QLineEdit:
    field = page.findChild(QLineEdit, name)
    assert field is not None
    return field


def type_in(page: QWidget, name: str, text: str) -> None:
    field = line(page, name)
    field.selectAll()
    QTest.keyClicks(field, text)


def press(page: QWidget, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    button.click()


def text(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    return label.text() if label is not None and label.isVisible() else ""


def begin(page: ConnectionsPage) -> None:
    press(page, "connections.add")
    type_in(page, "connections.name", "warehouse")
    type_in(page, "connections.url", "https://lake.example.com")
    type_in(page, "connections.key", KEY)


def choose(page: ConnectionsPage, row: int) -> None:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(row)


def chosen(page: ConnectionsPage) -> int:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    return listing.currentRow()


def can(page: QWidget, name: str) -> bool:
    button = page.findChild(QPushButton, name)
    assert button is not None
    return button.isEnabled()


def tick(page: QWidget, name: str) -> None:
    box = page.findChild(QCheckBox, name)
    assert box is not None
    assert box.isVisible()
    box.click()


def look_again(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    """The page has asked for the connections once more, and has the answer."""
    asked = engine.commands().count("connections")
    page.entered()
    heard: list[bool] = []
    qtbot.waitUntil(lambda: engine.commands().count("connections") > asked)
    page.context.link.ask("lake", lambda _: heard.append(True))
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(50)  # the fake answers each request on a thread of its own


def find_it_works(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["check_connection"] = lambda _: WORKS
    press(page, "connections.test")
    qtbot.waitUntil(lambda: "works" in text(page, "connections.result.title"))

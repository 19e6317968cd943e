"""Connections: tested before they are stored, keys never shown, nothing lost in silence."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtWidgets import QCheckBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.errors import InvalidApiKey
from app.ui.connections.connection_list import ConnectionList
from app.ui.connections.connections_page import ConnectionsPage
from app.ui.context import UiContext
from tests.gui.connections.hands import (
    KEY,
    begin,
    line,
    press,
    text,
    type_in,
)
from tests.support.fake_engine import FakeEngine


def test_a_connection_is_tested_before_it_is_stored(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["check_connection"] = lambda _: {
        "label": "x",
        "plain_server": True,
        "version": "",
        "extensions": [],
    }
    begin(page)
    press(page, "connections.test")

    qtbot.waitUntil(lambda: "works" in text(page, "connections.result.title"))
    asked = engine.args_of("check_connection")
    assert asked["connection"]["base_url"] == "https://lake.example.com"
    assert asked["key"] == KEY
    assert "save_connection" not in engine.commands()


def test_a_wrong_key_is_told_in_words(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise InvalidApiKey("invalid api key")

    engine.answers["check_connection"] = refuse
    begin(page)
    press(page, "connections.test")
    qtbot.waitUntil(lambda: "not accepted" in text(page, "connections.result.title"))


def test_saving_sends_the_key_once_and_forgets_it(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    told: list[bool] = []
    page.context.navigator.connections_changed.connect(lambda: told.append(True))
    begin(page)
    assert line(page, "connections.key").displayText() != KEY
    press(page, "connections.save")

    qtbot.waitUntil(lambda: bool(told))
    asked = engine.args_of("save_connection")
    assert (asked["name"], asked["key"], asked["keep_key"]) == ("warehouse", KEY, False)
    assert line(page, "connections.key").text() == ""
    spoken = [one.accessibleName() + one.toolTip() for one in page.findChildren(QWidget)]
    assert KEY not in "".join(spoken)


def test_an_edit_without_a_key_keeps_the_stored_one(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(1)
    type_in(page, "connections.name", "production")
    press(page, "connections.save")

    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    asked = engine.args_of("save_connection")
    assert (asked["was"], asked["keep_key"], asked["key"]) == ("prod", True, None)


def test_without_a_keyring_the_key_is_for_this_session_and_that_is_told(
    context: UiContext, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    stored["keyring"] = False
    page = ConnectionsPage(context)
    qtbot.addWidget(page)
    page.show()
    page.entered()
    box = page.findChild(QCheckBox, "connections.sessionOnly")
    assert box is not None
    qtbot.waitUntil(lambda: box.isChecked() and not box.isEnabled())
    begin(page)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["session_only"] is True


def test_unencrypted_http_needs_a_choice_of_its_own(page: ConnectionsPage) -> None:
    begin(page)
    save = page.findChild(QPushButton, "connections.save")
    allow = page.findChild(QCheckBox, "connections.plainHttp")
    assert save is not None
    assert allow is not None
    assert not allow.isVisible()

    type_in(page, "connections.url", "http://lake.example.com")

    assert allow.isVisible()
    assert not save.isEnabled()
    allow.click()
    assert save.isEnabled()


def test_what_was_typed_is_not_lost_in_silence(page: ConnectionsPage, qtbot: QtBot) -> None:
    begin(page)
    listing = page.findChild(ConnectionList)
    assert listing is not None

    listing.setCurrentRow(0)

    qtbot.waitUntil(lambda: "without saving" in text(page, "connections.question.title"))
    press(page, "connections.confirmNo")
    assert line(page, "connections.name").text() == "warehouse"


def test_removing_asks_first(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["remove_connection"] = lambda _: {"removed": True}
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(1)
    press(page, "connections.remove")
    assert "prod" in text(page, "connections.question.title")
    assert "remove_connection" not in engine.commands()
    press(page, "connections.confirmYes")
    qtbot.waitUntil(lambda: "remove_connection" in engine.commands())


def test_a_saved_key_does_not_come_back_by_undo(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    told: list[bool] = []
    page.context.navigator.connections_changed.connect(lambda: told.append(True))
    begin(page)
    shown = page.findChild(QCheckBox, "connections.showKey")
    assert shown is not None
    shown.setChecked(True)
    type_in(page, "connections.key", KEY)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: bool(told))

    shown.setChecked(True)
    field = line(page, "connections.key")
    assert not field.isUndoAvailable()
    field.undo()
    assert field.text() == ""


def test_a_tests_late_answer_says_nothing_of_what_was_typed_since(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    may_answer = threading.Event()
    engine_answers: list[bool] = []

    def slowly(_: dict[str, Any]) -> dict[str, Any]:
        may_answer.wait(10)
        engine_answers.append(True)
        return {"label": "x", "plain_server": True, "version": "", "extensions": []}

    engine.answers["check_connection"] = slowly
    engine.answers["hello"] = lambda _: {}
    begin(page)
    press(page, "connections.test")
    qtbot.waitUntil(lambda: "check_connection" in engine.commands())
    type_in(page, "connections.key", "another")

    may_answer.set()
    # Asked after it was answered: what comes back later stands behind it in the window's inbox.
    qtbot.waitUntil(lambda: len(engine_answers) == 1)
    heard: list[bool] = []
    page.context.link.ask("hello", lambda _: heard.append(True))

    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(50)  # the fake answers each request on a thread of its own
    assert text(page, "connections.result.title") == ""


def test_a_second_save_waits_for_the_first(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    may_answer = threading.Event()

    def slowly(_: dict[str, Any]) -> dict[str, Any]:
        may_answer.wait(10)
        return {}

    told: list[bool] = []
    page.context.navigator.connections_changed.connect(lambda: told.append(True))
    engine.answers["save_connection"] = slowly
    begin(page)
    press(page, "connections.save")
    press(page, "connections.save")
    may_answer.set()

    qtbot.waitUntil(lambda: bool(told))
    assert engine.commands().count("save_connection") == 1

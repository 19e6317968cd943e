"""A key stays with its server; odd addresses are refused; a connection is used for an upload."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.ui.connections.connections_page import ConnectionsPage
from tests.gui.connections.hands import (
    KEY,
    begin,
    can,
    choose,
    chosen,
    find_it_works,
    line,
    look_again,
    press,
    text,
    tick,
    type_in,
)
from tests.support.fake_engine import FakeEngine


def test_without_the_key_another_server_is_neither_saved_nor_tested(
    page: ConnectionsPage,
) -> None:
    choose(page, 1)
    type_in(page, "connections.url", "https://two.example.com")
    assert not can(page, "connections.save")
    assert not can(page, "connections.test")
    assert "https://client.example.com" in text(page, "connections.problem")
    type_in(page, "connections.key", KEY)
    assert can(page, "connections.save")
    assert can(page, "connections.test")


def test_the_same_server_is_tested_and_saved_with_its_stored_key(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    choose(page, 1)
    find_it_works(page, engine, qtbot)
    assert engine.args_of("check_connection")["connection"] == {"name": "prod"}
    type_in(page, "connections.url", "https://client.example.com/v2")
    find_it_works(page, engine, qtbot)
    asked = engine.args_of("check_connection")
    assert asked["connection"]["base_url"] == "https://client.example.com/v2"
    assert (asked["key"], asked["key_of"]) == (None, "prod")
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["keep_key"] is True


def test_a_connection_without_a_key_may_go_to_another_server_as_it_is(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    stored["connections"][0] |= {"has_key": False, "key": "none"}
    look_again(page, engine, qtbot)
    choose(page, 1)
    type_in(page, "connections.url", "https://two.example.com")
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["keep_key"] is False


@pytest.mark.parametrize(("key", "place"), [("keyring", "session"), ("session", "keyring")])
def test_session_only_says_what_it_does_with_a_stored_key_and_does_it(
    page: ConnectionsPage,
    engine: FakeEngine,
    qtbot: QtBot,
    stored: dict[str, Any],
    key: str,
    place: str,
) -> None:
    stored["connections"][0] |= {"key": key}
    look_again(page, engine, qtbot)
    choose(page, 1)
    assert text(page, "connections.keyMoves") == ""
    tick(page, "connections.sessionOnly")
    assert "keyring" in text(page, "connections.keyMoves")
    choose(page, 0)  # it is a change like any other
    assert "without saving" in text(page, "connections.question.title")
    press(page, "connections.confirmNo")
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    asked = engine.args_of("save_connection")
    assert (asked["keep_key"], asked["key_place"], asked["key"]) == (True, place, None)


def test_a_change_of_looks_leaves_a_new_connection_alone(page: ConnectionsPage) -> None:
    begin(page)
    assert chosen(page) == -1
    page.context.theme.changed.emit()
    assert chosen(page) == -1
    page._on_chosen("prod")
    press(page, "connections.confirmYes")
    page.context.theme.changed.emit()
    assert chosen(page) == 1


def test_no_button_moves_when_something_is_told(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    choose(page, 1)

    def places() -> list[object]:
        names = ("connections.test", "connections.save", "connections.remove")
        found = [page.findChild(QPushButton, name) for name in names]
        return [button.mapTo(page, button.rect().topLeft()) for button in found if button]

    qtbot.wait(20)
    before = places()
    assert len(before) == 3
    find_it_works(page, engine, qtbot)
    qtbot.wait(20)
    assert places() == before
    type_in(page, "connections.name", "a/b")
    qtbot.wait(20)
    assert text(page, "connections.problem")
    assert places() == before
    press(page, "connections.remove")
    qtbot.wait(20)
    assert places() == before


ODD = (
    "http://[",
    "http://]",
    "http://a]b",
    "http://[::1",
    "http://[zz]/",
    "http://a:99999999",
    "http://a:b",
    "http://a:-1",
    "//",
    "http://",
    "http:///x",
    "http://\u2100.example",
    "https://ex ample",
    "https://user:pass@host",
    "https://host?x=[",
    "\u202ehttp://x",
    "http://\ud800",
)


@pytest.mark.parametrize("address", ODD)
def test_odd_addresses_are_refused_in_words_and_raise_nothing(
    page: ConnectionsPage, address: str
) -> None:
    begin(page)
    field = line(page, "connections.url")
    for end in range(1, len(address) + 1):
        field.setText(address[:end])
    assert not can(page, "connections.save")
    assert not can(page, "connections.test")
    assert text(page, "connections.problem")


def test_a_connection_is_used_for_a_new_upload(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    wanted: list[str] = []
    page.context.navigator.new_upload.connect(wanted.append)
    press(page, "connections.useLocal")
    choose(page, 1)
    press(page, "connections.use")
    assert wanted == ["local", "prod"]
    type_in(page, "connections.name", "other")
    press(page, "connections.use")
    assert "without saving" in text(page, "connections.question.title")
    assert len(wanted) == 2
    press(page, "connections.confirmYes")
    assert wanted[2:] == ["prod"]
    assert line(page, "connections.name").text() == "prod"
    press(page, "connections.add")
    use = page.findChild(QPushButton, "connections.use")
    assert use is not None
    assert not use.isVisible()


def test_a_connection_that_was_removed_elsewhere_is_no_longer_shown(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    choose(page, 1)
    del stored["connections"][0]
    look_again(page, engine, qtbot)
    assert chosen(page) == 0
    assert page._local.isVisible()


def test_what_was_typed_for_one_that_was_removed_elsewhere_can_be_saved_as_new(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    choose(page, 1)
    type_in(page, "connections.url", "https://client.example.com/v2")
    del stored["connections"][0]
    look_again(page, engine, qtbot)
    assert "removed meanwhile" in text(page, "connections.result.title")
    assert line(page, "connections.url").text() == "https://client.example.com/v2"
    type_in(page, "connections.key", KEY)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["was"] is None

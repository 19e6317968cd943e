"""What is told stands for what is typed; a save loses nothing that was typed since."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeUnreachable
from app.ui.connections.connections_page import ConnectionsPage
from tests.gui.connections.hands import (
    KEY,
    begin,
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

CHANGES: dict[str, Callable[[ConnectionsPage], None]] = {
    "name": lambda page: type_in(page, "connections.name", "other"),
    "address": lambda page: type_in(page, "connections.url", "https://two.example.com"),
    "key": lambda page: type_in(page, "connections.key", "another"),
    "session": lambda page: tick(page, "connections.sessionOnly"),
    "undo": lambda page: line(page, "connections.key").undo(),
    "set by a tool": lambda page: line(page, "connections.url").setText("https://three.example"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_works_is_said_of_nothing_but_what_stands_there(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, change: str
) -> None:
    begin(page)
    find_it_works(page, engine, qtbot)
    CHANGES[change](page)
    assert text(page, "connections.result.title") == ""


def test_answers_about_connections_wipe_no_result_and_no_message(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    choose(page, 1)
    find_it_works(page, engine, qtbot)
    look_again(page, engine, qtbot)
    assert "works" in text(page, "connections.result.title")

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeUnreachable("no engine")

    answer = engine.answers["connections"]
    engine.answers["connections"] = fail
    look_again(page, engine, qtbot)
    assert "works" in text(page, "connections.result.title")
    engine.answers["connections"] = answer

    # What is stored is another one by now: the result was about the one before.
    stored["connections"][0] = stored["connections"][0] | {"base_url": "https://moved.example.com"}
    page.entered()
    qtbot.waitUntil(lambda: line(page, "connections.url").text() == "https://moved.example.com")
    assert text(page, "connections.result.title") == ""


def test_saved_stays_told_and_the_saved_one_is_chosen(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    def save(args: dict[str, Any]) -> dict[str, Any]:
        entry = {field: args[field] for field in ("name", "base_url", "allow_plain_http")}
        stored["connections"].append(entry | {"has_key": True, "key": "keyring"})
        return {"jobs_that_stay": 0}

    engine.answers["save_connection"] = save
    begin(page)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: chosen(page) == 2)
    look_again(page, engine, qtbot)
    assert text(page, "connections.result.title") == "Saved"
    assert chosen(page) == 2


def test_what_is_typed_while_a_save_is_under_way_is_kept(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    may_answer = threading.Event()

    def slowly(args: dict[str, Any]) -> dict[str, Any]:
        may_answer.wait(10)
        entry = {field: args[field] for field in ("name", "base_url", "allow_plain_http")}
        stored["connections"].append(entry | {"has_key": True, "key": "keyring"})
        return {"jobs_that_stay": 0}

    engine.answers["save_connection"] = slowly
    begin(page)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    type_in(page, "connections.url", "https://lake.example.com/v2")
    may_answer.set()

    qtbot.waitUntil(lambda: chosen(page) == 2)
    assert line(page, "connections.url").text() == "https://lake.example.com/v2"
    assert line(page, "connections.key").text() == ""
    press(page, "connections.save")
    qtbot.waitUntil(lambda: engine.commands().count("save_connection") == 2)
    again = engine.args_of("save_connection")
    assert (again["was"], again["keep_key"], again["key"]) == ("warehouse", True, None)


def test_jobs_that_cannot_follow_are_told(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["save_connection"] = lambda _: {"jobs_that_stay": 2}
    choose(page, 1)
    type_in(page, "connections.url", "https://two.example.com")
    type_in(page, "connections.key", KEY)
    press(page, "connections.save")
    qtbot.waitUntil(lambda: "2 uploads" in text(page, "connections.result.text"))


def test_a_rename_is_told_to_the_other_pages(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    renamed: list[tuple[str, str]] = []
    page.context.navigator.connection_renamed.connect(lambda *names: renamed.append(names))
    choose(page, 1)
    type_in(page, "connections.name", "production")
    press(page, "connections.save")
    qtbot.waitUntil(lambda: renamed == [("prod", "production")])


def test_an_answer_about_connections_leaves_a_new_one_alone(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    begin(page)
    look_again(page, engine, qtbot)
    assert chosen(page) == -1
    assert page._form.isVisible()
    assert page._form.typed.name == "warehouse"

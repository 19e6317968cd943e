"""Connections: tested before they are stored, keys never shown, nothing lost in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.errors import InvalidApiKey, LakeUnreachable
from app.ui.connections.connection_list import ConnectionList
from app.ui.connections.connections_page import ConnectionsPage
from app.ui.context import UiContext
from tests.support.fake_engine import FakeEngine

KEY = "canary-key-77aa"


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


def _field(page: QWidget, name: str) -> QLineEdit:
    field = page.findChild(QLineEdit, name)
    assert field is not None
    return field


def _type(page: QWidget, name: str, text: str) -> None:
    field = _field(page, name)
    field.selectAll()
    QTest.keyClicks(field, text)


def _press(page: QWidget, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    button.click()


def _text(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    return label.text() if label is not None and label.isVisible() else ""


def _begin(page: ConnectionsPage) -> None:
    _press(page, "connections.add")
    _type(page, "connections.name", "warehouse")
    _type(page, "connections.url", "https://lake.example.com")
    _type(page, "connections.key", KEY)


def test_a_connection_is_tested_before_it_is_stored(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["check_connection"] = lambda _: {
        "label": "x",
        "plain_server": True,
        "version": "",
        "extensions": [],
    }
    _begin(page)
    _press(page, "connections.test")

    qtbot.waitUntil(lambda: "works" in _text(page, "connections.result.title"))
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
    _begin(page)
    _press(page, "connections.test")
    qtbot.waitUntil(lambda: "not accepted" in _text(page, "connections.result.title"))


def test_saving_sends_the_key_once_and_forgets_it(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    told: list[bool] = []
    page.context.navigator.connections_changed.connect(lambda: told.append(True))
    _begin(page)
    assert _field(page, "connections.key").displayText() != KEY
    _press(page, "connections.save")

    qtbot.waitUntil(lambda: bool(told))
    asked = engine.args_of("save_connection")
    assert (asked["name"], asked["key"], asked["keep_key"]) == ("warehouse", KEY, False)
    assert _field(page, "connections.key").text() == ""
    spoken = [one.accessibleName() + one.toolTip() for one in page.findChildren(QWidget)]
    assert KEY not in "".join(spoken)


def test_an_edit_without_a_key_keeps_the_stored_one(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(1)
    _type(page, "connections.name", "production")
    _press(page, "connections.save")

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
    _begin(page)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["session_only"] is True


def test_unencrypted_http_needs_a_choice_of_its_own(page: ConnectionsPage) -> None:
    _begin(page)
    save = page.findChild(QPushButton, "connections.save")
    allow = page.findChild(QCheckBox, "connections.plainHttp")
    assert save is not None
    assert allow is not None
    assert not allow.isVisible()

    _type(page, "connections.url", "http://lake.example.com")

    assert allow.isVisible()
    assert not save.isEnabled()
    allow.click()
    assert save.isEnabled()


def test_what_was_typed_is_not_lost_in_silence(page: ConnectionsPage, qtbot: QtBot) -> None:
    _begin(page)
    listing = page.findChild(ConnectionList)
    assert listing is not None

    listing.setCurrentRow(0)

    qtbot.waitUntil(lambda: "without saving" in _text(page, "connections.question.title"))
    _press(page, "connections.confirmNo")
    assert _field(page, "connections.name").text() == "warehouse"


def test_removing_asks_first(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["remove_connection"] = lambda _: {"removed": True}
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(1)
    _press(page, "connections.remove")
    assert "prod" in _text(page, "connections.question.title")
    assert "remove_connection" not in engine.commands()
    _press(page, "connections.confirmYes")
    qtbot.waitUntil(lambda: "remove_connection" in engine.commands())


def test_a_saved_key_does_not_come_back_by_undo(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    told: list[bool] = []
    page.context.navigator.connections_changed.connect(lambda: told.append(True))
    _begin(page)
    shown = page.findChild(QCheckBox, "connections.showKey")
    assert shown is not None
    shown.setChecked(True)
    _type(page, "connections.key", KEY)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: bool(told))

    shown.setChecked(True)
    field = _field(page, "connections.key")
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
    _begin(page)
    _press(page, "connections.test")
    qtbot.waitUntil(lambda: "check_connection" in engine.commands())
    _type(page, "connections.key", "another")

    may_answer.set()
    # Asked after it was answered: what comes back later stands behind it in the window's inbox.
    qtbot.waitUntil(lambda: len(engine_answers) == 1)
    heard: list[bool] = []
    page.context.link.ask("hello", lambda _: heard.append(True))

    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(50)  # the fake answers each request on a thread of its own
    assert _text(page, "connections.result.title") == ""


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
    _begin(page)
    _press(page, "connections.save")
    _press(page, "connections.save")
    may_answer.set()

    qtbot.waitUntil(lambda: bool(told))
    assert engine.commands().count("save_connection") == 1


WORKS = {"label": "x", "plain_server": True, "version": "", "extensions": []}


def _choose(page: ConnectionsPage, row: int) -> None:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    listing.setCurrentRow(row)


def _chosen(page: ConnectionsPage) -> int:
    listing = page.findChild(ConnectionList)
    assert listing is not None
    return listing.currentRow()


def _can(page: QWidget, name: str) -> bool:
    button = page.findChild(QPushButton, name)
    assert button is not None
    return button.isEnabled()


def _tick(page: QWidget, name: str) -> None:
    box = page.findChild(QCheckBox, name)
    assert box is not None
    assert box.isVisible()
    box.click()


def _looked_again(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    """The page has asked for the connections once more, and has the answer."""
    asked = engine.commands().count("connections")
    page.entered()
    heard: list[bool] = []
    qtbot.waitUntil(lambda: engine.commands().count("connections") > asked)
    page.context.link.ask("lake", lambda _: heard.append(True))
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(50)  # the fake answers each request on a thread of its own


def _test_works(page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["check_connection"] = lambda _: WORKS
    _press(page, "connections.test")
    qtbot.waitUntil(lambda: "works" in _text(page, "connections.result.title"))


CHANGES: dict[str, Callable[[ConnectionsPage], None]] = {
    "name": lambda page: _type(page, "connections.name", "other"),
    "address": lambda page: _type(page, "connections.url", "https://two.example.com"),
    "key": lambda page: _type(page, "connections.key", "another"),
    "session": lambda page: _tick(page, "connections.sessionOnly"),
    "undo": lambda page: _field(page, "connections.key").undo(),
    "set by a tool": lambda page: _field(page, "connections.url").setText("https://three.example"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_works_is_said_of_nothing_but_what_stands_there(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, change: str
) -> None:
    _begin(page)
    _test_works(page, engine, qtbot)
    CHANGES[change](page)
    assert _text(page, "connections.result.title") == ""


def test_answers_about_connections_wipe_no_result_and_no_message(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    _choose(page, 1)
    _test_works(page, engine, qtbot)
    _looked_again(page, engine, qtbot)
    assert "works" in _text(page, "connections.result.title")

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise LakeUnreachable("no engine")

    answer = engine.answers["connections"]
    engine.answers["connections"] = fail
    _looked_again(page, engine, qtbot)
    assert "works" in _text(page, "connections.result.title")
    engine.answers["connections"] = answer

    # What is stored is another one by now: the result was about the one before.
    stored["connections"][0] = stored["connections"][0] | {"base_url": "https://moved.example.com"}
    page.entered()
    qtbot.waitUntil(lambda: _field(page, "connections.url").text() == "https://moved.example.com")
    assert _text(page, "connections.result.title") == ""


def test_saved_stays_told_and_the_saved_one_is_chosen(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    def save(args: dict[str, Any]) -> dict[str, Any]:
        entry = {field: args[field] for field in ("name", "base_url", "allow_plain_http")}
        stored["connections"].append(entry | {"has_key": True, "key": "keyring"})
        return {"jobs_that_stay": 0}

    engine.answers["save_connection"] = save
    _begin(page)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: _chosen(page) == 2)
    _looked_again(page, engine, qtbot)
    assert _text(page, "connections.result.title") == "Saved"
    assert _chosen(page) == 2


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
    _begin(page)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    _type(page, "connections.url", "https://lake.example.com/v2")
    may_answer.set()

    qtbot.waitUntil(lambda: _chosen(page) == 2)
    assert _field(page, "connections.url").text() == "https://lake.example.com/v2"
    assert _field(page, "connections.key").text() == ""
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: engine.commands().count("save_connection") == 2)
    again = engine.args_of("save_connection")
    assert (again["was"], again["keep_key"], again["key"]) == ("warehouse", True, None)


def test_jobs_that_cannot_follow_are_told(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["save_connection"] = lambda _: {"jobs_that_stay": 2}
    _choose(page, 1)
    _type(page, "connections.url", "https://two.example.com")
    _type(page, "connections.key", KEY)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "2 uploads" in _text(page, "connections.result.text"))


def test_a_rename_is_told_to_the_other_pages(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    renamed: list[tuple[str, str]] = []
    page.context.navigator.connection_renamed.connect(lambda *names: renamed.append(names))
    _choose(page, 1)
    _type(page, "connections.name", "production")
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: renamed == [("prod", "production")])


def test_without_the_key_another_server_is_neither_saved_nor_tested(
    page: ConnectionsPage,
) -> None:
    _choose(page, 1)
    _type(page, "connections.url", "https://two.example.com")
    assert not _can(page, "connections.save")
    assert not _can(page, "connections.test")
    assert "https://client.example.com" in _text(page, "connections.problem")
    _type(page, "connections.key", KEY)
    assert _can(page, "connections.save")
    assert _can(page, "connections.test")


def test_the_same_server_is_tested_and_saved_with_its_stored_key(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    _choose(page, 1)
    _test_works(page, engine, qtbot)
    assert engine.args_of("check_connection")["connection"] == {"name": "prod"}
    _type(page, "connections.url", "https://client.example.com/v2")
    _test_works(page, engine, qtbot)
    asked = engine.args_of("check_connection")
    assert asked["connection"]["base_url"] == "https://client.example.com/v2"
    assert (asked["key"], asked["key_of"]) == (None, "prod")
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["keep_key"] is True


def test_a_connection_without_a_key_may_go_to_another_server_as_it_is(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    stored["connections"][0] |= {"has_key": False, "key": "none"}
    _looked_again(page, engine, qtbot)
    _choose(page, 1)
    _type(page, "connections.url", "https://two.example.com")
    _press(page, "connections.save")
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
    _looked_again(page, engine, qtbot)
    _choose(page, 1)
    assert _text(page, "connections.keyMoves") == ""
    _tick(page, "connections.sessionOnly")
    assert "keyring" in _text(page, "connections.keyMoves")
    _choose(page, 0)  # it is a change like any other
    assert "without saving" in _text(page, "connections.question.title")
    _press(page, "connections.confirmNo")
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    asked = engine.args_of("save_connection")
    assert (asked["keep_key"], asked["key_place"], asked["key"]) == (True, place, None)


def test_a_change_of_looks_leaves_a_new_connection_alone(page: ConnectionsPage) -> None:
    _begin(page)
    assert _chosen(page) == -1
    page.context.theme.changed.emit()
    assert _chosen(page) == -1
    page._on_chosen("prod")
    _press(page, "connections.confirmYes")
    page.context.theme.changed.emit()
    assert _chosen(page) == 1


def test_no_button_moves_when_something_is_told(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    _choose(page, 1)

    def places() -> list[object]:
        names = ("connections.test", "connections.save", "connections.remove")
        found = [page.findChild(QPushButton, name) for name in names]
        return [button.mapTo(page, button.rect().topLeft()) for button in found if button]

    qtbot.wait(20)
    before = places()
    assert len(before) == 3
    _test_works(page, engine, qtbot)
    qtbot.wait(20)
    assert places() == before
    _type(page, "connections.name", "a/b")
    qtbot.wait(20)
    assert _text(page, "connections.problem")
    assert places() == before
    _press(page, "connections.remove")
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
    _begin(page)
    field = _field(page, "connections.url")
    for end in range(1, len(address) + 1):
        field.setText(address[:end])
    assert not _can(page, "connections.save")
    assert not _can(page, "connections.test")
    assert _text(page, "connections.problem")


def test_a_connection_is_used_for_a_new_upload(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    wanted: list[str] = []
    page.context.navigator.new_upload.connect(wanted.append)
    _press(page, "connections.useLocal")
    _choose(page, 1)
    _press(page, "connections.use")
    assert wanted == ["local", "prod"]
    _type(page, "connections.name", "other")
    _press(page, "connections.use")
    assert "without saving" in _text(page, "connections.question.title")
    assert len(wanted) == 2
    _press(page, "connections.confirmYes")
    assert wanted[2:] == ["prod"]
    assert _field(page, "connections.name").text() == "prod"
    _press(page, "connections.add")
    use = page.findChild(QPushButton, "connections.use")
    assert use is not None
    assert not use.isVisible()


def test_a_connection_that_was_removed_elsewhere_is_no_longer_shown(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    _choose(page, 1)
    del stored["connections"][0]
    _looked_again(page, engine, qtbot)
    assert _chosen(page) == 0
    assert page._local.isVisible()


def test_what_was_typed_for_one_that_was_removed_elsewhere_can_be_saved_as_new(
    page: ConnectionsPage, engine: FakeEngine, qtbot: QtBot, stored: dict[str, Any]
) -> None:
    _choose(page, 1)
    _type(page, "connections.url", "https://client.example.com/v2")
    del stored["connections"][0]
    _looked_again(page, engine, qtbot)
    assert "removed meanwhile" in _text(page, "connections.result.title")
    assert _field(page, "connections.url").text() == "https://client.example.com/v2"
    _type(page, "connections.key", KEY)
    _press(page, "connections.save")
    qtbot.waitUntil(lambda: "save_connection" in engine.commands())
    assert engine.args_of("save_connection")["was"] is None

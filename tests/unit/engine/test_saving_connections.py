"""Saving, renaming and removing connections: no key is lost, and none goes to a stranger."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable, LakeDropError, WrongUse
from app.engine.connection_commands import ConnectionCommands
from app.engine.keys import Keys
from app.engine.stored_keys import StoredKeys
from tests.support.fake_lake import FakeLake
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets

HERE, THERE = "https://lake.example.com", "https://other.example.com"
KEY = "canary-key-91"


class FailingStore(MemoryConnectionStore):
    """Refuses to write while `fails` is set, as a full disk does."""

    fails = False

    def save(self, connection: Connection, was: str | None = None) -> None:
        if self.fails:
            raise ConnectionNotUsable("The list of connections cannot be written.")
        super().save(connection, was)

    def remove(self, name: str) -> bool:
        if self.fails:
            raise ConnectionNotUsable("The list of connections cannot be written.")
        return super().remove(name)


class Desk:
    """The commands on a store and a keyring that may fail."""

    def __init__(self, *, keyring: bool = True) -> None:
        self.secrets = MemorySecrets(available=keyring)
        self.store = FailingStore()
        self.keys = Keys(self.secrets, self.store)
        lake = FakeLake()
        commands = ConnectionCommands(lambda *_: lake, self.store, self.secrets, self.keys)
        self._table = commands.table()

    def ask(self, command: str, **args: Any) -> Any:
        return self._table[command](args)

    def save(self, name: str = "prod", base_url: str = HERE, **more: Any) -> None:
        fields: dict[str, Any] = {"allow_plain_http": False, "key": None, "replace": False}
        self.ask("save_connection", name=name, base_url=base_url, **(fields | more))

    def key_of(self, name: str) -> str | None:
        connection = self.store.find(name)
        assert connection is not None
        return self.keys.of(connection, None)

    def places(self) -> dict[str, str]:
        """Where each connection's key is, as the screens are told."""
        rows = self.ask("connections")["connections"]
        assert all(row["has_key"] == (row["key"] != "none") for row in rows)
        return {row["name"]: row["key"] for row in rows}

    def state(self) -> tuple[Any, Any, Any]:
        session = {each.name: self.keys.of_session(each) for each in self.store.all()}
        return self.store.all(), self.secrets.all(), session


def test_screens_are_told_where_each_key_is() -> None:
    desk = Desk()
    desk.save("a", key=KEY)
    desk.save("b", key=KEY, session_only=True)
    desk.save("c")
    assert desk.ask("connections")["keyring"] is True
    assert desk.places() == {"a": "keyring", "b": "session", "c": "none"}


def test_a_key_of_this_session_is_used_and_stored_nowhere() -> None:
    desk = Desk(keyring=False)
    desk.save(key=KEY, session_only=True)
    assert desk.key_of("prod") == KEY
    assert desk.secrets.all() == {}
    assert desk.ask("connections")["keyring"] is False
    moved = Connection("prod", HERE + "/another")
    assert desk.keys.at_hand(moved, None) is None  # it belongs to the name and its address


def test_where_there_is_no_keyring_the_way_out_is_told_and_nothing_is_saved() -> None:
    desk = Desk(keyring=False)
    with pytest.raises(ConnectionNotUsable, match="this session only"):
        desk.save(key=KEY)
    assert desk.store.all() == []
    desk.save()  # without a key it can be saved
    assert desk.places() == {"prod": "none"}


def test_a_session_key_takes_the_stored_one_s_place() -> None:
    desk = Desk()
    desk.save(key="old")
    desk.save(key=KEY, session_only=True, was="prod")
    assert desk.secrets.all() == {}
    assert desk.key_of("prod") == KEY
    desk.save(key="stored again", was="prod")
    assert desk.places() == {"prod": "keyring"}
    assert desk.key_of("prod") == "stored again"


@pytest.mark.parametrize("session_only", [False, True])
def test_a_rename_takes_the_key_along_and_keeps_the_place(session_only: bool) -> None:
    desk = Desk()
    desk.save("first")
    desk.save(key=KEY, session_only=session_only)
    desk.save("last")
    desk.save("production", was="prod", keep_key=True)
    assert [each.name for each in desk.store.all()] == ["first", "production", "last"]
    assert desk.key_of("production") == KEY
    assert desk.places()["production"] == ("session" if session_only else "keyring")
    assert set(desk.secrets.all()) <= {"production"}
    desk.save("prod")
    assert desk.key_of("prod") is None


def test_a_rename_in_case_alone_keeps_the_key_where_both_are_one_name() -> None:
    desk = Desk()
    desk.save(key=KEY)

    def forget_both(call: str, name: str) -> None:
        if (call, name) == ("delete", "prod"):
            desk.secrets.fault = lambda _call, _name: None
            desk.secrets.delete("Prod")

    desk.secrets.fault = forget_both
    desk.save("Prod", was="prod", keep_key=True)
    assert desk.key_of("Prod") == KEY


@pytest.mark.parametrize("session_only", [False, True])
def test_an_edit_within_the_same_server_may_keep_the_key(session_only: bool) -> None:
    desk = Desk()
    desk.save(key=KEY, session_only=session_only)
    desk.save(base_url="https://LAKE.example.com:443/prefix", was="prod", keep_key=True)
    assert desk.key_of("prod") == KEY


@pytest.mark.parametrize("name", ["prod", "production"])
def test_a_kept_key_moves_between_the_keyring_and_the_session(name: str) -> None:
    desk = Desk()
    desk.save(key=KEY)
    desk.save(name, was="prod", keep_key=True, key_place="session")
    assert desk.secrets.all() == {}  # the keyring has really forgotten it
    assert (desk.places(), desk.key_of(name)) == ({name: "session"}, KEY)
    desk.save("again", was=name, keep_key=True, key_place="session")  # where it is already
    assert desk.places() == {"again": "session"}
    desk.save(name, was="again", keep_key=True, key_place="keyring")
    assert desk.secrets.all() == {name: KEY}
    assert (desk.places(), desk.key_of(name)) == ({name: "keyring"}, KEY)


def test_a_session_key_that_was_stored_is_no_longer_one_of_the_session() -> None:
    desk = Desk()
    desk.save(key=KEY, session_only=True)
    desk.save(was="prod", keep_key=True, key_place="keyring")
    assert desk.places() == {"prod": "keyring"}


@pytest.mark.parametrize("name", ["prod", "production"])
def test_a_key_that_the_keyring_does_not_give_up_is_not_said_to_be_forgotten(name: str) -> None:
    desk = Desk()
    desk.save(key=KEY)
    before = desk.state()

    def keep(call: str, owner: str) -> None:
        if call == "delete" and owner == "prod":
            raise ConnectionNotUsable("The keyring is locked.")

    desk.secrets.fault = keep
    with pytest.raises(ConnectionNotUsable, match="locked"):
        desk.save(name, was="prod", keep_key=True, key_place="session")
    desk.secrets.fault = lambda *_: None
    assert desk.state() == before


def test_there_is_nothing_to_move_where_there_is_no_key() -> None:
    desk = Desk()
    desk.save()
    for place in ("session", "keyring"):
        desk.save(was="prod", keep_key=True, key_place=place)
        assert desk.places() == {"prod": "none"}


@pytest.mark.parametrize(
    "address", [THERE, "https://lake.example.com:8443", "http://lake.example.com"]
)
@pytest.mark.parametrize("session_only", [False, True])
def test_a_key_never_moves_to_another_server(address: str, session_only: bool) -> None:
    desk = Desk()
    desk.save(key=KEY, session_only=session_only)
    before = desk.state()
    with pytest.raises(WrongUse, match="again"):
        desk.save(base_url=address, was="prod", keep_key=True, allow_plain_http=True)
    assert desk.state() == before
    desk.save(base_url=address, was="prod", allow_plain_http=True)
    assert desk.key_of("prod") is None


def test_a_job_made_for_the_old_address_gets_no_key_of_the_new_one() -> None:
    desk = Desk()
    desk.save(key="old")
    old = desk.store.find("prod")
    assert old is not None
    desk.save(base_url=THERE, key=KEY, was="prod")
    with pytest.raises(ConnectionNotUsable, match="again") as caught:
        desk.keys.of(old, None)
    assert KEY not in caught.value.message
    assert desk.keys.of(old, "typed again") == "typed again"


def test_a_key_that_somebody_left_behind_does_not_go_to_a_new_server() -> None:
    desk = Desk()
    desk.secrets.set("prod", "of some older connection")
    desk.save(base_url=THERE)
    assert desk.key_of("prod") is None


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"name": "other"}, "already"),
        ({"name": "other", "replace": True, "was": "prod"}, "already"),
        ({"name": "x", "was": "nobody"}, "no connection"),
        ({"name": "x", "keep_key": True}, "no connection yet"),
        ({"was": "prod", "keep_key": True, "key": "x"}, "Either"),
        ({"name": "a/b", "was": "prod"}, "no good as a name"),
        ({"base_url": "http://lake.example.com", "was": "prod"}, "not encrypted"),
    ],
)
def test_what_cannot_be_saved_is_told_and_changes_nothing(args: dict[str, Any], words: str) -> None:
    desk = Desk()
    desk.save(key=KEY)
    desk.save("other", key="other's")
    before = desk.state()
    with pytest.raises(LakeDropError, match=words):
        desk.save(**args)
    assert desk.state() == before


CHANGES: dict[str, Callable[[Desk], object]] = {
    "a new one": lambda desk: desk.save("new", key=KEY),
    "another key": lambda desk: desk.save(key="new", was="prod"),
    "another address": lambda desk: desk.save(base_url=THERE, key="new", was="prod"),
    "another address without a key": lambda desk: desk.save(base_url=THERE, was="prod"),
    "a rename": lambda desk: desk.save("new", was="prod", keep_key=True),
    "a move into the session": lambda desk: desk.save(
        was="prod", keep_key=True, key_place="session"
    ),
    "a rename and a move into the session": lambda desk: desk.save(
        "new", was="prod", keep_key=True, key_place="session"
    ),
    "a removal": lambda desk: desk.ask("remove_connection", name="prod"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_keyring_that_is_locked_on_the_way_loses_neither_connection_nor_key(change: str) -> None:
    for failing in itertools.count(1):
        desk, calls = Desk(), itertools.count(1)
        desk.save(key="old")
        before = desk.store.all()

        def fail(*_: str, calls: Any = calls, failing: int = failing) -> None:
            if next(calls) >= failing:
                raise ConnectionNotUsable("The keyring is locked.")

        desk.secrets.fault = fail
        try:
            CHANGES[change](desk)
        except ConnectionNotUsable:
            assert desk.store.all() == before, f"locked from call {failing} of {change} on"
            assert desk.secrets.all()["prod"] == "old"
        else:
            return


@pytest.mark.parametrize("change", CHANGES)
def test_a_keyring_that_fails_at_any_call_leaves_the_old_state_whole(change: str) -> None:
    for failing in itertools.count(1):
        desk, calls = Desk(), itertools.count(1)
        desk.save(key="old")
        before = desk.state()

        def fail(*_: str, calls: Any = calls, failing: int = failing) -> None:
            if next(calls) == failing:
                raise ConnectionNotUsable("The keyring is locked.")

        desk.secrets.fault = fail
        try:
            CHANGES[change](desk)
        except ConnectionNotUsable:
            desk.secrets.fault = lambda *_: None
            assert desk.state() == before, f"call {failing} of {change} failed"
        else:
            assert failing > 1, "the keyring was never asked"
            return


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("session_only", [False, True])
def test_a_list_that_cannot_be_written_leaves_the_old_state_whole(
    change: str, session_only: bool
) -> None:
    desk = Desk()
    desk.save(key="old", session_only=session_only)
    before = desk.state()
    desk.store.fails = True
    with pytest.raises(ConnectionNotUsable, match="written"):
        CHANGES[change](desk)
    assert desk.state() == before


@pytest.mark.parametrize("session_only", [False, True])
def test_a_removed_connection_s_key_is_forgotten(session_only: bool) -> None:
    desk = Desk()
    desk.save(key=KEY, session_only=session_only)
    assert desk.ask("remove_connection", name="prod") == {"removed": True}
    assert desk.secrets.all() == {}
    assert desk.keys.at_hand(Connection("prod", HERE), None) is None
    desk.save()
    assert desk.key_of("prod") is None
    assert desk.ask("remove_connection", name="nobody") == {"removed": False}


def test_without_a_keyring_a_connection_can_be_renamed_and_removed() -> None:
    desk = Desk(keyring=False)
    desk.save()
    desk.save("new", was="prod", keep_key=True)
    assert desk.ask("remove_connection", name="new") == {"removed": True}


class HangingKeyring(MemorySecrets):
    """Locked, until its user types the password: `unlock`."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked, self.waited_in_vain = threading.Event(), False
        self.unlocked.set()

        def wait(call: str, _: str) -> None:
            if call == "get" and not self.unlocked.wait(10):
                self.waited_in_vain = True

        self.fault = wait


def test_a_keyring_that_hangs_does_not_keep_the_screens_waiting() -> None:
    secrets = HangingKeyring()
    secrets.set("keyed", KEY)
    stored = StoredKeys(secrets, patience_s=0.05)
    assert stored.of(["keyed", "bare"], patient=True) == {"keyed"}
    secrets.unlocked.clear()
    # What it said before; and one it never spoke of is taken to have its key.
    assert stored.of(["keyed", "bare", "new"]) == {"keyed", "new"}
    secrets.unlocked.set()
    assert stored.of(["bare", "new"], patient=True) == set()
    assert not secrets.waited_in_vain


def test_what_a_keyring_says_late_of_a_key_that_was_removed_meanwhile_does_not_count() -> None:
    secrets = HangingKeyring()
    secrets.set("keyed", KEY)
    stored = StoredKeys(secrets, patience_s=0.05)
    secrets.unlocked.clear()
    assert stored.of(["keyed"]) == {"keyed"}
    stored.note("keyed", has_key=False)
    secrets.unlocked.set()
    assert stored.of(["other"], patient=True) == set()  # by now it has spoken of both
    secrets.unlocked.clear()
    assert stored.of(["keyed"]) == set()
    secrets.unlocked.set()
    assert not secrets.waited_in_vain


def test_a_keyring_that_cannot_be_read_has_no_key_for_anybody() -> None:
    desk = Desk()
    desk.save(key=KEY)

    def locked(*_: str) -> None:
        raise ConnectionNotUsable("The keyring is locked.")

    desk.secrets.fault = locked
    assert desk.places() == {"prod": "none"}

"""`lakedrop connect`: keys come in by no argument and go out by no output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import ConnectionNotUsable, LakeDropError, LakeUnreachable, WrongUse
from tests.support.fake_engine import FakeEngine
from tests.unit.cli.conftest import CommandLine

KEY = "canary-key"
ADD = ("connect", "add", "prod", "https://client.example.com/")


@pytest.fixture(autouse=True)
def answers(engine: FakeEngine) -> None:
    engine.answers |= {
        "save_connection": lambda _: {},
        "connections": lambda _: {"connections": [ROW]},
        "remove_connection": lambda args: {"removed": args["name"] == "prod"},
        "check_connection": lambda _: CHECKED,
    }


ROW = {
    "name": "prod",
    "base_url": "https://client.example.com",
    "allow_plain_http": False,
    "has_key": True,
}
CHECKED = {"label": "prod", "plain_server": False, "version": "0.1.0", "extensions": []}


def test_the_key_comes_from_the_environment(engine: FakeEngine, lakedrop: CommandLine) -> None:
    lakedrop.environment_key = KEY

    assert lakedrop.run(*ADD) == 0
    assert engine.args_of("save_connection") == {
        "name": "prod",
        "base_url": "https://client.example.com",
        "allow_plain_http": False,
        "key": KEY,
        "replace": False,
        "ca_file": "",
        "client_certificate": "",
        "client_key": "",
        "unverified": False,
    }
    assert KEY not in lakedrop.out + lakedrop.err


def test_else_it_is_typed_unseen(engine: FakeEngine, lakedrop: CommandLine) -> None:
    lakedrop.on_terminal, lakedrop.typed_secret = True, KEY

    assert lakedrop.run(*ADD, "--replace") == 0
    assert engine.args_of("save_connection")["key"] == KEY
    assert engine.args_of("save_connection")["replace"]
    assert KEY not in lakedrop.out + lakedrop.err


def test_or_piped_in_when_that_is_asked_for(engine: FakeEngine, lakedrop: CommandLine) -> None:
    lakedrop.typed = f"{KEY}\n"

    with pytest.raises(WrongUse, match="--key-stdin"):
        lakedrop.run(*ADD)
    assert engine.commands() == []
    assert lakedrop.run(*ADD, "--key-stdin") == 0
    assert engine.args_of("save_connection")["key"] == KEY


def test_an_empty_key_saves_nothing(engine: FakeEngine, lakedrop: CommandLine) -> None:
    with pytest.raises(WrongUse, match="empty"):
        lakedrop.run(*ADD, "--key-stdin")
    assert engine.commands() == []


def test_without_a_key_only_when_that_is_said(engine: FakeEngine, lakedrop: CommandLine) -> None:
    assert lakedrop.run(*ADD, "--no-key") == 0
    assert engine.args_of("save_connection")["key"] is None
    assert "LAKEDROP_API_KEY" in lakedrop.out


@pytest.mark.parametrize(
    ("name", "url"),
    [("local", "https://x.example"), ("a/b", "https://x.example"), ("a", "ftp://x")],
)
def test_a_bad_name_or_address_is_refused_before_a_key_is_asked_for(
    name: str, url: str, engine: FakeEngine, lakedrop: CommandLine
) -> None:
    lakedrop.environment_key = KEY

    with pytest.raises(ConnectionNotUsable):
        lakedrop.run("connect", "add", name, url)
    assert engine.commands() == []


def test_the_list_says_whether_a_key_is_stored(lakedrop: CommandLine) -> None:
    assert lakedrop.run("connect", "list") == 0
    assert lakedrop.out.splitlines()[1].split() == ["prod", "https://client.example.com", "yes"]
    assert lakedrop.run("connect", "list", "--json") == 0
    assert json.loads(lakedrop.out) == ROW


def test_an_empty_list_says_how_to_add_one(engine: FakeEngine, lakedrop: CommandLine) -> None:
    engine.answers["connections"] = lambda _: {"connections": []}

    assert lakedrop.run("connect", "list") == 0
    assert "lakedrop connect add" in lakedrop.out


@pytest.mark.parametrize(("plain", "words"), [(True, "plain server"), (False, "LakeDrop server")])
def test_a_test_tells_what_kind_of_server_it_is(
    plain: bool, words: str, engine: FakeEngine, lakedrop: CommandLine
) -> None:
    engine.answers["check_connection"] = lambda _: CHECKED | {"plain_server": plain}

    assert lakedrop.run("connect", "test", "prod") == 0
    assert words in lakedrop.out
    assert "the key is fine" in lakedrop.out


@pytest.mark.parametrize("error", [LakeUnreachable("no route"), ConnectionNotUsable("unknown")])
def test_a_test_that_fails_says_why_and_exits_1(
    error: LakeDropError, engine: FakeEngine, lakedrop: CommandLine
) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise error

    engine.answers["check_connection"] = fail

    assert lakedrop.run("connect", "test", "prod") == 1
    assert error.message in lakedrop.err


def test_removing_what_is_not_there_is_wrong_use(lakedrop: CommandLine) -> None:
    assert lakedrop.run("connect", "remove", "prod") == 0
    with pytest.raises(WrongUse, match="lakedrop connect list"):
        lakedrop.run("connect", "remove", "other")


def test_whom_it_trusts_is_told_by_whole_paths(
    engine: FakeEngine, lakedrop: CommandLine, tmp_path: Path
) -> None:
    """The engine works in a folder of its own."""
    lakedrop.environment_key = KEY
    cert = tmp_path / "me.pem"
    flags = ("--ca-file", "own.pem", "--client-cert", str(cert), "--client-key", "~/key.pem")
    assert lakedrop.run(*ADD, *flags) == 0
    asked = engine.args_of("save_connection")
    assert asked["ca_file"] == str(Path.cwd() / "own.pem")
    assert asked["client_certificate"] == str(cert)
    assert asked["client_key"] == str(Path.home() / "key.pem")
    assert not asked["unverified"]
    assert "BEWARE" not in lakedrop.err


def test_a_server_that_nobody_checks_is_a_loud_choice(
    engine: FakeEngine, lakedrop: CommandLine
) -> None:
    lakedrop.environment_key = KEY
    assert lakedrop.run(*ADD, "--insecure-accept-any-server") == 0
    assert engine.args_of("save_connection")["unverified"]
    assert "BEWARE" in lakedrop.err
    engine.answers["connections"] = lambda _: {"connections": [ROW | {"unverified": True}]}
    assert lakedrop.run("connect", "list") == 0
    assert "NOT CHECKED" in lakedrop.out

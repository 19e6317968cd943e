"""What reaches a terminal: never what a name or a server wrote to steer it."""

from __future__ import annotations

import sys

import pytest

from app.cli.arguments import parser
from app.cli.terminal import Terminal
from app.domain.errors import WrongUse
from tests.unit.cli.conftest import Stream

STEERING = "a\x1b]0;owned\x07\x1b[2J\u202e.csv"
SHOWN = "a\\x1b]0;owned\\x07\\x1b[2J\\u202e.csv"


def test_an_error_cannot_steer_the_terminal_nor_begin_a_line_of_its_own() -> None:
    err = Stream()
    terminal = Terminal(Stream(), Stream(), err)

    terminal.tell_error(WrongUse(f"{STEERING}\nlakedrop: all is well"))
    assert err.getvalue() == (f"lakedrop: That cannot be done: {SHOWN}\\nlakedrop: all is well\n")


def test_nothing_said_told_or_asked_can_steer_the_terminal_and_our_lines_stay() -> None:
    out, err = Stream(), Stream()
    terminal = Terminal(Stream("y\n"), out, err)

    terminal.say(f"\none: {STEERING}")
    terminal.tell(f"two: {STEERING}")
    assert terminal.ask(f"three: {STEERING}?")
    assert out.getvalue() == f"\none: {SHOWN}\n"
    assert err.getvalue() == f"two: {SHOWN}\nthree: {SHOWN}? [y/N] "


def test_a_name_among_wrong_arguments_cannot_steer_it_either(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["jobs", STEERING])
    assert SHOWN in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_a_closed_stream_is_no_fault(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    monkeypatch.setattr(sys, closed, None)
    terminal = Terminal.of_process()
    terminal.say("said")
    terminal.tell("told")
    assert not terminal.can_ask or closed == "stdout"

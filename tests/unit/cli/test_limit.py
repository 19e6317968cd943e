"""`lakedrop limit`, and the same wishes with an upload, against a scripted engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.errors import WrongUse
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.upload_script import Script

PACE: dict[str, Any] = {"limit": "off", "limit_bytes_s": None, "parallel": 0}


def _scripted(lakedrop: CommandLine, **pace: Any) -> None:
    lakedrop.engine.answers["pace"] = lambda _: PACE | pace
    lakedrop.engine.answers["set_pace"] = lambda _: PACE | pace


def test_what_holds_is_told_and_nothing_changed(lakedrop: CommandLine) -> None:
    _scripted(lakedrop)
    assert lakedrop.run("limit") == 0
    assert lakedrop.out == "No limit. Requests at once: as many as bring more.\n"
    assert "set_pace" not in lakedrop.engine.commands()


def test_a_timetable_may_be_written_without_quotes(lakedrop: CommandLine) -> None:
    text = "08:00,512K 18:00,off"
    _scripted(lakedrop, limit=text, limit_bytes_s=524_288, parallel=3)
    assert lakedrop.run("limit", "08:00,512K", "18:00,off", "--parallel", "3") == 0
    assert lakedrop.engine.args_of("set_pace") == {"limit": text, "parallel": 3}
    assert lakedrop.out == (
        f"Timetable {text}; now 524.3 kB/s for all uploads together. "
        "Requests at once: 3 for each upload.\n"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["5M"], {"limit": "5M"}),
        (["off"], {"limit": "off"}),
        (["--parallel", "auto"], {"parallel": 0}),
    ],
)
def test_only_what_was_given_is_changed(
    lakedrop: CommandLine, given: list[str], told: dict[str, Any]
) -> None:
    _scripted(lakedrop)
    assert lakedrop.run("limit", *given, "--json") == 0
    assert lakedrop.engine.args_of("set_pace") == told
    assert json.loads(lakedrop.out) == PACE


@pytest.mark.parametrize("given", [["fast"], ["5M", "6M"], ["1K"]])
def test_what_is_no_limit_is_refused_before_an_engine_is_needed(
    lakedrop: CommandLine, given: list[str]
) -> None:
    with pytest.raises(WrongUse):
        lakedrop.run("limit", *given)
    assert lakedrop.attached == 0


@pytest.mark.parametrize("given", ["0", "17", "many", "-1", "²"])
def test_how_many_at_once_is_a_number_or_auto(
    lakedrop: CommandLine, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        lakedrop.run("limit", "--parallel", given)
    capsys.readouterr()


def test_an_upload_sets_them_first(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    _scripted(lakedrop)
    assert upload("--limit", "5M", "--parallel", "2") == 0
    assert script.engine.args_of("set_pace") == {"limit": "5M", "parallel": 2}
    commands = script.engine.commands()
    assert commands.index("set_pace") < commands.index("add_job")


def test_an_upload_without_such_a_wish_changes_nothing(
    script: Script, upload: Callable[..., int]
) -> None:
    assert upload() == 0
    assert "set_pace" not in script.engine.commands()

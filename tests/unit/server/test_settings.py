"""What the environment and the flags of a server may say."""

from __future__ import annotations

import pytest

from embedded_server.domain.errors import CannotServe
from embedded_server.domain.trash import TrashLimits
from embedded_server.settings import KEY_VARIABLE, parse_arguments, take_key_from

DAY_MS = 24 * 60 * 60 * 1000


def test_the_key_is_taken_out_of_the_environment() -> None:
    environment = {KEY_VARIABLE: "cccccccc-14a1-4eb1-8964-000000000000", "OTHER": "kept"}
    key = take_key_from(environment)
    assert key is not None
    assert key.revealed() == "cccccccc-14a1-4eb1-8964-000000000000"
    assert environment == {"OTHER": "kept"}


def test_without_a_key_the_lake_makes_its_own() -> None:
    assert take_key_from({}) is None
    assert take_key_from({KEY_VARIABLE: ""}) is None


@pytest.mark.parametrize("text", [" ", "\t", "key ", "\x01key", "key\n"])
def test_a_key_that_cannot_travel_is_refused_and_still_not_inherited(text: str) -> None:
    environment = {KEY_VARIABLE: text}
    with pytest.raises(CannotServe, match=KEY_VARIABLE):
        take_key_from(environment)
    assert environment == {}


@pytest.mark.parametrize(
    ("flags", "limits"),
    [
        ([], TrashLimits(30 * DAY_MS, None)),
        (["--trash-days", "0"], TrashLimits(None, None)),
        (["--trash-days", "7", "--trash-max-size", "50G"], TrashLimits(7 * DAY_MS, 50 << 30)),
        (["--trash-max-size", "0"], TrashLimits(30 * DAY_MS, 0)),
        (["--trash-max-size", "1000"], TrashLimits(30 * DAY_MS, 1000)),
        (["--trash-max-size", "2TiB"], TrashLimits(30 * DAY_MS, 2 << 40)),
        (["--trash-max-size", "500mb"], TrashLimits(30 * DAY_MS, 500 << 20)),
    ],
)
def test_the_trash_has_limits(flags: list[str], limits: TrashLimits) -> None:
    assert parse_arguments(["--lake", "x", *flags]).trash == limits


@pytest.mark.parametrize(
    "flags",
    [
        *(["--trash-days", text] for text in ("-1", "x", "1.5", "99999", "")),
        *(["--trash-max-size", text] for text in ("-1", "x", "1.5G", "G", "5P", "", "1" * 20)),
    ],
)
def test_a_limit_that_is_none_is_told(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["--lake", "x", *flags])
    assert ended.value.code == 2
    assert flags[0] in capsys.readouterr().err

"""What the environment and the flags of a server may say."""

from __future__ import annotations

import pytest

from embedded_server.domain.errors import CannotServe
from embedded_server.settings import KEY_VARIABLE, take_key_from


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

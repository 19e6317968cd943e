"""Who is let in by which key, and who is slowed down."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_server.contract import ContractViolation
from embedded_server.domain.api_key import OWN_KEY_NAME, ApiKey, StoredKey
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import (
    LakeError,
    NotAllowed,
    NotAuthenticated,
    SyncNotFound,
    TooManyTries,
    WrongKey,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.try_limiter import TryLimiter
from embedded_server.services.admission import Admission, Visitor
from embedded_server.services.keys import Keys

STRANGER = Visitor("10.0.0.7", needs_key=True)
NEIGHBOUR = Visitor("user 1000", needs_key=False)
OTHER = Visitor("10.0.0.8", needs_key=True)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> Keys:
    return Keys(ApiKey("own"))


@pytest.fixture
def admission(keys: Keys, clock: Clock) -> Admission:
    return Admission(keys, TryLimiter(3, clock), TryLimiter(2, clock))


def _stored(name: str, text: str, path: str | None = None, *, read_only: bool = False) -> StoredKey:
    bound = None if path is None else LakePath.parse(path)
    return StoredKey(name, ApiKey(text).digest, bound, read_only, 1)


def test_a_stranger_needs_a_key_and_a_neighbour_does_not(admission: Admission) -> None:
    assert admission.by_header(STRANGER, None) is None
    assert admission.by_header(NEIGHBOUR, None) is OWNER
    for visitor in (STRANGER, NEIGHBOUR):
        assert admission.by_header(visitor, "Bearer own") == Caller(OWN_KEY_NAME)
        assert admission.by_header(visitor, "bearer  own ") == Caller(OWN_KEY_NAME)
        with pytest.raises(NotAuthenticated) as wrong:
            admission.by_header(visitor, "Bearer other")
        assert wrong.value.headers() == {"WWW-Authenticate": 'Bearer realm="LakeDrop"'}
    with pytest.raises(NotAuthenticated):
        admission.by_header(STRANGER, "Basic b3du")
    with pytest.raises(NotAuthenticated):
        admission.by_header(STRANGER, "own")
    assert admission.by_header(NEIGHBOUR, "Basic b3du") is OWNER


@pytest.mark.parametrize(
    ("visitor", "in_header", "fields", "outcome"),
    [
        (NEIGHBOUR, OWNER, {"api_key": "own"}, Caller(OWN_KEY_NAME)),
        (NEIGHBOUR, OWNER, {"api_key": "other"}, WrongKey),
        (NEIGHBOUR, OWNER, {"api_key": "\ud800"}, WrongKey),
        (NEIGHBOUR, OWNER, {}, ContractViolation),
        (NEIGHBOUR, OWNER, {"api_key": 5}, ContractViolation),
        (NEIGHBOUR, Caller("ci"), {}, Caller("ci")),
        (STRANGER, None, {"api_key": "own"}, Caller(OWN_KEY_NAME)),
        (STRANGER, None, {"api_key": ""}, WrongKey),
        (STRANGER, None, {}, NotAuthenticated),
        (STRANGER, Caller("ci"), {}, Caller("ci")),
        # Whatever the header says, a wrong key in the body is a wrong key.
        (STRANGER, Caller("ci"), {"api_key": "other"}, WrongKey),
    ],
)
def test_start_and_end_bring_their_key_in_either_place(
    admission: Admission,
    visitor: Visitor,
    in_header: Caller | None,
    fields: dict[str, Any],
    outcome: Caller | type[Exception],
) -> None:
    if isinstance(outcome, Caller):
        assert admission.by_body(visitor, in_header, fields) == outcome
    else:
        with pytest.raises(outcome):
            admission.by_body(visitor, in_header, fields)


def test_a_revoked_key_is_out_at_once(admission: Admission, keys: Keys) -> None:
    keys.hold([_stored("ci", "of ci"), _stored("bob", "of bob")])
    assert admission.by_header(STRANGER, "Bearer of ci") == Caller("ci")
    keys.hold([_stored("bob", "of bob")])
    with pytest.raises(NotAuthenticated):
        admission.by_header(STRANGER, "Bearer of ci")
    assert admission.by_header(STRANGER, "Bearer of bob") == Caller("bob")
    assert admission.by_header(STRANGER, "Bearer own") == Caller(OWN_KEY_NAME)


def test_what_a_key_may_do() -> None:
    inside, beside, above = (LakePath.parse(it) for it in ("/data/x/y", "/data/xy", "/data"))
    bound = _stored("ci", "k", "/data/x").caller()
    bound.check_may_write(inside)
    for path in (beside, above):
        with pytest.raises(NotAllowed):
            bound.check_may_see(path)
        with pytest.raises(NotAllowed):
            bound.check_may_write(path)
    reader = _stored("ci", "k", read_only=True).caller()
    reader.check_may_see(above)
    with pytest.raises(NotAllowed):
        reader.check_may_write(inside)


def test_who_guesses_has_to_wait_and_may_then_try_once_more(
    admission: Admission, clock: Clock
) -> None:
    for number in range(3):
        with pytest.raises(NotAuthenticated):
            admission.by_header(STRANGER, f"Bearer guess {number}")
    for guess in ("Bearer guess", "Bearer own"):  # the right one tells nothing either
        with pytest.raises(TooManyTries) as told:
            admission.by_header(STRANGER, guess)
        assert told.value.headers() == {"Retry-After": "20"}
    with pytest.raises(TooManyTries):
        admission.by_body(STRANGER, None, {"api_key": "guess"})
    assert admission.by_header(OTHER, "Bearer own") == Caller(OWN_KEY_NAME)
    clock.now_s += 20.0
    with pytest.raises(NotAuthenticated):
        admission.by_header(STRANGER, "Bearer guess")
    with pytest.raises(TooManyTries):
        admission.by_header(STRANGER, "Bearer guess")
    clock.now_s += 20.0
    assert admission.by_header(STRANGER, "Bearer own") == Caller(OWN_KEY_NAME)


def test_who_was_let_in_before_is_not_held_up_by_a_guesser_beside(admission: Admission) -> None:
    assert admission.by_header(STRANGER, "Bearer own") == Caller(OWN_KEY_NAME)
    for _ in range(10):
        with pytest.raises((NotAuthenticated, TooManyTries)):
            admission.by_header(STRANGER, "Bearer guess")
    assert admission.by_header(STRANGER, "Bearer own") == Caller(OWN_KEY_NAME)


def test_too_many_unknown_syncs_have_to_wait_and_nothing_else_does(admission: Admission) -> None:
    told = [admission.told(STRANGER, SyncNotFound(number)) for number in range(3)]
    assert [type(error) for error in told] == [SyncNotFound, SyncNotFound, TooManyTries]
    assert isinstance(admission.told(OTHER, SyncNotFound(1)), SyncNotFound)
    other = LakeError("x")
    assert admission.told(STRANGER, other) is other
    assert admission.by_header(STRANGER, "Bearer own") == Caller(OWN_KEY_NAME)


def test_the_table_of_tries_is_bounded_and_no_limit_keeps_nothing(clock: Clock) -> None:
    limiter = TryLimiter(1, clock, most_visitors=100)
    for number in range(1_000):
        limiter.wrong_try(f"visitor {number}")
    assert len(limiter) == 100
    assert limiter.wait_s("visitor 999") == 60
    assert limiter.wait_s("visitor 0") == 0
    unlimited = TryLimiter(0, clock)
    for _ in range(100):
        unlimited.wrong_try("visitor")
    assert unlimited.wait_s("visitor") == 0
    assert len(unlimited) == 0


def test_made_keys_are_long_random_and_fit_for_a_header() -> None:
    made = {ApiKey.made().revealed() for _ in range(100)}
    assert len(made) == 100
    assert all(len(text) >= len("lake_") + 32 and text.isascii() for text in made)
    key = ApiKey.made()
    assert key.revealed() not in repr(key)
    assert "digest" not in repr(_stored("ci", "secret"))

"""Pure rules: destinations, connections, back-off, errors, impact."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import errors
from app.domain.connections import (
    LOCAL_LAKE,
    Connection,
    checked_base_url,
    checked_name,
    is_open_to_others,
    is_same_server,
)
from app.domain.errors import (
    ConnectionNotUsable,
    FileRefused,
    LakeBusy,
    LakeDropError,
    LakeFull,
    LakeUnreachable,
    Remedy,
    WrongUse,
    error_from_kind,
)
from app.domain.impact import Extent, Impact
from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import checked_destination
from embedded_server.contract import SyncType

# -- destinations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "checked"),
    [("/data/x", "/data/x"), ("/data/x//", "/data/x"), ("/Bán hàng/a b", "/Bán hàng/a b")],
)
def test_a_destination_loses_its_trailing_slash_only(path: str, checked: str) -> None:
    assert checked_destination(path) == checked


@pytest.mark.parametrize(
    "path", ["", "/", "//", "data/x", "/data//x", "/data/../x", "/data/.", "/no-\udcff", "/\ud800"]
)
def test_a_destination_that_cannot_be_is_refused_with_words(path: str) -> None:
    with pytest.raises(WrongUse, match="destination"):
        checked_destination(path)


# -- connections -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://client.example.com", "https://client.example.com"),
        ("https://client.example.com/", "https://client.example.com"),
        (" https://client.example.com:8443/lake/ ", "https://client.example.com:8443/lake"),
        ("http://127.0.0.1:8555", "http://127.0.0.1:8555"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8555", "http://[::1]:8555"),
    ],
)
def test_an_address_becomes_an_origin(url: str, checked: str) -> None:
    assert checked_base_url(url, allow_plain_http=False) == checked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "client.example.com",
        "ftp://client.example.com",
        "https://",
        "https://:443",
        "https://host:0",
        "https://host:99999",
        "https://host:port",
        "https://[::1",
        "https://ho st",
        "https://ho\u202est",
        "https://me@host",
        "https://@host",
        "https://me:secret@host",
        "https://host?api_key=secret",
        "https://host#secret",
        "http://127.0.0.1\\@evil.example.com",
    ],
)
def test_what_is_no_plain_address_is_refused_without_repeating_a_secret(url: str) -> None:
    with pytest.raises(ConnectionNotUsable) as refused:
        checked_base_url(url, allow_plain_http=True)
    assert "secret" not in refused.value.message


@given(st.text() | st.text("htps:/[]@?#.%019az ").map("http://{}".format))
def test_whatever_is_typed_as_an_address_raises_nothing(url: str) -> None:
    assert not is_same_server(url, "https://lake.example.com")
    assert is_open_to_others(url) in (True, False)


@pytest.mark.parametrize("url", ["http://[", "http://a]b", "http://a:99999999", "http://a:b"])
def test_what_is_no_address_is_no_server(url: str) -> None:
    assert not is_same_server(url, url)


def test_a_server_is_known_by_its_origin() -> None:
    assert is_same_server("https://LAKE.example.com:443/v2", "https://lake.example.com")
    assert not is_same_server("http://lake.example.com", "https://lake.example.com")
    assert is_open_to_others("http://lake.example.com")
    assert not is_open_to_others("https://lake.example.com")
    assert not is_open_to_others("http://127.0.0.1:8080")


def test_a_key_is_not_sent_readable_to_another_machine_without_a_consent() -> None:
    url = "http://client.example.com"
    with pytest.raises(ConnectionNotUsable, match="not encrypted"):
        checked_base_url(url, allow_plain_http=False)
    assert checked_base_url(url, allow_plain_http=True) == url


@pytest.mark.parametrize("name", ["prod", "Bán hàng 2", "a.b-c_d", "x" * 64])
def test_a_good_name_stays(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", " a", "a ", "-a", "a/b", "a\n", "x" * 65, "local", "LOCAL"])
def test_an_odd_name_is_refused(name: str) -> None:
    with pytest.raises(ConnectionNotUsable):
        checked_name(name)


def test_a_connection_is_called_by_its_name_else_by_its_address() -> None:
    assert (LOCAL_LAKE.label, LOCAL_LAKE.is_local) == ("local", True)
    given = Connection("", "https://client.example.com")
    assert (given.label, given.is_local) == ("https://client.example.com", False)


# -- back-off ----------------------------------------------------------------------------------


@given(
    tries=st.integers(1, 7),
    chance=st.floats(0, 1, exclude_max=True),
    wish_s=st.none() | st.floats(allow_nan=False),
)
def test_a_wait_is_never_negative_never_endless_and_never_shorter_than_asked(
    tries: int, chance: float, wish_s: float | None
) -> None:
    policy = RetryPolicy()
    wait_s = policy.wait_s(LakeBusy("busy", wish_s), tries, chance)
    assert wait_s is not None
    assert 0 <= wait_s <= max(policy.cap_s, policy.longest_wish_s)
    if wish_s is not None and wish_s <= policy.longest_wish_s:
        assert wait_s >= wish_s


def test_waits_double_up_to_their_cap_and_vary_wholly() -> None:
    policy = RetryPolicy(attempts=10, base_s=1.0, cap_s=6.0)
    error = LakeUnreachable("cut")
    longest = [policy.wait_s(error, tries, 1.0) for tries in range(1, 6)]
    assert longest == [1.0, 2.0, 4.0, 6.0, 6.0]
    assert policy.wait_s(error, 5, 0.0) == 0.0


def test_after_the_last_attempt_there_is_no_more() -> None:
    policy = RetryPolicy(attempts=3)
    assert policy.wait_s(LakeUnreachable("cut"), 2, 0.5) is not None
    assert policy.wait_s(LakeUnreachable("cut"), 3, 0.5) is None
    assert policy.wait_s(LakeBusy("busy", 1.0), 3, 0.5) is None


@pytest.mark.parametrize("error", [FileRefused("no"), LakeFull("full"), WrongUse("no")])
def test_what_does_not_pass_is_not_tried_again(error: LakeDropError) -> None:
    assert RetryPolicy().wait_s(error, 1, 0.5) is None


def test_a_great_many_tries_do_not_overflow() -> None:
    policy = RetryPolicy(attempts=10**6)
    wait_s = policy.wait_s(LakeUnreachable("cut"), 1_000, 1.0)
    assert wait_s is not None
    assert math.isfinite(wait_s)


# -- errors ------------------------------------------------------------------------------------

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, LakeDropError) and kind is not LakeDropError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_keeps_its_kind_over_the_socket(kind: type[LakeDropError]) -> None:
    here = kind("What happened, and what to do.")
    there = error_from_kind(here.kind, here.message)
    assert (type(there), there.message, str(there)) == (kind, here.message, here.message)
    assert there.title
    assert there.remedy in Remedy


def test_an_error_of_another_version_is_still_told() -> None:
    there = error_from_kind("FromTheFuture", "Words.")
    assert (type(there), there.message) == (LakeDropError, "Words.")


# -- impact ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "replaced", "moves"),
    [
        (SyncType.FULL, 0, False),
        (SyncType.FULL, 3, True),
        (SyncType.FULL, None, True),  # not known, so asked
        (SyncType.INCREMENTAL, 3, False),
        (SyncType.INCREMENTAL, None, False),
    ],
)
def test_only_a_full_sync_over_data_moves_data_to_the_trash(
    mode: SyncType, replaced: int | None, moves: bool
) -> None:
    impact = Impact(mode, "/data/x", 1, 1, replaced, replaced, plain_server=False)
    assert impact.moves_data_to_trash is moves


@pytest.mark.parametrize(
    ("before", "now", "percent", "asks"),
    [
        ((100, 1000), (50, 500), 50, False),  # by half, not by more
        ((100, 1000), (49, 1000), 50, True),  # files alone
        ((100, 1000), (100, 499), 50, True),  # bytes alone
        ((100, 1000), (99, 999), 0, True),
        ((100, 1000), (100, 1000), 0, False),
        ((100, 1000), (1, 1), 100, False),
        ((3, 10), (200, 4), 50, True),
        ((0, 0), (1, 1), 50, False),
        ((2, 0), (1, 0), 50, False),
    ],
)
def test_data_shrinks_when_more_than_the_share_of_files_or_bytes_is_lost(
    before: tuple[int, int], now: tuple[int, int], percent: int, asks: bool
) -> None:
    def impact(mode: SyncType) -> Impact:
        return Impact(
            mode,
            "/x",
            *now,
            *before,
            plain_server=False,
            before_files=before[0],
            before_bytes=before[1],
            most_shrink_percent=percent,
        )

    assert Extent(*before).shrinks(Extent(*now), percent) is asks
    assert impact(SyncType.FULL).shrinks_data is asks
    assert not impact(SyncType.INCREMENTAL).shrinks_data


def test_what_is_not_known_does_not_shrink_and_to_nothing_is_a_question_of_its_own() -> None:
    assert not Impact(SyncType.FULL, "/x", 1, 1, None, None, plain_server=True).shrinks_data
    emptied = Impact(
        SyncType.FULL, "/x", 0, 0, 9, 9, plain_server=False, before_files=9, before_bytes=9
    )
    assert emptied.empties_destination
    assert not emptied.shrinks_data


def test_only_a_full_sync_of_nothing_empties_its_destination() -> None:
    def empties(mode: SyncType, files: int) -> bool:
        return Impact(mode, "/x", files, 0, 0, 0, plain_server=False).empties_destination

    assert empties(SyncType.FULL, 0)
    assert not empties(SyncType.FULL, 1)
    assert not empties(SyncType.INCREMENTAL, 0)

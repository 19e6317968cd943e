"""Named hostile names and paths, each through every way in that takes one.

What is refused is refused everywhere, with the same reason; what is accepted is kept byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.forked_server import ForkedServers
from tests.support.hostile_house import HostileHouse
from tests.support.hostile_names import (
    CONTROL,
    HALF,
    LONG_PATH,
    NAMES,
    NAMES_WITH_SLASHES,
    NO_TEXT,
    PATHS,
    RESERVED,
    Hostile,
)
from tests.support.ways_in import (
    BY_NAME,
    BY_PATH,
    FILTERS,
    IN_JSON,
    OF_WHAT_IS_THERE,
    Way,
    raw,
)
from tests.support.wire import ConnectionEnded

_LONGEST_FILTER = 200


def _ids(table: list[Hostile]) -> list[str]:
    return [ascii(it.id)[1:-1] for it in table]


def test_the_table_is_as_long_as_promised() -> None:
    for table in ([*NAMES, *NAMES_WITH_SLASHES], PATHS):
        assert len({it.sent for it in table}) == len({it.id for it in table}) == len(table)
    assert len(NAMES) + len(NAMES_WITH_SLASHES) + len(PATHS) >= 200
    assert sum(it.refused is not None for it in NAMES) >= 100


@pytest.mark.parametrize("hostile", NAMES, ids=_ids(NAMES))
def test_a_name_is_refused_everywhere_or_kept_byte_for_byte(
    house: HostileHouse, hostile: Hostile
) -> None:
    assert _of_name(house, hostile) == []


@pytest.mark.parametrize("hostile", NAMES_WITH_SLASHES, ids=_ids(NAMES_WITH_SLASHES))
def test_a_name_with_a_slash_is_refused(house: HostileHouse, hostile: Hostile) -> None:
    assert _of_name_with_slash(house, hostile) == []


@pytest.mark.parametrize("hostile", PATHS, ids=_ids(PATHS))
def test_a_path_is_refused_everywhere_or_kept_byte_for_byte(
    house: HostileHouse, hostile: Hostile
) -> None:
    assert _of_path(house, hostile) == []


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        ("lets .. through", "changed outside of the lake"),
        ("lets devices through", "for what is to be refused"),
        ("decodes twice", "is in sight, not"),
        ("normalises names", "is in sight, not"),
        ("trims names", "for what is to be refused"),
        ("cuts names down", "for what is to be refused"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, top: Path, build: str, complaint: str
) -> None:
    judged = [(_of_path, it) for it in PATHS] if ".." in build else []
    judged += [(_of_name_with_slash, it) for it in NAMES_WITH_SLASHES]
    judged += [(_of_name, it) for it in reversed(NAMES)]  # what is good comes last there
    with HostileHouse(servers, top, build) as house:
        for judge, hostile in judged:
            with suppress(ConnectionEnded, AssertionError):
                if any(complaint in it for it in judge(house, hostile)):
                    return
    pytest.fail(f"a server that {build} got away with it")


def _of_name(house: HostileHouse, hostile: Hostile) -> list[str]:
    sent = hostile.sent
    as_path = "/h/" + sent if isinstance(sent, str) else b"/h/" + sent
    return [
        *_complaints(house, hostile, sent, BY_NAME),
        *_complaints(house, hostile, as_path, {**BY_PATH, **OF_WHAT_IS_THERE, **FILTERS}),
    ]


def _of_name_with_slash(house: HostileHouse, hostile: Hostile) -> list[str]:
    return _complaints(house, hostile, hostile.sent, BY_NAME)


def _of_path(house: HostileHouse, hostile: Hostile) -> list[str]:
    ways = {**BY_PATH, **OF_WHAT_IS_THERE, **FILTERS}
    return _complaints(house, hostile, hostile.sent, ways)


def _complaints(
    house: HostileHouse, hostile: Hostile, sent: str | bytes, ways: Mapping[str, Way]
) -> list[str]:
    found = []
    for what, way in ways.items():
        said, complaints = house.try_way(way, sent)
        found += [f"{what}: {it}" for it in complaints]
        reasons = _reasons(what, hostile, sent)
        if not reasons:
            good = 404 if what in OF_WHAT_IS_THERE and what != "usage" else 200
            if said.status not in (good, 201) and not (what == "browse" and sent == "/"):
                found.append(f"{what}: {said} for what is good")
        elif said.is_accepted:
            found.append(f"{what}: {said} for what is to be refused")
        elif said.status != 400 or not any(it in said.message for it in reasons):
            found.append(f"{what}: {said}, not one of {reasons}")
    return found


def _reasons(what: str, hostile: Hostile, text: str | bytes) -> tuple[str, ...]:
    """Any of these may be told; none where it is accepted."""
    refused, sent = hostile.refused, raw(text)
    if what in FILTERS:  # any text may be looked for
        if len(text) > _LONGEST_FILTER:
            return ("longer than",)
        return (NO_TEXT,) if refused in (HALF, NO_TEXT) else ()
    if what == "browse" and text == "/":
        return ()  # the one call that takes the root
    if what in ("upload", "batch"):
        if any(it in sent.upper() for it in (b"%22", b"%0A", b"%0D")):
            # What a browser writes for a quote or a line break: that is what it is read as.
            return (RESERVED, CONTROL)
        if sent.endswith(b"\\"):
            return (RESERVED, "Content-Disposition is malformed")
    if refused is None:
        return ()
    if what in IN_JSON:
        return ("the body is not JSON",) if refused == NO_TEXT else (refused,)
    if refused in (HALF, NO_TEXT):  # half a character is none in UTF-8
        return (NO_TEXT,)
    if refused == LONG_PATH and what == "batch's folder":
        return (refused, "header length exceeded")
    if refused == LONG_PATH and what == "tus path":
        return (refused, "Upload-Metadata is longer than")
    return (refused,)

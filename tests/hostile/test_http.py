"""Bodies and requests that are wrong on the wire, cut anywhere, framed in two ways, smuggled."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.support.forked_server import ForkedServers
from tests.support.hostile_house import HostileHouse
from tests.support.hostile_requests import (
    BODIES,
    BODY,
    BOUNDARIES,
    CHUNKS,
    HEADS,
    LENGTHS,
    OF_A_SINGLE,
    ROUTES,
    SMUGGLING,
    TWO_PARTS,
    Fate,
    Make,
    Requests,
    Sent,
    cut,
)
from tests.support.wire import HUNG_S, Answer, ConnectionEnded, Wire, all_answers

ALL: dict[str, Make] = {
    f"{group}: {what}": make
    for group, table in {
        "length": LENGTHS,
        "smuggling": SMUGGLING,
        "chunks": CHUNKS,
        "body": BODIES,
        "boundary": BOUNDARIES,
        "head": HEADS,
    }.items()
    for what, make in table.items()
}
SINGLE: dict[str, Make] = {f"body: {what}": make for what, make in OF_A_SINGLE.items()}


def _requests(house: HostileHouse, route: str = "upload") -> Requests:
    return Requests(house.server.port, house.ways.sync_id, route)


def _complaints(house: HostileHouse, sent: Sent) -> list[str]:
    """Sends it on a connection of its own, and looks at all that came of it."""
    with Wire(house.server.port) as wire:
        wire.send(sent.raw)
        if sent.is_cut:
            wire.finish_sending()
        told = wire.rest()
    try:
        answers = all_answers(told, has_body=not sent.raw.startswith(b"HEAD "))
    except (ConnectionEnded, ValueError):
        return [f"no answer: {told[:500]!r}"]
    complaints = _of_answers(answers, sent.fate)
    complaints += [f"left behind: {it!r}" for it in _left_behind(house)]
    complaints += [f"changed around: {it!r}" for it in house.watched.changed_around()]
    in_sight = house.watched.in_sight()
    expected: list[set[bytes]] = [set()]
    if sent.fate in (Fate.ACCEPTED, Fate.HARMLESS):
        expected = [{b"h/", b"h/f"}] if sent.fate is Fate.ACCEPTED else [set(), {b"h/", b"h/f"}]
    if in_sight not in expected:
        complaints.append(f"{in_sight} is in sight")
    house.tidy()
    return complaints


def _of_answers(answers: list[Answer], fate: Fate) -> list[str]:
    if fate is Fate.ACCEPTED:
        if len(answers) == 1 and answers[0].status == 200:
            return []
        return [f"not accepted: {answers}"]
    if len(answers) > 1:
        return [f"read as more than one request: {answers}"]
    if not answers:
        return [] if fate is not Fate.REFUSED else ["closed without a word"]
    if fate is Fate.HARMLESS and answers[0].status == 200:
        return []
    try:
        answers[0].error()
    except (AssertionError, KeyError, ValueError):
        return [f"not refused in the contract's shape: {answers[0]}"]
    return []


def _left_behind(house: HostileHouse) -> set[bytes]:
    """A connection that ended is cleared away by a worker: it may take a moment."""
    until = time.monotonic() + HUNG_S
    while (found := house.watched.on_the_way()) and time.monotonic() < until:
        threading.Event().wait(0.001)
    return found


@pytest.mark.parametrize("route", list(ROUTES))
@pytest.mark.parametrize("what", list(ALL))
def test_what_is_wrong_on_the_wire_is_refused(house: HostileHouse, route: str, what: str) -> None:
    assert _complaints(house, ALL[what](_requests(house, route))) == []
    assert house.still_answers()


@pytest.mark.parametrize("what", list(SINGLE))
def test_what_a_single_upload_may_not_be_is_refused(house: HostileHouse, what: str) -> None:
    assert _complaints(house, SINGLE[what](_requests(house))) == []


@pytest.mark.parametrize("route", list(ROUTES))
@pytest.mark.parametrize("body", [BODY, TWO_PARTS], ids=["file", "note and file"])
def test_a_body_cut_anywhere_leaves_nothing(house: HostileHouse, route: str, body: bytes) -> None:
    requests = _requests(house, route)
    # Without the line break at its very end it is whole.
    for at in range(len(body) - 2):
        for framing, sent in cut(requests, body, at).items():
            assert _complaints(house, sent) == [], f"{framing}, cut at {at}"
    assert house.still_answers()


def test_a_head_cut_anywhere_is_nothing(house: HostileHouse) -> None:
    whole = _requests(house).sized(BODY)
    for at in range(whole.index(b"\r\n\r\n") + 4):
        assert _complaints(house, Sent(whole[:at], Fate.CLOSED, is_cut=True)) == [], f"cut at {at}"
    assert house.still_answers()


def test_a_refused_body_is_never_read_as_a_request(house: HostileHouse) -> None:
    """The proxy's trick: a request within the body of one that is refused before it is read."""
    inner = _requests(house).sized(BODY)
    outer = _requests(house).head(
        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(inner), connection=b"keep-alive"
    )
    with Wire(house.server.port) as wire:
        wire.send(outer + inner + _requests(house).list_with(b""))
        answers = all_answers(wire.rest())
    assert [answer.status for answer in answers] == [415, 200]
    assert house.watched.in_sight() == set()


def test_pipelined_uploads_are_each_their_own(house: HostileHouse) -> None:
    requests = _requests(house)
    first = requests.head(b"Content-Length: %d\r\n" % len(BODY), connection=b"keep-alive") + BODY
    bad = first.replace(b'"f"', b'".."', 1).replace(
        b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % (len(BODY) + 1)
    )
    other = requests.sized(BODY.replace(b'"f"', b'"g"'))
    with Wire(house.server.port) as wire:
        wire.send(first + bad + other)
        answers = all_answers(wire.rest())
    assert [answer.status for answer in answers] == [200, 400, 200]
    answers[1].error()
    assert house.watched.in_sight() == {b"h/", b"h/f", b"h/g"}
    house.tidy()


def test_who_asks_whether_to_go_on_is_told_before_the_body(house: HostileHouse) -> None:
    head = b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(BODY)
    requests = _requests(house)
    with Wire(house.server.port) as wire:
        wire.send(requests.head(head))
        assert wire.rest_of_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(BODY)
        assert wire.read().status == 200
    house.tidy()
    with Wire(house.server.port) as wire:  # refused without a byte of the body
        wire.send(requests.head(head, b"application/json"))
        assert wire.rest().startswith(b"HTTP/1.1 400 ")
    with Wire(house.server.port) as wire:  # told to go on, and goes
        wire.send(requests.head(head))
        wire.rest_of_head()
        wire.finish_sending()
        assert wire.rest() == b""
    assert _left_behind(house) == set()
    assert house.watched.in_sight() == set()


@pytest.mark.parametrize(
    ("build", "what"),
    [
        ("accepts a body without its end", "body: closing without dashes"),
        ("takes one file of two", "body: two files"),
        ("takes packed bodies", "head: gzip"),
        ("answers in its own words", "length: negative"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, top: Path, build: str, what: str
) -> None:
    with HostileHouse(servers, top, build) as house:
        assert _complaints(house, {**ALL, **SINGLE}[what](_requests(house))) != []

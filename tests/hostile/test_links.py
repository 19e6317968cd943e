"""Links, files and folders in the way: also such as are put there while the server works.

Nothing behind a link is ever read or changed, and what stands in the way is left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded_server import contract
from embedded_server import contract_extensions as more
from embedded_server.storage import native_calls
from tests.support.counts import count
from tests.support.forked_server import ForkedServers
from tests.support.hostile_house import HostileHouse
from tests.support.ways_in import BY_NAME, BY_PATH, OF_WHAT_IS_THERE, WaysIn
from tests.support.wire import Answer

_ROUNDS = count(300, 20_000)
_IN_THE_WAY = "stands where"


@pytest.fixture(autouse=True)
def tidied(house: HostileHouse) -> Iterator[None]:
    yield
    house.tidy()


def _link(house: HostileHouse, kind: str) -> None:
    """At `/h`, or in it."""
    evil = house.watched.top / "evil"
    place = house.server.files / "h"
    if kind == "the sync's own folder":
        place.symlink_to(evil, target_is_directory=True)
    elif kind == "a folder":
        place.mkdir()
        (place / "x").symlink_to(evil, target_is_directory=True)
    elif kind == "a file":
        place.mkdir()
        (place / "x").symlink_to(evil / "passwd")
    elif kind == "nothing":
        place.mkdir()
        (place / "x").symlink_to(evil / "not-there")
    else:
        place.mkdir()
        (place / "x").symlink_to("x")


@pytest.mark.parametrize(
    "kind", ["the sync's own folder", "a folder", "a file", "nothing", "itself"]
)
def test_a_link_is_never_followed(house: HostileHouse, kind: str) -> None:
    for what, way in {**BY_NAME, **BY_PATH, **OF_WHAT_IS_THERE}.items():
        sents = ["x"] if what in BY_NAME else ["/h/x", "/h/x/y", "/h/x/passwd"]
        for sent in sents:
            _link(house, kind)
            before = house.watched.in_sight()
            (house.server.files / "from").write_bytes(b"from here")
            said = way(house.ways, sent)
            # A start looks at nothing, usage counts what is there, details tell of the link itself.
            told = (200, 400, 404) if what in ("start", "usage", "details") else (400, 404)
            assert said.status in told, f"{what}: {said}"
            assert house.watched.in_sight() - {b"from"} == before, what
            assert house.watched.changed_around() == set(), what
            assert house.watched.on_the_way() == set(), what
            house.tidy()


def test_what_lies_behind_a_link_is_not_counted_listed_or_zipped(house: HostileHouse) -> None:
    _link(house, "a folder")
    (house.server.files / "h" / "fine").write_bytes(b"1")
    assert house.ways.usage("/h/x").status == 200
    assert house.ways.get(contract.USAGE_ROUTE, "path=/h").json["files"] == 1
    assert house.ways.get(more.LAKE_ENTRIES_ROUTE, "path=/h/x").status == 404
    assert b"root:x" not in house.ways.get(more.LAKE_ZIP_ROUTE, "path=/h").body
    house.tidy()


@pytest.mark.parametrize("way", ["upload's path", "batch's folder", "tus path", "new folder"])
@pytest.mark.parametrize("place", ["/h/x", "/h/x/y"])
def test_a_file_where_a_folder_is_needed_is_told_and_left_alone(
    house: HostileHouse, way: str, place: str
) -> None:
    assert house.ways.upload(b'filename="x"').status == 200
    said = BY_PATH[way](house.ways, place)
    assert (said.status, _IN_THE_WAY in said.message) == (400, True), said
    assert house.watched.in_sight() == {b"h/", b"h/x"}
    assert house.watched.on_the_way() == set()
    house.tidy()


@pytest.mark.parametrize("way", list(BY_NAME))
def test_a_folder_where_a_file_is_to_be_is_told_and_left_alone(
    house: HostileHouse, way: str
) -> None:
    assert house.ways.upload(b'filename="y"', b"/h/x").status == 200
    said = BY_NAME[way](house.ways, "x")
    assert (said.status, _IN_THE_WAY in said.message) == (400, True), said
    assert house.watched.in_sight() == {b"h/", b"h/x/", b"h/x/y"}
    assert house.watched.on_the_way() == set()
    house.tidy()


TWINS = {
    "composed and not": ("é.csv", "e\u0301.csv"),
    "upper and lower": ("a.csv", "A.csv"),
    "Kelvin": ("K", "K"),
    "full width": ("a", "ａ"),
    "sharp s": ("ß", "ss"),
}


@pytest.mark.parametrize("pair", TWINS)
def test_twins_are_two_files_where_the_disk_holds_both(house: HostileHouse, pair: str) -> None:
    """Names are bytes: neither is taken for the other, and each is found by its own."""
    for way in BY_NAME.values():
        for name in TWINS[pair]:
            assert way(house.ways, name).is_accepted
        assert house.watched.in_sight() == {b"h/", *(b"h/" + it.encode() for it in TWINS[pair])}
        rows = house.ways.get(more.LAKE_ENTRIES_ROUTE, "path=/h").json["rows"]
        assert {row["name"] for row in rows} == set(TWINS[pair])
        assert not any(row["changed"] for row in rows)
        house.tidy()


# -- while the server works --------------------------------------------------------------------


@contextmanager
def _swapped(one: Path, other: Path) -> Iterator[None]:
    """The two change places, again and again, in one step each."""
    over = threading.Event()

    def swap() -> None:
        while not over.wait(0.0002):
            native_calls.exchange(str(one), str(other))

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _single(ways: WaysIn, n: int) -> Answer:
    return ways.upload(b'filename="f%d"' % (n % 40), b"/h/p/q")


def _single_in_a_new_folder(ways: WaysIn, n: int) -> Answer:
    return ways.upload(b'filename="f"', b"/h/p/q/n%d" % n)


def _batch(ways: WaysIn, n: int) -> Answer:
    return ways.batch(b'filename="f%d"' % (n % 40), b"/h/p/q")[0]


def _new_folder(ways: WaysIn, n: int) -> Answer:
    return ways.fields(more.LAKE_FOLDER_ROUTE, path=b'"/h/p/q/m%d"' % n)


def _rename(ways: WaysIn, n: int) -> Answer:
    there, back = b'"/h/p/q/r"', b'"/r"'
    path, to = (back, there) if n % 2 else (there, back)
    return ways.fields(more.LAKE_RENAME_ROUTE, path=path, to=to)


def _delete(ways: WaysIn, n: int) -> Answer:
    return ways.fields(more.LAKE_DELETE_ROUTE, path=b'"/h/p/q/sentinel"')


def _swap_race(house: HostileHouse, what: str, rounds: int) -> list[str]:
    """Uploads into a folder that turns into a link to a like one outside, and back."""
    outside = house.watched.top / "evil" / "room"
    (outside / "q").mkdir(parents=True)
    (outside / "q" / "sentinel").write_bytes(b"not the lake's")
    place = house.server.files / "h" / "p"
    (place / "q").mkdir(parents=True)
    (house.server.files / "r").write_bytes(b"r")
    link = house.server.files / "link"
    link.symlink_to(outside, target_is_directory=True)
    house.watched.remember()
    accepted = 0
    complaints: list[str] = []
    with _swapped(place, link):
        for n in range(rounds):
            answer = _RACES[what](house.ways, n)
            # Looked for behind the link, used in the folder: that it is gone is told as a fault,
            # since sending again helps.
            if answer.status >= 500 and b"No such file" not in answer.body:
                complaints.append(f"{answer}")
            accepted += answer.status == 200
            if n % 50 == 49 and house.watched.changed_around():
                break
    complaints += [f"changed outside: {it!r}" for it in house.watched.changed_around()]
    complaints += [f"left behind: {it!r}" for it in house.watched.on_the_way()]
    if not accepted and what != "delete":
        complaints.append("nothing was ever accepted: no race was run")
    return complaints


_RACES = {
    "uploads": _single,
    "uploads into new folders": _single_in_a_new_folder,
    "batches": _batch,
    "new folders": _new_folder,
    "rename": _rename,
    "delete": _delete,
}


@pytest.mark.soak
@pytest.mark.parametrize("what", list(_RACES))
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    servers: ForkedServers, top: Path, what: str
) -> None:
    with HostileHouse(servers, top) as house:
        assert _swap_race(house, what, _ROUNDS) == []
        assert "Traceback" not in house.log()


@pytest.mark.parametrize("what", ["uploads", "uploads into new folders", "new folders"])
def test_of_the_test_a_server_that_follows_links_is_caught(
    servers: ForkedServers, top: Path, what: str
) -> None:
    with HostileHouse(servers, top, "follows links") as house:
        complaints = _swap_race(house, what, 3_000)
        assert any("changed outside" in it for it in complaints)

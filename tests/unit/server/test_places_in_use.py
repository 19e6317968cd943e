"""Two uploads of one name go one after the other; of other names, side by side."""

from __future__ import annotations

import threading

from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.upload import Destination
from embedded_server.storage.places_in_use import PlacesInUse


def _place(name: str, folder: str = "/data/x") -> Destination:
    return Destination(LakePath.parse(folder), name)


def test_all_of_them_or_none_are_taken_at_once() -> None:
    places = PlacesInUse()
    assert places.take_now([_place("a"), _place("b")])
    assert not places.take_now([_place("c"), _place("b")])
    assert places.take_now([_place("c"), _place("b", "/data/y")])
    places.give_back([_place("a"), _place("b")])
    assert places.take_now([_place("b")])
    assert not places.take_now([_place("c")])


def test_who_needs_one_that_is_taken_waits_for_it() -> None:
    places = PlacesInUse()
    assert places.take_now([_place("a")])
    order: list[str] = []

    def wait() -> None:
        with places.taken([_place("a"), _place("b")]):
            order.append("taken")

    waiting = threading.Thread(target=wait)
    with places.taken([_place("c")]):  # others go on
        waiting.start()
        order.append("given back")
        places.give_back([_place("a")])
        waiting.join(30)
    assert order == ["given back", "taken"]
    assert places.take_now([_place("a"), _place("b"), _place("c")])


def test_what_was_taken_is_given_back_whatever_happens() -> None:
    places = PlacesInUse()
    try:
        with places.taken([_place("a")]):
            raise RuntimeError
    except RuntimeError:
        pass
    assert places.take_now([_place("a")])

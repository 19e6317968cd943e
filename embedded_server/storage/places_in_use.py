"""Two uploads of one name go one after the other: each version that is replaced is kept."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from embedded_server.domain.upload import Destination


class PlacesInUse:
    """Any thread may call it. Whoever waits holds nothing, so nobody waits for one another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken: set[Destination] = set()

    def take_now(self, places: Collection[Destination]) -> bool:
        """False, and none is taken, where one of them is in use."""
        with self._changed:
            if not self._taken.isdisjoint(places):
                return False
            self._taken.update(places)
            return True

    def give_back(self, places: Collection[Destination]) -> None:
        with self._changed:
            self._taken.difference_update(places)
            self._changed.notify_all()

    @contextmanager
    def taken(self, places: Collection[Destination]) -> Iterator[None]:
        """All of them at once, as soon as none is in use."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken.isdisjoint(places))
            self._taken.update(places)
        try:
            yield
        finally:
            self.give_back(places)

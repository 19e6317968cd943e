"""Many may publish at once; a swap of whole folders waits for them and keeps new ones out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """A waiting swap goes before new publishers, so that steady uploads cannot starve it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharers = 0
        self._exclusive_waiting = 0
        self._exclusive_held = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(
                lambda: not self._exclusive_held and self._exclusive_waiting == 0
            )
            self._sharers += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharers -= 1
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._changed:
            self._exclusive_waiting += 1
            try:
                self._changed.wait_for(lambda: not self._exclusive_held and self._sharers == 0)
            finally:
                self._exclusive_waiting -= 1
            self._exclusive_held = True
        try:
            yield
        finally:
            with self._changed:
                self._exclusive_held = False
                self._changed.notify_all()

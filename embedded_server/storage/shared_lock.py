"""Many may publish at once; a swap of whole folders waits for them and keeps new ones out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SharedLock:
    """A waiting swap goes before new publishers, so that steady uploads cannot starve it."""

    def __init__(self, on_exclusive: Callable[[], None] = lambda: None) -> None:
        """`on_exclusive` is called whenever it is held so; what it raises ends that."""
        self._on_exclusive = on_exclusive
        self._changed = threading.Condition()
        self._sharers = 0
        self._exclusive_waiting = 0
        self._exclusive_held = False

    def share_now(self) -> bool:
        """False where that would be a wait; else `unshare` comes later, from any thread."""
        with self._changed:
            if self._exclusive_held or self._exclusive_waiting:
                return False
            self._sharers += 1
            return True

    def unshare(self) -> None:
        with self._changed:
            self._sharers -= 1
            self._changed.notify_all()

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
            self.unshare()

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
            self._on_exclusive()
            yield
        finally:
            with self._changed:
                self._exclusive_held = False
                self._changed.notify_all()

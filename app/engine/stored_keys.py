"""Which connections have a key in the keyring, told soon also while the keyring hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.errors import ConnectionNotUsable
from app.domain.ports import Secrets

_PATIENCE_S = 3.0


@dataclass(slots=True)
class _Asking:
    done: threading.Event = field(default_factory=threading.Event)


class StoredKeys:
    """Asks the keyring on a thread of its own, one at a time: a locked keyring answers when its
    user has typed a password, which may be never.

    What it does not say in time is taken from what it said before; a connection it never spoke of
    is taken to have its key, which is put right by the use of it.
    """

    def __init__(self, secrets: Secrets, patience_s: float = _PATIENCE_S) -> None:
        self._secrets = secrets
        self._patience_s = patience_s
        self._lock = threading.Lock()  # guards all below
        self._known: dict[str, bool] = {}
        self._touched: dict[str, int] = {}  # how often a name's key was stored or removed
        self._asking: _Asking | None = None

    def of(self, names: Sequence[str], *, patient: bool = False) -> set[str]:
        """The names that have a key. `patient`: waits for the keyring, however long that takes."""
        if not names or not self._secrets.available():
            return set()
        deadline_s = None if patient else time.monotonic() + self._patience_s
        while True:
            asking, is_ours = self._ask(names)
            left_s = None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)
            if not asking.done.wait(left_s) or is_ours:
                break  # else somebody else's, who did not ask for all of ours: once more
        with self._lock:
            return {name for name in names if self._known.get(name, True)}

    def note(self, name: str, *, has_key: bool) -> None:
        """A key was stored or removed just now."""
        with self._lock:
            self._known[name] = has_key
            self._touched[name] = self._touched.get(name, 0) + 1

    def _ask(self, names: Sequence[str]) -> tuple[_Asking, bool]:
        with self._lock:
            if self._asking is not None and not self._asking.done.is_set():
                return self._asking, False
            asking = self._asking = _Asking()
        threading.Thread(
            target=self._run, args=(asking, tuple(names)), name="ask-keyring", daemon=True
        ).start()
        return asking, True

    def _run(self, asking: _Asking, names: Sequence[str]) -> None:
        try:
            for name in names:
                with self._lock:
                    touched = self._touched.get(name, 0)
                has_key = self._has_key(name)
                with self._lock:
                    if self._touched.get(name, 0) == touched:
                        self._known[name] = has_key
        finally:
            asking.done.set()

    def _has_key(self, name: str) -> bool:
        try:
            return bool(self._secrets.get(name))
        except ConnectionNotUsable:  # it cannot be read, so no job could use it
            return False

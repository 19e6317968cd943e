"""Adds, lists and revokes keys by name, and remembers when each was last used."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from embedded_server.domain.api_key import OWN_KEY_NAME, ApiKey, StoredKey
from embedded_server.domain.errors import InvalidParam, LakeError, Refused
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Clock, KeyStore
from embedded_server.services.keys import Keys

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_USES_ARE_KEPT_EVERY_MS = 60_000


class KeyBook:
    """Any thread may call it. What it changes, `keys` know before the call returns."""

    def __init__(self, store: KeyStore, keys: Keys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._changing = threading.Lock()
        self._used_at_ms: dict[str, int] = {}
        self._uses_kept_at_ms = clock()
        keys.hold(store.in_use())

    def add(self, name: str, path_text: str | None, *, is_read_only: bool) -> ApiKey:
        """The new key, which nobody can be shown again. Raises `InvalidParam`, `Refused`."""
        if not _NAME.fullmatch(name) or name == OWN_KEY_NAME:
            raise InvalidParam(
                f"{name[:100]!r} cannot be a key's name: use letters, digits and . _ @ -,"
                f' at most 64 of them, beginning with a letter or a digit; "{OWN_KEY_NAME}" is'
                " the lake's own key"
            )
        path = None if path_text is None else LakePath.parse(path_text)
        key = ApiKey.made()
        with self._changing:
            stored = StoredKey(name, key.digest, path, is_read_only, self._clock())
            if not self._store.add(stored):
                raise Refused(f"there is a key named {name}: revoke it first, or take another name")
            self._keys.hold(self._store.in_use())
        return key

    def revoke(self, name: str) -> None:
        """Raises `Refused` where there is no such key. It is out when this returns."""
        with self._changing:
            if not self._store.revoke(name, self._clock()):
                raise Refused(f"there is no key named {name[:100]!r}")
            self._used_at_ms.pop(name, None)
            self._keys.hold(self._store.in_use())

    def all(self) -> Sequence[StoredKey]:
        return [
            replace(key, last_used_at_ms=self._used_at_ms.get(key.name, key.last_used_at_ms))
            for key in self._store.in_use()
        ]

    def used(self, name: str, later: Callable[[Callable[[], None]], object]) -> None:
        """Notes a use; now and then has what was noted written, by `later`, on another thread."""
        now_ms = self._clock()
        if name != OWN_KEY_NAME:
            self._used_at_ms[name] = now_ms
        if self._used_at_ms and abs(now_ms - self._uses_kept_at_ms) > _USES_ARE_KEPT_EVERY_MS:
            self._uses_kept_at_ms = now_ms
            later(self.keep_uses)

    def keep_uses(self) -> None:
        uses, self._used_at_ms = self._used_at_ms, {}
        if not uses:
            return
        try:
            self._store.note_uses(uses)
        except LakeError:
            # It will be used again; a catalog that fails is told by what matters more.
            return

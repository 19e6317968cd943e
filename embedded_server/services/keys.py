"""The keys that this server knows: the lake's own, and those that were added by name."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from embedded_server.domain.api_key import OWN_KEY_NAME, ApiKey, StoredKey, same_digest
from embedded_server.domain.caller import Caller


class Keys:
    """Held in memory, so that a revoked key is out with the answer to its revocation."""

    def __init__(self, own: ApiKey | None, stored: Sequence[StoredKey] = ()) -> None:
        self._lock = threading.Lock()
        self._known: tuple[tuple[bytes, Caller], ...] = ()
        self._own = own
        self.hold(stored)

    def __len__(self) -> int:
        return len(self._known)

    def hold(self, stored: Sequence[StoredKey]) -> None:
        """From now on these, and the lake's own."""
        known = [(key.digest, key.caller()) for key in stored]
        if self._own is not None:
            known.append((self._own.digest, Caller(OWN_KEY_NAME)))
        with self._lock:
            self._known = tuple(known)

    def find(self, digest: bytes) -> Caller | None:
        """Looks at every key, whichever fits: time tells nothing of how near a guess was."""
        found: Caller | None = None
        for known, caller in self._known:
            if same_digest(known, digest):
                found = caller
        return found

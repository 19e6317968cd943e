"""The syncs that take uploads now, each behind a gate that *end* closes.

    open ──end, abort, expiry──> closed (waits for uploads that are being committed) ──> over
           <──it could not be done, and nothing has changed──┘

An upload is committed inside the gate: either wholly before *end*, or it is told that the job is
already ended and nothing of it is in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from embedded_server.contract import SyncStatus
from embedded_server.domain.errors import LakeError, SyncAlreadyEnded, SyncNotFound
from embedded_server.domain.ports import Catalog
from embedded_server.domain.sync import Sync


class SyncGate:
    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        # One *end* or abort at a time; a parallel one waits for the outcome of the first.
        self.ending = threading.Lock()
        # What became of it, once it is over: `refusal()` of this is told to whoever waited.
        self.over: Sync | None = None
        self._changed = threading.Condition()
        self._committing = 0
        self._refusal: Callable[[], LakeError] | None = None

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Raises what `close` was given once that has begun."""
        with self._changed:
            if self._refusal is not None:
                raise self._refusal()
            self._committing += 1
        try:
            yield
        finally:
            with self._changed:
                self._committing -= 1
                self._changed.notify_all()

    def close(self, refusal: Callable[[], LakeError] = SyncAlreadyEnded) -> None:
        """Lets nobody in any more, and waits for those who are inside."""
        with self._changed:
            self._refusal = refusal
            self._changed.wait_for(lambda: self._committing == 0)

    def reopen(self) -> None:
        with self._changed:
            self._refusal = None

    def is_over(self, status: SyncStatus, message: str = "") -> None:
        """The catalog says so; the holder of `ending` calls this."""
        self.over = replace(self.sync, status=status, message=message)


class OpenSyncs:
    """Finds a sync's gate; one gate a sync, whoever asks."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._gates: dict[int, SyncGate] = {}
        self._when_over: list[Callable[[int], None]] = []

    def when_over(self, listener: Callable[[int], None]) -> None:
        """Before the first sync: `listener` is told the id of each sync that is over."""
        self._when_over.append(listener)

    def find(self, sync_id: int) -> SyncGate:
        """Raises `SyncNotFound`, `SyncAlreadyEnded`, `SyncAborted` or `SyncExpired`."""
        gate = self._gates.get(sync_id)
        if gate is not None:
            return gate
        # The catalog is asked under the lock: else a gate could be made anew, open, from a row
        # that was read just before its sync ended.
        with self._lock:
            gate = self._gates.get(sync_id)
            if gate is None:
                sync = self._catalog.find_sync(sync_id)
                if sync is None:
                    raise SyncNotFound(sync_id)
                if sync.status is not SyncStatus.SYNCING:
                    raise sync.refusal()
                gate = self._gates[sync_id] = SyncGate(sync)
            return gate

    def find_now(self, sync_id: int) -> SyncGate | None:
        return self._gates.get(sync_id)

    def forget(self, sync_id: int) -> None:
        """Once the catalog says that the sync is over."""
        with self._lock:
            self._gates.pop(sync_id, None)
        for listener in self._when_over:
            listener(sync_id)

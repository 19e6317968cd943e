"""Fails syncs that nobody ends or feeds, after an idle time that clocks cannot make up.

Idle time is counted, not read off the wall clock: each look adds what has gone by since the last
one. While the server runs that is what the monotonic clock says; beyond it (the server was off, the
machine slept, somebody set the clock) the wall clock is believed for a seventh of the limit a look
at most. So no jump of a clock, and no single long rest, expires anything that was fed before it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from embedded_server.domain.errors import LakeError
from embedded_server.domain.ports import Catalog, Clock
from embedded_server.services.sync_service import SyncService

DAY_MS = 24 * 60 * 60 * 1000
DEFAULT_LIMIT_DAYS = 7
_BELIEVED_PART = 7
_LONGEST_PAUSE_S = 600.0
_LOOKS_A_LIMIT = 100
_KEYS_REMEMBERED_MS = DAY_MS  # after the end of their sync; a lost answer is asked for long before

_log = logging.getLogger(__name__)


class IdleWatch:
    """Used by one thread at a time; `monotonic_ms` is a clock that nobody can set."""

    def __init__(
        self,
        catalog: Catalog,
        syncs: SyncService,
        clock: Clock,
        monotonic_ms: Clock,
        limit_ms: int,
    ) -> None:
        self._catalog = catalog
        self._syncs = syncs
        self._clock = clock
        self._monotonic_ms = monotonic_ms
        self._limit_ms = limit_ms
        self._looked_at_ms: int | None = None

    @property
    def pause_s(self) -> float:
        """How long to wait between two looks."""
        return min(_LONGEST_PAUSE_S, self._limit_ms / 1000 / _LOOKS_A_LIMIT)

    def look(self) -> list[int]:
        """Returns the ids of those that have expired now. Raises `LakeFull`, `LakeFault`."""
        now_ms, monotonic_ms = self._clock(), self._monotonic_ms()
        last_ms, self._looked_at_ms = self._looked_at_ms, monotonic_ms
        seen_ms = 0 if last_ms is None else monotonic_ms - last_ms
        self._catalog.add_idle_time(now_ms, seen_ms, seen_ms + self._limit_ms // _BELIEVED_PART)
        self._catalog.forget_idempotency_keys(now_ms - _KEYS_REMEMBERED_MS)
        idle = self._catalog.idle_sync_ids(self._limit_ms)
        return [sync_id for sync_id in idle if self._syncs.expire(sync_id, self._limit_ms)]


class IdleWatcher:
    """Looks from its beginning on, again and again, on a thread of its own."""

    def __init__(self, watch: IdleWatch, *chores: Callable[[], None]) -> None:
        """`chores` are done at each look, each even if another fails with a `LakeError`."""
        self._watch = watch
        self._chores = chores
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            for do in (self._watch.look, *self._chores):
                try:
                    do()
                except LakeError as error:  # the disk may be full for a while; the next look tells
                    _log.error("a look at what is idle or over failed: %s", error.message)
            if self._closing.wait(self._watch.pause_s):
                return

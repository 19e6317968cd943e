"""Whether this server can do its work: the lake takes files and the catalog answers."""

from __future__ import annotations

import logging
from typing import Protocol

from embedded_server.domain.errors import LakeError
from embedded_server.domain.measures import Measures

_log = logging.getLogger(__name__)


class Probe(Protocol):
    def check_writable(self) -> None:
        """Raises `OSError`."""

    def free_bytes(self) -> int: ...


class CountingCatalog(Protocol):
    def check_answers(self) -> None:
        """Raises `LakeError` when reading or writing fails."""

    def running_sync_ids(self) -> frozenset[int]: ...


class Health:
    def __init__(self, probe: Probe, catalog: CountingCatalog, measures: Measures) -> None:
        self._probe = probe
        self._catalog = catalog
        self.measures = measures

    def check(self) -> bool:
        try:
            self._probe.check_writable()
            self._catalog.check_answers()
        except (OSError, LakeError) as error:
            # Told here alone: the answer goes to anybody.
            words = error.message if isinstance(error, LakeError) else error.strerror
            _log.error("the lake is not well: %s", words)
            return False
        return True

    def running_syncs(self) -> int:
        return len(self._catalog.running_sync_ids())

    def free_bytes(self) -> int:
        return self._probe.free_bytes()

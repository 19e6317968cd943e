"""How long things have lain in the trash, kept in a small file beside it."""

from __future__ import annotations

import json
import logging

from embedded_server.domain.trash import Seen, TrashAges
from embedded_server.storage import own_files
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.layout import Layout

_log = logging.getLogger(__name__)


class AgesFile:
    """`ports.AgesOfTrash`. Losing the file costs nobody anything: all that lies there is young."""

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self._path = layout.trash_ages
        self._disk = disk

    def load(self) -> TrashAges:
        try:
            with open(self._path, encoding="utf-8") as file:
                return _read(json.load(file))
        except FileNotFoundError:
            return TrashAges()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
            _log.warning("ages of the trash cannot be read and are counted anew: %s", cause)
            return TrashAges()

    def save(self, ages: TrashAges) -> None:
        seen = {name: [it.mark, it.since_ms] for name, it in ages.seen.items()}
        told = {"counted_ms": ages.counted_ms, "seen_at_ms": ages.seen_at_ms, "seen": seen}
        with translated():
            own_files.write_whole(self._path, json.dumps(told) + "\n", self._disk)


def _read(told: dict[str, object]) -> TrashAges:
    counted_ms, seen_at_ms, seen = told["counted_ms"], told["seen_at_ms"], told["seen"]
    if not isinstance(counted_ms, int) or not isinstance(seen_at_ms, int):
        raise TypeError("times must be numbers")
    if not isinstance(seen, dict):
        raise TypeError("what was seen must be an object")
    found = {}
    for name, (mark, since_ms) in seen.items():
        if not isinstance(mark, str) or not isinstance(since_ms, int):
            raise TypeError(f"{name} has no mark and time")
        found[name] = Seen(mark, since_ms)
    return TrashAges(counted_ms, seen_at_ms, found)

"""How fast uploads may go, as the user sets it: at once, for all, and for later engines too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from app.domain.bandwidth import timetable_of
from app.domain.errors import WrongUse
from app.domain.ports import Journal
from app.engine.lanes import MOST
from app.engine.pacing import Pacing

log = logging.getLogger(__name__)

_LIMIT, _PARALLEL = "limit", "parallel"

Args = Mapping[str, Any]


def take_kept_pace(journal: Journal, pacing: Pacing) -> None:
    """As an earlier engine was told."""
    try:
        pacing.use(timetable_of(journal.setting(_LIMIT)))
        pacing.parallel = _parallel_of(journal.setting(_PARALLEL) or 0)
    except (WrongUse, ValueError):
        log.warning("what was kept of the pace makes no sense")


class PaceCommands:
    def __init__(self, pacing: Pacing, journal: Journal, on_change: Callable[[], None]) -> None:
        self._pacing = pacing
        self._journal = journal
        self._on_change = on_change

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        return {"pace": self._pace, "set_pace": self._set_pace}

    def _pace(self, _: Args) -> Mapping[str, Any]:
        return {
            "limit": self._pacing.timetable.text,
            "limit_bytes_s": self._pacing.limit_bytes_s,
            "parallel": self._pacing.parallel,
        }

    def _set_pace(self, args: Args) -> Mapping[str, Any]:
        """Raises `WrongUse`, and nothing is changed then."""
        timetable = timetable_of(str(args[_LIMIT])) if _LIMIT in args else None
        parallel = _parallel_of(args[_PARALLEL]) if _PARALLEL in args else None
        if timetable is not None:
            self._journal.keep_setting(_LIMIT, timetable.text)
            self._pacing.use(timetable)
        if parallel is not None:
            self._journal.keep_setting(_PARALLEL, str(parallel))
            self._pacing.parallel = parallel
        self._on_change()
        return self._pace({})


def _parallel_of(value: object) -> int:
    parallel = int(str(value))
    if not 0 <= parallel <= MOST:
        raise WrongUse(f"Up to {MOST} requests at once can be made for a job, not {parallel}.")
    return parallel

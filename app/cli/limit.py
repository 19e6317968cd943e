"""`lakedrop limit`: how fast all uploads together may go, changed while they run."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from app.cli import exits
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.words import shown, size
from app.domain.bandwidth import timetable_of


def limit(options: Namespace, context: CommandContext) -> int:
    """Raises `WrongUse` for what is no rate and no timetable; nothing is changed then."""
    wished = pace_of(" ".join(options.rates) if options.rates else None, options.parallel)
    with EngineSession(context.attach_engine) as session:
        pace = session.request("set_pace", **wished) if wished else session.request("pace")
    if options.json:
        context.terminal.say_json(pace)
    else:
        context.terminal.say(f"{_limit_words(pace)} {_parallel_words(int(pace['parallel']))}")
    return exits.DONE


def pace_of(limit: str | None, parallel: int | None) -> dict[str, Any]:
    """What the engine is to be told; empty where nothing was asked. Raises `WrongUse`."""
    wished: dict[str, Any] = {}
    if limit is not None:
        wished["limit"] = timetable_of(limit).text
    if parallel is not None:
        wished["parallel"] = parallel
    return wished


def _limit_words(pace: dict[str, Any]) -> str:
    timetable, now = shown(str(pace["limit"])), pace["limit_bytes_s"]
    now_words = "no limit" if now is None else f"{size(now)}/s for all uploads together"
    if "," not in timetable:
        return f"{now_words[0].upper()}{now_words[1:]}."
    return f"Timetable {timetable}; now {now_words}."


def _parallel_words(parallel: int) -> str:
    if not parallel:
        return "Requests at once: as many as bring more."
    return f"Requests at once: {parallel} for each upload."

"""Moments as the wire and the journal have them, milliseconds since 1970 UTC, in calendar form."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_of(time_ms: int) -> datetime | None:
    """None for 0 (not yet) and for what no calendar holds: the number is another machine's."""
    if time_ms <= 0:
        return None
    try:
        return datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None


def iso_time(time_ms: int) -> str | None:
    """UTC, milliseconds kept: `2021-12-05T18:23:16.890+00:00`."""
    moment = moment_of(time_ms)
    return None if moment is None else moment.isoformat(timespec="milliseconds")

"""Numbers, times and states in the words a person reads."""

from __future__ import annotations

import unicodedata

from app.domain.moments import moment_of
from app.domain.upload_job import JobState
from embedded_server.contract import SyncStatus, SyncType

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")

MODES = {SyncType.FULL: "full", SyncType.INCREMENTAL: "incremental"}
STATUS_COLOURS = {
    SyncStatus.SYNCING: "yellow",
    SyncStatus.FAILED: "red",
    SyncStatus.FINISHED: "green",
}
STATES = {
    JobState.DRAFT: "looking for files",
    JobState.QUEUED: "waiting",
    JobState.STARTING: "starting",
    JobState.UPLOADING: "uploading",
    JobState.ENDING: "ending the sync",
    JobState.FINISHED: "finished",
    JobState.PAUSED: "paused",
    JobState.NEEDS_ATTENTION: "needs attention",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


def size(size_bytes: float) -> str:
    """`9.1 GB`; powers of 1000, as file managers and disks tell them."""
    amount, unit = float(size_bytes), 0
    while amount >= 999.95 and unit < len(_UNITS) - 1:
        amount /= 1000
        unit += 1
    if unit == 0:
        return "1 byte" if amount == 1 else f"{amount:.0f} bytes"
    return f"{amount:.1f} {_UNITS[unit]}"


def files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 04 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def took(start_ms: int, end_ms: int) -> str:
    """Empty while it runs, or where the server's times make no sense."""
    return duration((end_ms - start_ms) / 1000) if 0 < start_ms <= end_ms else ""


def local_time(time_ms: int) -> str:
    moment = moment_of(time_ms)
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def shown(text: str) -> str:
    """A name that came from a disk or a server, safe on a terminal: no escape sequences, no
    characters that turn the line around."""
    if text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )

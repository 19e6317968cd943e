"""What is known of the request that is being served, for every line that it writes into the log.

Kept in a context variable; worker threads get a copy of the context with their work, so the same
notes are at hand wherever the work goes.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestNotes:
    request_id: str
    sync_id: int | None = None
    key_name: str = ""


_current: ContextVar[RequestNotes | None] = ContextVar("request_notes", default=None)


def begin(request_id: str) -> RequestNotes:
    """For the rest of this task, and of what it hands to workers."""
    notes = RequestNotes(request_id)
    _current.set(notes)
    return notes


def current() -> RequestNotes | None:
    return _current.get()


def note_sync(sync_id: int) -> None:
    notes = _current.get()
    if notes is not None:
        notes.sync_id = sync_id


def note_key(key_name: str) -> None:
    notes = _current.get()
    if notes is not None:
        notes.key_name = key_name

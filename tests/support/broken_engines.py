"""Engines with one promise taken out on purpose: what the tests of killed clients must catch.

Each changes a class of the engine, which is why they run only in processes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

SOUND = "sound"


def _takes_what_was_on_its_way_for_done() -> None:
    """Reads a journal in which nothing is open any more as one of which all is done."""
    from app.domain.queue_item import ItemState
    from app.infra.sqlite_journal import SqliteJournal

    original = SqliteJournal.move_items

    def move_items(
        self: SqliteJournal, job_id: int, from_states: frozenset[ItemState], to_state: ItemState
    ) -> int:
        if to_state is ItemState.QUEUED:
            original(self, job_id, frozenset({ItemState.QUEUED}), ItemState.UPLOADED)
        return original(self, job_id, from_states, to_state)

    _replaced(SqliteJournal, "move_items", move_items)


def _forgets_its_sync() -> None:
    """Goes on with a job under a sync of its own."""
    from app.domain.upload_job import UploadJob
    from app.infra.sqlite_journal import SqliteJournal

    original = SqliteJournal.jobs

    def jobs(self: SqliteJournal) -> list[UploadJob]:
        return [replace(job, sync_id=None, start_key="") for job in original(self)]

    _replaced(SqliteJournal, "jobs", jobs)


def _waits_to_be_asked() -> None:
    """Keeps its queue and does not go on with it."""
    from app.engine.transfer_engine import TransferEngine

    _replaced(TransferEngine, "recover", lambda _: None)


def _replaced(owner: object, name: str, by: object) -> None:
    getattr(owner, name)  # a break of something that is no longer there would prove nothing
    setattr(owner, name, by)


BUILDS: Mapping[str, Callable[[], None]] = {
    SOUND: lambda: None,
    "takes what was on its way for done": _takes_what_was_on_its_way_for_done,
    "forgets its sync": _forgets_its_sync,
    "waits to be asked": _waits_to_be_asked,
}

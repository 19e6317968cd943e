"""Engines with one promise taken out on purpose: what the tests of killed clients must catch.

Each changes a class of the engine, which is why they run only in processes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

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


def _begins_large_files_anew() -> None:
    """Never looks at what it has written down of them."""
    from app.infra.sqlite_journal import SqliteJournal

    _replaced(SqliteJournal, "kept_upload", lambda *_: None)


def _writes_down_too_late() -> None:
    """What it needs to go on with a large file is in the journal once all of it is sent."""
    from app.domain.resumable import KeptUpload
    from app.infra.http_gateway import HttpGateway
    from app.infra.sqlite_journal import SqliteJournal

    keep, send = SqliteJournal.keep_upload, HttpGateway.go_on_upload
    held: list[tuple[SqliteJournal, KeptUpload]] = []

    def go_on_upload(self: HttpGateway, *arguments: Any) -> Any:
        receipt = send(self, *arguments)
        for journal, upload in held:
            keep(journal, upload)
        return receipt

    def keep_upload(self: SqliteJournal, upload: KeptUpload) -> None:
        held.append((self, upload))

    _replaced(SqliteJournal, "keep_upload", keep_upload)
    _replaced(HttpGateway, "go_on_upload", go_on_upload)


def _replaced(owner: object, name: str, by: object) -> None:
    getattr(owner, name)  # a break of something that is no longer there would prove nothing
    setattr(owner, name, by)


BUILDS: Mapping[str, Callable[[], None]] = {
    SOUND: lambda: None,
    "takes what was on its way for done": _takes_what_was_on_its_way_for_done,
    "forgets its sync": _forgets_its_sync,
    "waits to be asked": _waits_to_be_asked,
    "begins large files anew": _begins_large_files_anew,
    "writes down too late": _writes_down_too_late,
}

"""The rows of the upload queue: its tables, and jobs and items to and from them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.domain.connections import Connection
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.upload_job import Consents, JobState, Source, UploadJob
from embedded_server.contract import SyncType

LARGEST_INTEGER = 2**63 - 1  # SQLite's; a file may well be dated after the year 2262

SCHEMA = """
CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL, destination TEXT NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL,
    sources TEXT NOT NULL, state TEXT NOT NULL, intake_done INTEGER NOT NULL,
    consents TEXT NOT NULL, sync_id INTEGER,
    plain_server INTEGER NOT NULL, end_sent INTEGER NOT NULL, message TEXT NOT NULL,
    problem TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, started_at_ms INTEGER NOT NULL, ended_at_ms INTEGER NOT NULL
);
CREATE TABLE items (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, folder BLOB NOT NULL, name BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, state TEXT NOT NULL,
    assurance TEXT NOT NULL DEFAULT 'none', tries INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL DEFAULT ''
);
CREATE INDEX items_by_state ON items (job_id, state);
CREATE TABLE left_out (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX left_out_by_job ON left_out (job_id);
"""

JOB_COLUMNS = (
    "connection",
    "destination",
    "mode",
    "name",
    "sources",
    "state",
    "intake_done",
    "consents",
    "sync_id",
    "plain_server",
    "end_sent",
    "message",
    "problem",
    "created_at_ms",
    "started_at_ms",
    "ended_at_ms",
)


def storable(text: str) -> str:
    """Words that quote a name which is no UTF-8 are stored with its odd bytes written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_blob(text: str) -> bytes:
    """Lake names as bytes: a name that is no UTF-8 must be remembered too, to be told."""
    return text.encode("utf-8", "surrogateescape")


def from_blob(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogateescape")


def job_values(job: UploadJob) -> list[Any]:
    values = {name: getattr(job, name) for name in JOB_COLUMNS}
    values["connection"] = json.dumps(asdict(job.connection))
    values["sources"] = json.dumps([[source.path, source.contents_only] for source in job.sources])
    values["consents"] = json.dumps(asdict(job.consents))
    values["mode"], values["state"] = job.mode.value, job.state.value
    values["name"], values["message"] = storable(job.name), storable(job.message)
    return list(values.values())


def job_of(row: Sequence[Any]) -> UploadJob:
    fields = dict(zip(["job_id", *JOB_COLUMNS], row, strict=True))
    fields["connection"] = Connection(**json.loads(fields["connection"]))
    fields["sources"] = tuple(Source(path, only) for path, only in json.loads(fields["sources"]))
    fields["consents"] = Consents(**json.loads(fields["consents"]))
    fields["mode"], fields["state"] = SyncType(fields["mode"]), JobState(fields["state"])
    fields["intake_done"] = bool(fields["intake_done"])
    fields["plain_server"] = bool(fields["plain_server"])
    fields["end_sent"] = bool(fields["end_sent"])
    return UploadJob(**fields)


def item_of(row: Sequence[Any]) -> QueueItem:
    item_id, job_id, source, folder, name, size, modified, state, assurance, tries, message, sha = (
        row
    )
    return QueueItem(
        item_id,
        job_id,
        os.fsdecode(source),
        from_blob(folder),
        from_blob(name),
        size,
        modified,
        ItemState(state),
        Assurance(assurance),
        tries,
        message,
        sha,
    )

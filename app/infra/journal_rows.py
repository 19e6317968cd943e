"""The rows of the upload queue: jobs, items and counts to and from them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.domain.connections import Connection
from app.domain.picking import Picking
from app.domain.ports import ItemCounts
from app.domain.queue_item import Assurance, FoundFile, ItemState, QueueItem
from app.domain.upload_job import Consents, JobState, UploadJob
from embedded_server.contract import SyncType

LARGEST_INTEGER = 2**63 - 1  # SQLite's; a file may well be dated after the year 2262

JOB_COLUMNS = (
    "connection",
    "destination",
    "mode",
    "name",
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
    "contents_only",
    "kept",
    "start_key",
    "aborted",
    "picking",
    "most_shrink_percent",
    "receipt",
    "send_all",
)

ITEM_SELECTION = (
    "item_id, job_id, source, folder, name, size_bytes, modified_ns, state, assurance, tries,"
    " message, sha256, problem, top_bytes"
)
JOB_SELECTION = f"job_id, {', '.join(JOB_COLUMNS)}"
FOUND_COLUMNS = (
    "job_id, source, folder, name, size_bytes, modified_ns, state, message, problem, top_bytes"
)
_FLAGS = ("intake_done", "plain_server", "end_sent", "contents_only", "kept", "aborted", "send_all")


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
    values["consents"] = json.dumps(asdict(job.consents))
    values["picking"] = json.dumps(asdict(job.picking))
    values["mode"], values["state"] = job.mode.value, job.state.value
    values["name"], values["message"] = storable(job.name), storable(job.message)
    values["receipt"] = storable(job.receipt)
    return list(values.values())


def job_of(row: Sequence[Any]) -> UploadJob:
    fields = dict(zip(["job_id", *JOB_COLUMNS], row, strict=True))
    fields["connection"] = Connection(**json.loads(fields["connection"]))
    fields["consents"] = Consents(**json.loads(fields["consents"]))
    fields["picking"] = Picking.from_wire(json.loads(fields["picking"]))
    fields["mode"], fields["state"] = SyncType(fields["mode"]), JobState(fields["state"])
    fields.update((name, bool(fields[name])) for name in _FLAGS)
    return UploadJob(**fields)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job's files go: what its rows do not repeat."""

    destination: str
    contents_only: bool

    def lake_folder(self, folder: bytes, top_bytes: int) -> str:
        return self.destination + from_blob(folder[top_bytes:] if self.contents_only else folder)


def found_values(job_id: int, file: FoundFile) -> tuple[Any, ...]:
    """In the order of `FOUND_COLUMNS`."""
    return (
        job_id,
        os.fsencode(file.source),
        to_blob(file.folder),
        to_blob(file.name),
        file.size_bytes,
        min(file.modified_ns, LARGEST_INTEGER),
        (ItemState.FAILED if file.problem else ItemState.QUEUED).value,
        storable(file.problem),
        file.problem_kind,
        len(to_blob(file.top)),
    )


def item_of(row: Sequence[Any], place: Place) -> QueueItem:
    """Of the columns of `ITEM_SELECTION`."""
    (
        item_id,
        job_id,
        source,
        folder,
        name,
        size_bytes,
        modified_ns,
        state,
        assurance,
        tries,
        message,
        sha256,
        problem,
        top_bytes,
    ) = row
    return QueueItem(
        item_id,
        job_id,
        os.fsdecode(source),
        place.lake_folder(folder, top_bytes),
        from_blob(name),
        size_bytes,
        modified_ns,
        ItemState(state),
        Assurance(assurance),
        tries,
        message,
        sha256,
        problem,
        folder.count(b"/", top_bytes),
    )


def counts_of(rows: Iterable[Sequence[Any]], left_out: int) -> ItemCounts:
    """Of rows of (state, assurance, files, bytes)."""
    files: dict[ItemState, int] = {}
    sizes: dict[ItemState, int] = {}
    verified = 0
    for state, assurance, count, size_bytes in rows:
        key = ItemState(state)
        files[key] = files.get(key, 0) + count
        sizes[key] = sizes.get(key, 0) + size_bytes
        verified += count if assurance == Assurance.VERIFIED.value else 0
    return ItemCounts(files, sizes, verified, left_out)


def counts_to_text(counts: ItemCounts) -> str:
    return json.dumps([counts.files, counts.bytes, counts.verified, counts.left_out])


def counts_from_text(text: str) -> ItemCounts:
    files, sizes, verified, left_out = json.loads(text)
    return ItemCounts(
        {ItemState(state): count for state, count in files.items()},
        {ItemState(state): size_bytes for state, size_bytes in sizes.items()},
        verified,
        left_out,
    )

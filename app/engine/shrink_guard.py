"""What is at a full sync's destination, as far as anybody knows, and whether it may shrink to this.

A server that can count tells it. For a plain one it is what the last full sync had that this client
ended there; what others did there since, nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain import sentences
from app.domain.connections import origin
from app.domain.impact import Extent
from app.domain.ports import ItemCounts, Journal
from app.domain.queue_item import ARRIVED
from app.domain.upload_job import UploadJob
from embedded_server.contract import LakeUsage, SyncType


@dataclass(frozen=True, slots=True)
class Before:
    extent: Extent
    is_last_sync: bool  # of this client, not what the server tells


def data_before(job: UploadJob, usage: LakeUsage | None, journal: Journal) -> Before | None:
    """`usage` as the server told it, None where it cannot."""
    if usage is not None:
        return Before(Extent(usage.files, usage.bytes), is_last_sync=False)
    last = journal.last_full_sync(_server_of(job), job.destination)
    return None if last is None else Before(last, is_last_sync=True)


def shrinks_told(job: UploadJob, before: Before | None, counts: ItemCounts) -> str:
    """By how much, or "" for not too much; the consent to it, and an empty sync with its own, are
    the caller's."""
    now = planned(counts)
    if before is None or not before.extent.shrinks(now, job.most_shrink_percent):
        return ""
    return sentences.SHRINKS(
        destination=job.destination,
        before=_in_words(before.extent),
        after=_in_words(now),
        percent=job.most_shrink_percent,
    )


def remember(job: UploadJob, counts: ItemCounts, journal: Journal) -> None:
    """A full sync has ended with these."""
    if job.mode is SyncType.FULL:
        files = sum(counts.files.get(state, 0) for state in ARRIVED)
        size_bytes = sum(counts.bytes.get(state, 0) for state in ARRIVED)
        journal.remember_full_sync(_server_of(job), job.destination, Extent(files, size_bytes))


def planned(counts: ItemCounts) -> Extent:
    return Extent(sum(counts.files.values()), sum(counts.bytes.values()))


def _server_of(job: UploadJob) -> str:
    if job.connection.is_local:
        return "local"
    scheme, host, port = origin(job.connection.base_url)
    return f"{scheme}://{host}:{port}"


def _in_words(extent: Extent) -> str:
    files = "1 file" if extent.files == 1 else f"{extent.files:,} files"
    return f"{files} ({extent.bytes:,} bytes)"

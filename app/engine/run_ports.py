"""What a job's run is given: what it works with, and how it works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.errors import LakeDropError, SyncAborted, SyncExpired
from app.domain.ports import Clock, Gateways, Journal, Receipts, SourceFiles
from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import UploadJob

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSettings:
    workers: int = 4  # to begin with, where they adapt
    adaptive: bool = False
    batch_files: int = 128
    batch_bytes: int = 4 * 1024 * 1024
    batched_file_bytes: int = 256 * 1024
    resumed_from_bytes: int = 64 * 1024 * 1024
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class RunPorts:
    journal: Journal
    gateways: Gateways
    sources: SourceFiles
    clock: Clock
    key_of: Callable[[UploadJob], str | None]
    receipts: Receipts


def aborted_on_server(job: UploadJob, ports: RunPorts) -> bool:
    """Tells the server that the job's sync is given up; whether it knows now.

    Asked once: the job is cancelled whatever comes of it, and a sync that nobody feeds expires.
    """
    if job.sync_id is None or job.plain_server:
        return False
    try:
        return ports.gateways.open(job.connection, ports.key_of(job)).abort_sync(job.sync_id)
    except (SyncExpired, SyncAborted):
        return True
    except LakeDropError as error:
        log.warning("sync %d could not be aborted: %s", job.sync_id, error.message)
        return False

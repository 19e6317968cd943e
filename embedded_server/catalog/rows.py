"""Rows of the catalog as the contract's answers have them, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from embedded_server.contract import (
    SyncJob,
    SyncStatus,
    SyncType,
    UploadRecord,
)
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.upload import UploadRow

_ORG_ID = 0  # one lake, one organisation; the public contract has the field


def job_of(row: Row[Any]) -> SyncJob:
    return SyncJob(
        _ORG_ID,
        row.sync_id,
        row.name,
        row.path,
        SyncType(row.sync_type),
        SyncStatus(row.status),
        row.started_at_ms,
        row.ended_at_ms,
        row.total_files,
        row.num_failed,
    )


def sync_details_of(row: Row[Any]) -> SyncDetails:
    return SyncDetails(job_of(row), row.message, row.key_name)


def record_of(row: Row[Any]) -> UploadRecord:
    return UploadRecord(
        _ORG_ID,
        row.history_id,
        row.sync_id,
        row.file_name,
        row.started_at_ms,
        row.ended_at_ms,
        SyncStatus(row.status),
        row.message,
    )


def upload_details_of(row: Row[Any]) -> UploadDetails:
    return UploadDetails(
        record_of(row),
        row.folder,
        row.size_bytes,
        row.sha256,
        max(row.mtime_ns, 0) // 1_000_000,
        row.key_name,
    )


def upload_values(row: UploadRow) -> dict[str, object]:
    begun = {
        "sync_id": row.sync_id,
        "folder": row.folder,
        "file_name": row.file_name,
        "started_at_ms": row.started_at_ms,
    }
    return begun | outcome_values(row)


def outcome_values(row: UploadRow) -> dict[str, object]:
    """What the end of an attempt may change: searches rely on it that the rest never does."""
    return {
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "ended_at_ms": row.ended_at_ms,
        "status": row.status.value,
        "message": row.message,
        "mtime_ns": row.mtime_ns,
        "key_name": row.key_name,
    }

"""The wire, as both sides speak it: routes, enums, requests, answers, error texts.

Standard library only, because the desktop client imports this module and nothing else of the
server. Source: the public documentation of the DataInsider File upload API; the README quotes it.

Times on the wire are whole milliseconds since 1970-01-01 UTC; ids are 64-bit JSON integers.
`from_wire` raises `ContractViolation` for a body that is not what the contract says; unknown extra
fields are allowed, missing ones are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

VERSION = "0.1.0"
PRODUCT = "LakeDrop"

# The five calls of the public contract.
START_ROUTE = "/api/ingestion/file/sync/start"
UPLOAD_ROUTE = "/api/lake/file/upload"
END_ROUTE = "/api/ingestion/file/sync/end"
LIST_ROUTE = "/api/ingestion/file/sync/list"
HISTORY_ROUTE = "/api/ingestion/file/sync/history"

# Extensions, each negotiated by name through CAPABILITIES_ROUTE.
CAPABILITIES_ROUTE = "/api/lake/capabilities"
USAGE_ROUTE = "/api/lake/usage"
BATCH_ROUTE = "/api/lake/file/batch"
HEALTH_ROUTE = "/healthz"  # needs no key, wherever it is asked
ABORT_ROUTE = "/api/lake/sync/abort"
SYNCS_QUERY_ROUTE = "/api/lake/syncs"
HISTORY_QUERY_ROUTE = "/api/lake/history"
METRICS_ROUTE = "/metrics"
TUS_ROUTE = "/api/lake/tus"
TUS_UPLOAD_ROUTE = TUS_ROUTE + "/{upload}"

EXTENSION_DIGEST = "digest"  # answers of uploads carry `sha256` and `size` of what was stored
EXTENSION_USAGE = "usage"  # GET USAGE_ROUTE?path=/data/x counts what is at a path
EXTENSION_TUS = "tus"  # resumable uploads at TUS_ROUTE, https://tus.io 1.0.0
EXTENSION_BATCH = "batch"  # POST BATCH_ROUTE?sync_id=7 carries many small files
EXTENSION_IDEMPOTENCY = "idempotency"  # *start* takes IDEMPOTENCY_HEADER: asked twice, done once
EXTENSION_ABORT = "abort"  # POST ABORT_ROUTE {"sync_id", "api_key"} gives a running sync up
EXTENSION_QUERY = "query"  # GET SYNCS_QUERY_ROUTE, HISTORY_QUERY_ROUTE: filters, newest first

# draft-ietf-httpapi-idempotency-key-header: the same key with the same body is the same sync.
IDEMPOTENCY_HEADER = "Idempotency-Key"

# A part of a batch names its folder (percent-encoded UTF-8) and its digest (RFC 9530) in headers.
BATCH_FOLDER_HEADER = "Lake-Folder"
DIGEST_HEADER = "Content-Digest"

DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 1_000
MAX_ID = 2**63 - 1

# Texts of the public backend. Clients may tell these apart by text: the slugs do not.
INVALID_API_KEY = "invalid api key"
JOB_ALREADY_ENDED = "job is already ended"


def sync_not_found_text(sync_id: int) -> str:
    return f"sync info for id {sync_id} not found"


# Texts of our own, likewise exact: a client starts over after the first and stops after the second.
def sync_expired_text(sync_id: int) -> str:
    return f"sync {sync_id} has expired: nothing came for it for too long. Start a new one"


def sync_aborted_text(sync_id: int) -> str:
    return f"sync {sync_id} was aborted: nothing can be added to it. Start a new one"


JsonObject: TypeAlias = Mapping[str, Any]


class ContractViolation(ValueError):
    """A body is not what the contract says; the text names the field."""


class SyncType(StrEnum):
    FULL = "FullSync"
    INCREMENTAL = "IncrementalSync"

    @classmethod
    def parse(cls, text: object) -> SyncType:
        """Reads the enum; also with the space that the documentation's own table has."""
        if isinstance(text, str):
            for member in cls:
                if text in (member.value, member.value.replace("Sync", " Sync")):
                    return member
        raise ContractViolation(f"sync_type must be FullSync or IncrementalSync, not {text!r:.60}")


class SyncStatus(StrEnum):
    SYNCING = "Syncing"
    FAILED = "Failed"
    FINISHED = "Finished"


class ErrorReason(StrEnum):
    """The slugs of the public backend's error answers."""

    BAD_REQUEST = "bad_request"
    INVALID_PARAM = "invalid_param"
    NOT_FOUND = "not_found"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_ALLOWED = "not_allowed"
    QUOTA_EXCEED = "quota_exceed"
    EXPIRED = "expired"
    INTERNAL_ERROR = "internal_error"


def text_field(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise ContractViolation(f"{name} must be a text")
    return value


def int_field(body: JsonObject, name: str) -> int:
    value = body.get(name)
    # bool is an int in Python, but `true` is not a number on the wire.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
        raise ContractViolation(f"{name} must be a whole number from 0 to 2^63-1")
    return value


def _status_field(body: JsonObject, name: str) -> SyncStatus:
    try:
        return SyncStatus(text_field(body, name))
    except ValueError as cause:
        raise ContractViolation(f"{name} must be Syncing, Failed or Finished") from cause


def as_object(body: object) -> JsonObject:
    if not isinstance(body, dict):
        raise ContractViolation("the body must be a JSON object")
    return body


@dataclass(frozen=True, slots=True)
class StartSyncRequest:
    name: str
    path: str
    api_key: str
    sync_type: SyncType

    def to_wire(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": self.path,
            "api_key": self.api_key,
            "sync_type": self.sync_type.value,
        }

    @classmethod
    def from_wire(cls, body: object) -> StartSyncRequest:
        fields = as_object(body)
        return cls(
            text_field(fields, "name"),
            text_field(fields, "path"),
            text_field(fields, "api_key"),
            SyncType.parse(fields.get("sync_type")),
        )

    def __repr__(self) -> str:  # the key must not reach a log through a repr
        return f"StartSyncRequest(name={self.name!r}, path={self.path!r}, api_key=…)"


@dataclass(frozen=True, slots=True)
class EndSyncRequest:
    sync_id: int
    api_key: str

    def to_wire(self) -> dict[str, Any]:
        return {"sync_id": self.sync_id, "api_key": self.api_key}

    @classmethod
    def from_wire(cls, body: object) -> EndSyncRequest:
        fields = as_object(body)
        return cls(int_field(fields, "sync_id"), text_field(fields, "api_key"))

    def __repr__(self) -> str:
        return f"EndSyncRequest(sync_id={self.sync_id}, api_key=…)"


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """`code` 0 is success; `sha256` (64 hex digits) and `size` (bytes) only where told."""

    code: int
    msg: str | None
    sha256: str | None = None
    size: int | None = None

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {"code": self.code, "msg": self.msg}
        if self.sha256 is not None:
            wire |= {"sha256": self.sha256, "size": self.size}
        return wire

    @classmethod
    def from_wire(cls, body: object) -> UploadAnswer:
        fields = as_object(body)
        code = fields.get("code")
        if not isinstance(code, int) or isinstance(code, bool):
            raise ContractViolation("code must be a whole number")
        msg = fields.get("msg")
        sha256, size = fields.get("sha256"), fields.get("size")
        return cls(
            code,
            msg if isinstance(msg, str) else None,
            sha256.lower() if isinstance(sha256, str) else None,
            size if isinstance(size, int) and not isinstance(size, bool) else None,
        )


@dataclass(frozen=True, slots=True)
class SyncJob:
    """A row of the list call. `end_time` is 0 while the sync runs."""

    org_id: int
    sync_id: int
    name: str
    path: str
    sync_type: SyncType
    sync_status: SyncStatus
    start_time: int
    end_time: int
    total_files: int
    num_failed: int

    def to_wire(self) -> dict[str, Any]:
        return {
            "org_id": self.org_id,
            "sync_id": self.sync_id,
            "name": self.name,
            "path": self.path,
            "sync_type": self.sync_type.value,
            "sync_status": self.sync_status.value,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "total_files": self.total_files,
            "num_failed": self.num_failed,
        }

    @classmethod
    def from_wire(cls, body: object) -> SyncJob:
        fields = as_object(body)
        return cls(
            int_field(fields, "org_id"),
            int_field(fields, "sync_id"),
            text_field(fields, "name"),
            text_field(fields, "path"),
            SyncType.parse(fields.get("sync_type")),
            _status_field(fields, "sync_status"),
            int_field(fields, "start_time"),
            int_field(fields, "end_time"),
            int_field(fields, "total_files"),
            int_field(fields, "num_failed"),
        )


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A row of the history call: one upload attempt. `end_time` is 0 while it runs."""

    org_id: int
    history_id: int
    sync_id: int
    file_name: str
    start_time: int
    end_time: int
    sync_status: SyncStatus
    message: str

    def to_wire(self) -> dict[str, Any]:
        return {
            "org_id": self.org_id,
            "history_id": self.history_id,
            "sync_id": self.sync_id,
            "file_name": self.file_name,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "sync_status": self.sync_status.value,
            "message": self.message,
        }

    @classmethod
    def from_wire(cls, body: object) -> UploadRecord:
        fields = as_object(body)
        message = fields.get("message", None)
        return cls(
            int_field(fields, "org_id"),
            int_field(fields, "history_id"),
            int_field(fields, "sync_id"),
            text_field(fields, "file_name"),
            int_field(fields, "start_time"),
            int_field(fields, "end_time"),
            _status_field(fields, "sync_status"),
            message if isinstance(message, str) else "",
        )


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """`{"code": 400, "reason": "bad_request", "message": "invalid api key"}`"""

    code: int
    reason: str
    message: str

    def to_wire(self) -> dict[str, Any]:
        return {"code": self.code, "reason": self.reason, "message": self.message}

    @classmethod
    def from_wire(cls, body: object) -> ErrorAnswer:
        fields = as_object(body)
        return cls(
            int_field(fields, "code"), text_field(fields, "reason"), text_field(fields, "message")
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this server can do beyond the five calls."""

    version: str
    extensions: frozenset[str]
    batch_max_files: int = 0
    batch_max_bytes: int = 0

    def to_wire(self) -> dict[str, Any]:
        return {
            "product": PRODUCT,
            "version": self.version,
            "extensions": sorted(self.extensions),
            "batch_max_files": self.batch_max_files,
            "batch_max_bytes": self.batch_max_bytes,
        }

    @classmethod
    def from_wire(cls, body: object) -> Capabilities:
        """Raises `ContractViolation` when the answer is not a LakeDrop server's."""
        fields = as_object(body)
        extensions = fields.get("extensions")
        if fields.get("product") != PRODUCT or not isinstance(extensions, list):
            raise ContractViolation("not the capabilities of a LakeDrop server")
        return cls(
            text_field(fields, "version"),
            frozenset(name for name in extensions if isinstance(name, str)),
            int_field(fields, "batch_max_files") if EXTENSION_BATCH in extensions else 0,
            int_field(fields, "batch_max_bytes") if EXTENSION_BATCH in extensions else 0,
        )


@dataclass(frozen=True, slots=True)
class LakeUsage:
    """What is published at and below a path: number of files, and their bytes."""

    path: str
    files: int
    bytes: int

    def to_wire(self) -> dict[str, Any]:
        return {"path": self.path, "files": self.files, "bytes": self.bytes}

    @classmethod
    def from_wire(cls, body: object) -> LakeUsage:
        fields = as_object(body)
        return cls(
            text_field(fields, "path"), int_field(fields, "files"), int_field(fields, "bytes")
        )


@dataclass(frozen=True, slots=True)
class BatchFileResult:
    """One part's own outcome, in the order of the parts. `code` 0 is success."""

    folder: str
    name: str
    answer: UploadAnswer

    def to_wire(self) -> dict[str, Any]:
        answer = self.answer
        wire = {"folder": self.folder, "name": self.name, "code": answer.code, "msg": answer.msg}
        if answer.sha256 is not None:
            wire["sha256"] = answer.sha256
            wire["size"] = answer.size
        return wire

    @classmethod
    def from_wire(cls, body: object) -> BatchFileResult:
        fields = as_object(body)
        return cls(
            text_field(fields, "folder"), text_field(fields, "name"), UploadAnswer.from_wire(body)
        )


def batch_results_to_wire(results: list[BatchFileResult]) -> dict[str, Any]:
    return {"results": [result.to_wire() for result in results]}


def batch_results_from_wire(body: object) -> list[BatchFileResult]:
    results = as_object(body).get("results")
    if not isinstance(results, list):
        raise ContractViolation("results must be a list")
    return [BatchFileResult.from_wire(result) for result in results]

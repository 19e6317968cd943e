"""The wire of the extensions beyond uploads; see `contract` for the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embedded_server.contract import (
    ContractViolation,
    SyncJob,
    UploadRecord,
    as_object,
    int_field,
    text_field,
)

OPENAPI_ROUTE = "/openapi.json"  # every call and every status
LAKE_ENTRIES_ROUTE = "/api/lake/entries"
LAKE_ENTRY_ROUTE = "/api/lake/entry"
LAKE_DOWNLOAD_ROUTE = "/api/lake/download"
LAKE_ZIP_ROUTE = "/api/lake/zip"
LAKE_FOLDER_ROUTE = "/api/lake/folder"
LAKE_RENAME_ROUTE = "/api/lake/rename"
LAKE_DELETE_ROUTE = "/api/lake/delete"
MANIFEST_ROUTE = "/api/lake/manifest"
TRASH_ROUTE = "/api/lake/trash"
TRASH_FILES_ROUTE = "/api/lake/trash/files"
TRASH_RESTORE_ROUTE = "/api/lake/trash/restore"
TRASH_PURGE_ROUTE = "/api/lake/trash/purge"

EXTENSION_BROWSE = "browse"  # the routes from LAKE_ENTRIES_ROUTE on: shown, read, arranged by hand
EXTENSION_MANIFEST = "manifest"  # GET MANIFEST_ROUTE?sync_id=7: path, size, digest, time of each
EXTENSION_HEALTH = "health"  # GET /healthz, which anybody may ask
EXTENSION_METRICS = "metrics"  # GET /metrics, for Prometheus
EXTENSION_OPENAPI = "openapi"  # GET OPENAPI_ROUTE
EXTENSION_TRASH = "trash"  # what syncs replaced: listed, put back, purged


@dataclass(frozen=True, slots=True)
class AbortAnswer:
    """`kept_uploads`: uploads of an incremental sync that were in sight already, and stay there."""

    kept_uploads: int

    def to_wire(self) -> dict[str, Any]:
        return {"success": True, "kept_uploads": self.kept_uploads}

    @classmethod
    def from_wire(cls, body: object) -> AbortAnswer:
        fields = as_object(body)
        if fields.get("success") is not True:
            raise ContractViolation("success must be true")
        return cls(int_field(fields, "kept_uploads"))


@dataclass(frozen=True, slots=True)
class SyncDetails:
    """A row of the sync query: the list's row, why it failed, and the key that started it."""

    job: SyncJob
    message: str
    key_name: str

    def to_wire(self) -> dict[str, Any]:
        return {**self.job.to_wire(), "message": self.message, "key_name": self.key_name}

    @classmethod
    def from_wire(cls, body: object) -> SyncDetails:
        fields = as_object(body)
        return cls(
            SyncJob.from_wire(body), text_field(fields, "message"), text_field(fields, "key_name")
        )


@dataclass(frozen=True, slots=True)
class UploadDetails:
    """A row of the history query: the history's row, and what the lake knows of the file.

    `size` in bytes; `sha256` is empty, and `mtime` (ms since 1970 UTC, of the stored file) 0, where
    the file never arrived whole or an older version stored it.
    """

    record: UploadRecord
    folder: str
    size: int
    sha256: str
    mtime: int
    key_name: str

    def to_wire(self) -> dict[str, Any]:
        return {
            **self.record.to_wire(),
            "folder": self.folder,
            "size": self.size,
            "sha256": self.sha256,
            "mtime": self.mtime,
            "key_name": self.key_name,
        }

    @classmethod
    def from_wire(cls, body: object) -> UploadDetails:
        fields = as_object(body)
        return cls(
            UploadRecord.from_wire(body),
            text_field(fields, "folder"),
            int_field(fields, "size"),
            text_field(fields, "sha256"),
            int_field(fields, "mtime"),
            text_field(fields, "key_name"),
        )


@dataclass(frozen=True, slots=True)
class LakeEntry:
    """What stands in a folder of the lake; `kind` is "file", "folder" or "other".

    `size` in bytes, 0 but for files; `mtime` in ms since 1970 UTC. `sha256` (of the file as it was
    uploaded) is empty and `sync_id` None where that is not known. `changed`: the catalog does not
    know this file as it is on the disk.
    """

    name: str
    kind: str
    size: int
    mtime: int
    sync_id: int | None
    sha256: str
    changed: bool

    def to_wire(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_wire(cls, body: object) -> LakeEntry:
        fields = as_object(body)
        return cls(
            text_field(fields, "name"),
            text_field(fields, "kind"),
            int_field(fields, "size"),
            int_field(fields, "mtime"),
            None if fields.get("sync_id") is None else int_field(fields, "sync_id"),
            text_field(fields, "sha256"),
            fields.get("changed") is not False,
        )

    @property
    def is_file(self) -> bool:
        return self.kind == "file"


@dataclass(frozen=True, slots=True)
class LakeEntries:
    """A page of a folder, by name; `total` is how many there are in it."""

    total: int
    rows: tuple[LakeEntry, ...]

    def to_wire(self) -> dict[str, Any]:
        return {"total": self.total, "rows": [row.to_wire() for row in self.rows]}

    @classmethod
    def from_wire(cls, body: object) -> LakeEntries:
        fields = as_object(body)
        rows = fields.get("rows")
        if not isinstance(rows, list):
            raise ContractViolation("rows must be a list")
        return cls(int_field(fields, "total"), tuple(LakeEntry.from_wire(row) for row in rows))

"""The extension `query`: syncs and uploads by what is wanted of them, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from fastapi import APIRouter, Request, Response

from embedded_server.contract import (
    HISTORY_QUERY_ROUTE,
    MAX_ID,
    SYNCS_QUERY_ROUTE,
    ContractViolation,
    SyncStatus,
    SyncType,
)
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.queries import Found, Page, Wanted
from embedded_server.routes import described as d
from embedded_server.routes.answers import json_answer
from embedded_server.routes.callers import caller_of
from embedded_server.routes.query import known_fields, page, whole_number
from embedded_server.routes.syncs import JOB, PAGE, RECORD
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.sync_service import SyncService

_MAX_TEXT_CHARACTERS = 200
_BEFORE = "the answer's `next`: rows with smaller ids, quicker than `from`; `total` is then null"
_FIELDS = {
    **PAGE,
    "before": d.described(_BEFORE, d.WHOLE),
    "sync_id": d.WHOLE,
    "status": d.one_of([it.value for it in SyncStatus]),
    "type": d.one_of([it.value for it in SyncType]),
    "since": d.described("began at this time or later, ms since 1970 UTC", d.WHOLE),
    "until": d.described("began before this time, ms since 1970 UTC", d.WHOLE),
}
_PART: d.Schema = {**d.TEXT, "maxLength": _MAX_TEXT_CHARACTERS}
_SYNC_TEXT = d.described("a part of name or path", _PART)
_FILE_TEXT = d.described("a part of the file's path on the lake, folder and name", _PART)
_FILE = {
    "folder": d.TEXT,
    "size": d.described("bytes that arrived", d.WHOLE),
    "sha256": d.described("of what is stored; empty where the file never arrived whole", d.TEXT),
    "mtime": d.described("of the stored file, ms since 1970 UTC; 0 where not known", d.WHOLE),
    "key_name": d.described("of the key that sent it; empty where none was asked for", d.TEXT),
}
_SYNC = {"message": d.TEXT, "key_name": d.TEXT}


def _found_schema(row: d.Schema) -> d.Schema:
    return d.record(
        {
            "total": d.described("of all that match; null with `before`", d.NULLABLE),
            "next": d.described("`before` for the next page; null at the end", d.NULLABLE),
            "rows": d.rows(row),
        }
    )


def query_routes(service: SyncService, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.get(
        SYNCS_QUERY_ROUTE,
        operation_id="findSyncs",
        summary="Syncs by what is wanted of them, newest first",
        responses=d.answers(_found_schema(d.record({**JOB, **_SYNC}))),
        openapi_extra=d.query({**_FIELDS, "text": _SYNC_TEXT}),
    )
    async def syncs(request: Request) -> Response:
        wanted, wanted_page = _asked(request)
        return _answer(await in_worker(workers, service.find_syncs, wanted, wanted_page))

    @router.get(
        HISTORY_QUERY_ROUTE,
        operation_id="findUploads",
        summary="Upload attempts by what is wanted of them, newest first",
        responses=d.answers(_found_schema(d.record({**RECORD, **_FILE}))),
        openapi_extra=d.query({**_FIELDS, "text": _FILE_TEXT}),
    )
    async def history(request: Request) -> Response:
        wanted, wanted_page = _asked(request)
        return _answer(await in_worker(workers, service.find_uploads, wanted, wanted_page))

    return router


def _asked(request: Request) -> tuple[Wanted, Page]:
    fields = known_fields(request.scope, {*_FIELDS, "text"})
    offset, limit = page(fields)
    if offset and "before" in fields:
        raise InvalidParam("from and before exclude each other")
    caller: Caller = caller_of(request.scope)
    wanted = Wanted(
        sync_id=_number(fields, "sync_id"),
        status=_status(fields.get("status")),
        sync_type=_type(fields.get("type")),
        since_ms=_number(fields, "since"),
        until_ms=_number(fields, "until"),
        text=_text(fields.get("text")),
        within=caller.path,
    )
    return wanted, Page(limit, offset, _number(fields, "before"))


def _number(fields: Mapping[str, str], name: str) -> int | None:
    return whole_number(fields, name, None, MAX_ID) if name in fields else None


def _status(told: str | None) -> SyncStatus | None:
    try:
        return None if told is None else SyncStatus(told)
    except ValueError as cause:
        raise InvalidParam("status must be Syncing, Failed or Finished") from cause


def _type(told: str | None) -> SyncType | None:
    try:
        return None if told is None else SyncType.parse(told)
    except ContractViolation as cause:
        raise InvalidParam("type must be FullSync or IncrementalSync") from cause


def _text(told: str | None) -> str | None:
    if told is not None and len(told) > _MAX_TEXT_CHARACTERS:
        raise InvalidParam(f"text is longer than {_MAX_TEXT_CHARACTERS} characters")
    return told or None


def _answer(found: Found[SyncDetails] | Found[UploadDetails]) -> Response:
    body: dict[str, Any] = {
        "total": found.total,
        "next": found.next_before,
        "rows": [row.to_wire() for row in found.rows],
    }
    return json_answer(body)

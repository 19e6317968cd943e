"""The extension `lake`: what is in the lake, one path, new folder, delete."""

from __future__ import annotations

from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response

from embedded_server.contract import text_field
from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_ENTRIES_ROUTE,
    LAKE_ENTRY_ROUTE,
    LAKE_FOLDER_ROUTE,
    LAKE_RENAME_ROUTE,
    LakeEntries,
    LakeEntry,
)
from embedded_server.domain.entries import EntryKind, KnownEntry
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import LakePath
from embedded_server.routes import described as d
from embedded_server.routes.answers import json_answer
from embedded_server.routes.callers import caller_of
from embedded_server.routes.json_body import json_object
from embedded_server.routes.query import known_fields, page
from embedded_server.routes.syncs import PAGE
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.browse_service import BrowseService

PATH = {"path": d.described("absolute path on the lake", d.LAKE_PATH)}
_FOLDER: d.Schema = {
    "anyOf": [d.LAKE_PATH, {"const": "/"}],
    "default": "/",
    "examples": ["/data/db"],
}
_ENTRY = {
    "name": d.TEXT,
    "kind": d.one_of([it.value for it in EntryKind]),
    "size": d.described("bytes; 0 but for files", d.WHOLE),
    "mtime": d.described("ms since 1970 UTC", d.WHOLE),
    "sync_id": d.described("the sync that brought the file; null where not known", d.NULLABLE),
    "sha256": d.described("of the file as it was uploaded; empty where not known", d.TEXT),
    "changed": d.described("the catalog does not know this file as it is on the disk", d.FLAG),
}
_DETAILS = {
    **_ENTRY,
    "path": d.TEXT,
    "history_id": d.described("of the upload that brought the file", d.NULLABLE),
    "key_name": d.TEXT,
    "files": d.described("below a folder", d.NULLABLE),
    "folder_size": d.described("bytes of all files below a folder", d.NULLABLE),
}


def lake_routes(service: BrowseService, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.get(
        LAKE_ENTRIES_ROUTE,
        operation_id="listEntries",
        summary="What is in a folder, by name",
        responses=d.answers(d.record({"total": d.WHOLE, "rows": d.rows(d.record(_ENTRY))}), 404),
        openapi_extra=d.query({"path": d.described("a folder; / is the lake", _FOLDER), **PAGE}),
    )
    async def entries(request: Request) -> Response:
        fields = known_fields(request.scope, {"path", *PAGE})
        text = fields.get("path", "/")
        path = None if text == "/" else LakePath.parse(text)
        caller = caller_of(request.scope)
        total, rows = await in_worker(workers, service.entries, caller, path, *page(fields))
        return json_answer(LakeEntries(total, tuple(map(_entry, rows))).to_wire())

    @router.get(
        LAKE_ENTRY_ROUTE,
        operation_id="showEntry",
        summary="One file or folder",
        responses=d.answers(d.record(_DETAILS), 404),
        openapi_extra=d.query(PATH, required=("path",)),
    )
    async def entry(request: Request) -> Response:
        path = path_of(request)
        caller = caller_of(request.scope)
        known, usage = await in_worker(workers, service.entry, caller, path)
        origin = known.origin
        told = {
            **_entry(known).to_wire(),
            "path": str(path),
            "history_id": None if origin is None or not origin.history_id else origin.history_id,
            "key_name": "" if origin is None else origin.key_name,
            "files": None if usage is None else usage.files,
            "folder_size": None if usage is None else usage.bytes,
        }
        return json_answer(told)

    @router.post(
        LAKE_FOLDER_ROUTE,
        operation_id="makeFolder",
        summary="Make a folder, with those above it; asked again it is there",
        responses=d.answers(d.record({"success": d.FLAG, "made": d.FLAG}), 413),
        openapi_extra=d.body(PATH),
    )
    async def make_folder(request: Request) -> Response:
        path = await path_of_body(request)
        made = await in_worker(workers, service.make_folder, caller_of(request.scope), path)
        return json_answer({"success": True, "made": made})

    @router.post(
        LAKE_DELETE_ROUTE,
        operation_id="deletePath",
        summary="Move a file or a folder to the trash",
        description="The answer names the version that POST /api/lake/trash/restore puts back.",
        responses=d.answers(
            d.record({"success": d.FLAG, "sync_id": d.WHOLE, "version": d.WHOLE}), 404, 413
        ),
        openapi_extra=d.body(PATH),
    )
    async def delete(request: Request) -> Response:
        path = await path_of_body(request)
        gone = await in_worker(workers, service.delete, caller_of(request.scope), path)
        return json_answer({"success": True, "sync_id": gone.sync_id, "version": gone.number})

    @router.post(
        LAKE_RENAME_ROUTE,
        operation_id="renamePath",
        summary="Give a file or a folder another name or place; never over something else",
        responses=d.answers(d.record({"success": d.FLAG}), 404, 413),
        openapi_extra=d.body({**PATH, "to": d.described("its path from then on", d.LAKE_PATH)}),
    )
    async def rename(request: Request) -> Response:
        caller = caller_of(request.scope)
        caller.check_may_change()
        body = await json_object(request, {})
        path = LakePath.parse(text_field(body, "path"))
        to = LakePath.parse(text_field(body, "to"), what="to")
        await in_worker(workers, service.rename, caller, path, to)
        return json_answer({"success": True})

    return router


def path_of(request: Request) -> LakePath:
    text = known_fields(request.scope, PATH).get("path")
    if text is None:
        raise InvalidParam("path is missing in the query")
    return LakePath.parse(text)


async def path_of_body(request: Request) -> LakePath:
    caller_of(request.scope).check_may_change()
    return LakePath.parse(text_field(await json_object(request, {}), "path"))


def _entry(known: KnownEntry) -> LakeEntry:
    entry, origin = known.entry, known.origin
    return LakeEntry(
        entry.name,
        entry.kind.value,
        entry.size_bytes,
        max(entry.mtime_ns, 0) // 1_000_000,
        None if origin is None or not origin.sync_id else origin.sync_id,
        "" if origin is None else origin.sha256,
        known.is_changed,
    )

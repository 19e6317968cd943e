"""The extension `trash`: what syncs replaced, putting it back, purging it."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from fastapi import APIRouter, Request, Response

from embedded_server.contract import MAX_ID, int_field, text_field
from embedded_server.contract_extensions import (
    TRASH_FILES_ROUTE,
    TRASH_PURGE_ROUTE,
    TRASH_RESTORE_ROUTE,
    TRASH_ROUTE,
)
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.request_notes import note_sync
from embedded_server.domain.trash import DEFAULT_DAYS, TrashedVersion, Version
from embedded_server.routes import described as d
from embedded_server.routes.answers import json_answer
from embedded_server.routes.callers import caller_of
from embedded_server.routes.json_body import json_object
from embedded_server.routes.query import known_fields, page, whole_number
from embedded_server.routes.syncs import PAGE
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.trash_service import DAY_MS, TrashService

_MAX_DAYS = 36_500
_VERSION = {
    "sync_id": d.described("0: deleted or put back by hand, not replaced by a sync", d.WHOLE),
    "version": d.described("1: what stood there before the sync; larger: later states", d.WHOLE),
}
_ROW = {
    **_VERSION,
    "sync_name": d.TEXT,
    "sync_type": d.described("empty where the sync is not known", d.TEXT),
    "path": d.described("lake folder that all of it lies at or below", d.TEXT),
    "state": d.described("another one once something else lies there, for a restore", d.TEXT),
    "replaced_at": d.described("ms since 1970 UTC, of what was put there last", d.WHOLE),
    "purge_at": d.described(
        "ms since 1970 UTC: when its age removes it, at the earliest; null where age removes"
        " nothing. A cap on the size of the trash may remove it before",
        d.NULLABLE,
    ),
    "files": d.WHOLE,
    "size": d.described("bytes", d.WHOLE),
}
_FILE = {
    "path": d.TEXT,
    "size": d.described("bytes", d.WHOLE),
    "mtime": d.described("ms since 1970 UTC", d.WHOLE),
}
_RESTORE = {
    **_VERSION,
    "path": d.described("only this file, or what this folder of the version holds", d.LAKE_PATH),
    "state": d.described(
        "as the trash listed it, without path: then a restore whose answer was lost can be sent"
        " again. 409 (or 404): it was put back",
        d.TEXT,
    ),
}
_PURGE = {
    "older_than_days": d.described(
        f"what has lain there for so long; {DEFAULT_DAYS} where nothing is told, 0: empty it",
        {**d.WHOLE, "maximum": _MAX_DAYS, "default": DEFAULT_DAYS},
    ),
    "max_bytes": d.described("then the oldest, until the rest is not larger than this", d.WHOLE),
}
_UNDO = {**d.record(_VERSION), "type": ["object", "null"]}


def trash_routes(service: TrashService, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.get(
        TRASH_ROUTE,
        operation_id="listTrash",
        summary="What each sync replaced, newest sync first",
        responses=d.answers(d.record({"total": d.WHOLE, "rows": d.rows(d.record(_ROW))})),
        openapi_extra=d.query(PAGE),
    )
    async def versions(request: Request) -> Response:
        wanted = page(known_fields(request.scope, PAGE))
        total, rows = await in_worker(workers, service.list, caller_of(request.scope), *wanted)
        return json_answer({"total": total, "rows": [_row(row) for row in rows]})

    @router.get(
        TRASH_FILES_ROUTE,
        operation_id="listTrashedFiles",
        summary="The files of one version, by path",
        responses=d.answers(d.record({"more": d.FLAG, "rows": d.rows(d.record(_FILE))}), 404),
        openapi_extra=d.query({**_VERSION, **PAGE}, required=tuple(_VERSION)),
    )
    async def files(request: Request) -> Response:
        fields = known_fields(request.scope, {**_VERSION, **PAGE})
        version = Version(
            whole_number(fields, "sync_id", None, MAX_ID),
            whole_number(fields, "version", None, MAX_ID),
        )
        caller, wanted = caller_of(request.scope), page(fields)
        rows, more = await in_worker(workers, service.files, caller, version, *wanted)
        told = [
            {"path": it.path, "size": it.size_bytes, "mtime": max(it.mtime_ns, 0) // 1_000_000}
            for it in rows
        ]
        return json_answer({"more": more, "rows": told})

    @router.post(
        TRASH_RESTORE_ROUTE,
        operation_id="restoreTrashed",
        summary="Put a version back, whole or a part of it; what stands there goes to the trash",
        description=(
            "A full sync's version takes the place of the whole folder again. Of an incremental"
            " sync all files come back that it replaced; what it only added stays. `undo` is"
            " the version that puts back what stood there; null where nothing did. Sent"
            " again without `state`, a restore of a full sync takes the first one back."
        ),
        responses=d.answers(d.record({"success": d.FLAG, "undo": _UNDO}), 404, 409, 413),
        openapi_extra=d.body(_RESTORE, optional=("path", "state")),
    )
    async def restore(request: Request) -> Response:
        caller = caller_of(request.scope)
        caller.check_may_change()
        body = await json_object(request, {})
        version = Version(int_field(body, "sync_id"), int_field(body, "version"))
        path = LakePath.parse(text_field(body, "path")) if "path" in body else None
        state = text_field(body, "state") if "state" in body else None
        note_sync(version.sync_id)
        done = await in_worker(workers, service.restore, caller, version, path, state)
        return json_answer(
            {
                "success": True,
                "undo": None if done.undo is None else _version(done.undo),
            }
        )

    @router.post(
        TRASH_PURGE_ROUTE,
        operation_id="purgeTrash",
        summary="Remove from the trash for good, by age and by a size cap",
        responses=d.answers(
            d.record({"versions": d.WHOLE, "files": d.WHOLE, "size": d.WHOLE}), 413
        ),
        openapi_extra=d.body(_PURGE, optional=tuple(_PURGE)),
    )
    async def purge(request: Request) -> Response:
        caller_of(request.scope).check_may_change()
        body = await json_object(request, {})
        for name in body:
            if name not in _PURGE:  # a limit that was misspelt must not purge by another one
                raise InvalidParam(f"{name[:60]!r} is nothing that a purge goes by")
        max_bytes = int_field(body, "max_bytes") if "max_bytes" in body else None
        days: int | None = None if max_bytes is not None else DEFAULT_DAYS
        if "older_than_days" in body:
            days = int_field(body, "older_than_days")
            if days > _MAX_DAYS:
                raise InvalidParam(f"older_than_days is at most {_MAX_DAYS}")
        older_than_ms = None if days is None else days * DAY_MS
        done = await in_worker(workers, service.purge, older_than_ms, max_bytes)
        return json_answer(
            {"versions": done.versions, "files": done.files, "size": done.size_bytes}
        )

    return router


def _version(version: Version) -> dict[str, Any]:
    return {"sync_id": version.sync_id, "version": version.number}


def _row(found: TrashedVersion) -> dict[str, Any]:
    job = found.job
    return {
        **_version(found.version),
        "sync_name": "" if job is None else job.name,
        "sync_type": "" if job is None else job.sync_type.value,
        "path": found.top if job is None else job.path,
        "state": found.state,
        "replaced_at": found.replaced_at_ms,
        "purge_at": found.purge_at_ms,
        "files": found.files,
        "size": found.size_bytes,
    }

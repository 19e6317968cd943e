"""The extension `manifest`: what a sync brought, as JSON or CSV, streamed however long it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from embedded_server.contract import MAX_ID
from embedded_server.contract_extensions import MANIFEST_ROUTE
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.known import ManifestRow
from embedded_server.domain.request_notes import note_sync
from embedded_server.domain.sync import Sync
from embedded_server.routes import described as d
from embedded_server.routes.callers import caller_of
from embedded_server.routes.query import known_fields, whole_number
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.manifest_service import ManifestService

_ROW = {
    "path": d.TEXT,
    "size": d.described("bytes", d.WHOLE),
    "sha256": d.described("of what was stored; empty where an older version noted none", d.TEXT),
    "time": d.described("when its upload was over, ms since 1970 UTC", d.WHOLE),
}
_MANIFEST = {
    "sync_id": d.WHOLE,
    "path": d.TEXT,
    "sync_type": d.TEXT,
    "sync_status": d.TEXT,
    "files": d.rows(d.record(_ROW)),
}
_QUERY = {
    "sync_id": d.WHOLE,
    "format": {**d.one_of(["json", "csv"]), "default": "json"},
}
_Pages = Iterator[list[ManifestRow]]


def manifest_routes(service: ManifestService, workers: Executor) -> APIRouter:
    router = APIRouter()
    responses = d.answers(d.record(_MANIFEST), headers=("Content-Disposition",))
    responses[200]["content"]["text/csv"] = {"schema": d.TEXT}

    @router.get(
        MANIFEST_ROUTE,
        operation_id="showManifest",
        summary="What a sync brought: each file's path, size, SHA-256 and time",
        responses=responses,
        openapi_extra=d.query(_QUERY, required=("sync_id",)),
    )
    async def manifest(request: Request) -> Response:
        fields = known_fields(request.scope, _QUERY)
        sync_id = whole_number(fields, "sync_id", None, MAX_ID)
        wanted = fields.get("format", "json")
        if wanted not in ("json", "csv"):
            raise InvalidParam("format must be json or csv")
        note_sync(sync_id)
        sync, pages = await in_worker(workers, service.of, caller_of(request.scope), sync_id)
        name = f"sync-{sync_id}.{wanted}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        lines: Callable[[Sync, _Pages], Iterator[bytes]] = _json if wanted == "json" else _csv
        pieces = lines(sync, pages)

        async def sent() -> AsyncIterator[bytes]:
            while piece := await in_worker(workers, next, pieces, b""):
                yield piece

        media_type = "application/json" if wanted == "json" else "text/csv; charset=utf-8"
        return StreamingResponse(sent(), 200, headers, media_type)

    return router


def _json(sync: Sync, pages: _Pages) -> Iterator[bytes]:
    head = {
        "sync_id": sync.sync_id,
        "path": str(sync.path),
        "sync_type": sync.sync_type.value,
        "sync_status": sync.status.value,
    }
    yield json.dumps(head)[:-1].encode("ascii") + b', "files": ['
    comma = "\n"
    for rows in pages:
        text = ""
        for row in rows:
            told = {
                "path": row.path,
                "size": row.size_bytes,
                "sha256": row.sha256,
                "time": row.time_ms,
            }
            text += comma + json.dumps(told)
            comma = ",\n"
        yield text.encode("ascii")
    yield b"\n]}\n"


def _csv(_: Sync, pages: _Pages) -> Iterator[bytes]:
    """RFC 4180, UTF-8. Paths begin with a slash, so no program takes one for a formula."""
    yield ",".join(_ROW).encode("ascii") + b"\r\n"
    for rows in pages:
        text = io.StringIO(newline="")
        csv.writer(text).writerows((it.path, it.size_bytes, it.sha256, it.time_ms) for it in rows)
        yield text.getvalue().encode("utf-8")

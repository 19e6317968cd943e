"""GET /openapi.json: every call of this server, every status it may answer, as OpenAPI 3.1.

The framework tells what its routes say of themselves; here come the calls that it does not know,
what all calls have in common, and which call goes on from what another one answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Response

from embedded_server.contract import (
    ABORT_ROUTE,
    END_ROUTE,
    HEALTH_ROUTE,
    PRODUCT,
    START_ROUTE,
)
from embedded_server.contract_extensions import OPENAPI_ROUTE
from embedded_server.routes import described as d
from embedded_server.routes.worker_calls import in_worker

_METHODS = ("get", "head", "post", "patch", "delete", "options")
_ABOUT = (
    "The five calls of the public contract, and extensions that `GET /api/lake/capabilities` names."
    " Every answer has `X-Request-Id`. An unknown path is told as 404 and an unknown method as 405,"
    " in the same shape as every other error; what is no HTTP at all gets a plain 400. Times are ms"
    " since 1970 UTC."
)
_IN_STRICT_MODE = " This server is strict: every call but /healthz needs a key."
_IN_LOCAL_MODE = " This server is local: only other users of its machine need a key."
_BEARER = {"type": "http", "scheme": "bearer", "description": "a key of `lakedrop keys add`"}
# These take their key from the body or the query as well, which is no scheme of OpenAPI's.
_KEY_IN_BODY = frozenset({START_ROUTE, END_ROUTE, ABORT_ROUTE})

_NUMBER = {"type": "integer", "minimum": 0}
_HEADERS: dict[str, d.Schema] = {
    "Accept-Ranges": d.one_of(["bytes"]),
    "Content-Disposition": d.TEXT,
    "Content-Range": d.TEXT,
    "ETag": d.TEXT,
    "Location": d.TEXT,
    "Repr-Digest": d.described("RFC 9530, of the whole file once it is in its place", d.TEXT),
    "Retry-After": d.described("seconds", _NUMBER),
    "Tus-Checksum-Algorithm": d.TEXT,
    "Tus-Extension": d.TEXT,
    "Tus-Max-Size": _NUMBER,
    "Tus-Resumable": d.TEXT,
    "Tus-Version": d.TEXT,
    "Upload-Expires": d.described("at the earliest; while it is not in its place", d.TEXT),
    "Upload-Length": _NUMBER,
    "Upload-Metadata": d.described("as the client sent it", d.TEXT),
    "Upload-Offset": d.described("bytes on stable storage", _NUMBER),
    "WWW-Authenticate": d.TEXT,
}
_STARTED = "$response.body#/sync_id"
_VERSION = {"sync_id": _STARTED, "version": "$response.body#/version"}
_UNDO = {
    "sync_id": "$response.body#/undo/sync_id",
    "version": "$response.body#/undo/version",
}
# operation → status → name of the link → what it is
_LINKS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "startSync": (
        "200",
        {
            "upload": {"operationId": "uploadFile", "parameters": {"query.sync_id": _STARTED}},
            "batch": {"operationId": "uploadBatch", "parameters": {"query.sync_id": _STARTED}},
            "tus": {"operationId": "beginUpload", "parameters": {"query.sync_id": _STARTED}},
            "end": {"operationId": "endSync", "requestBody": {"sync_id": _STARTED}},
            "abort": {"operationId": "abortSync", "requestBody": {"sync_id": _STARTED}},
            "manifest": {"operationId": "showManifest", "parameters": {"query.sync_id": _STARTED}},
        },
    ),
    "deletePath": ("200", {"undo": {"operationId": "restoreTrashed", "requestBody": _VERSION}}),
    "restoreTrashed": ("200", {"undo": {"operationId": "restoreTrashed", "requestBody": _UNDO}}),
}


def description_routes(app: FastAPI, workers: Executor, *, is_strict: bool) -> APIRouter:
    """Made when it is asked for first: a server that nobody asks starts without it."""
    router = APIRouter()

    @cache
    def written() -> bytes:
        return json.dumps(_whole(app, is_strict=is_strict)).encode("ascii")

    @router.get(
        OPENAPI_ROUTE,
        operation_id="describeServer",
        summary="This description",
        responses=d.answers({"type": "object"}, without=(400, 507)),
    )
    async def describe() -> Response:
        return Response(await in_worker(workers, written), media_type="application/json")

    return router


def _whole(app: FastAPI, *, is_strict: bool) -> dict[str, Any]:
    from embedded_server.routes.described_files import file_paths

    found = app.openapi()
    found["info"]["description"] = _ABOUT + (_IN_STRICT_MODE if is_strict else _IN_LOCAL_MODE)
    found["servers"] = [{"url": "/", "description": f"this {PRODUCT} server"}]
    found["paths"] |= _with_text_keys(file_paths())
    components = found.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = d.ERROR
    components["headers"] = {name: {"schema": schema} for name, schema in _HEADERS.items()}
    components["securitySchemes"] = {"key": _BEARER}
    for path, method, operation in _operations(found):
        operation["security"] = _security(path, is_strict=is_strict)
        if method == "head":
            for response in operation["responses"].values():
                response.pop("content", None)
        if operation["operationId"] in _LINKS:
            status, links = _LINKS[operation["operationId"]]
            operation["responses"][status]["links"] = links
    return found


def _operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, calls in found["paths"].items():
        for method in _METHODS:
            if method in calls:
                yield path, method, calls[method]


def _security(path: str, *, is_strict: bool) -> list[dict[str, list[str]]]:
    if path == HEALTH_ROUTE:
        return []
    key: list[dict[str, list[str]]] = [{"key": []}]
    return key if is_strict and path not in _KEY_IN_BODY else [{}, *key]


def _with_text_keys(paths: dict[str, Any]) -> dict[str, Any]:
    """Statuses as JSON has them; a copy, as what is shared by two calls differs in the end."""
    copied: dict[str, Any] = json.loads(json.dumps(paths))
    return copied

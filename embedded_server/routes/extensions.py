"""What this server can do beyond the five calls: capabilities, and the usage of a path."""

from __future__ import annotations

from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response

from embedded_server.contract import (
    CAPABILITIES_ROUTE,
    EXTENSION_ABORT,
    EXTENSION_BATCH,
    EXTENSION_DIGEST,
    EXTENSION_IDEMPOTENCY,
    EXTENSION_QUERY,
    EXTENSION_TUS,
    EXTENSION_USAGE,
    PRODUCT,
    USAGE_ROUTE,
    VERSION,
    Capabilities,
)
from embedded_server.contract_extensions import (
    EXTENSION_BROWSE,
    EXTENSION_HEALTH,
    EXTENSION_MANIFEST,
    EXTENSION_METRICS,
    EXTENSION_OPENAPI,
    EXTENSION_TRASH,
)
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import LakePath
from embedded_server.routes import described as d
from embedded_server.routes.answers import json_answer
from embedded_server.routes.batch_form import BATCH_MAX_BYTES, BATCH_MAX_FILES
from embedded_server.routes.callers import caller_of
from embedded_server.routes.query import known_fields
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.sync_service import SyncService

CAPABILITIES = Capabilities(
    VERSION,
    frozenset(
        {
            EXTENSION_ABORT,
            EXTENSION_BATCH,
            EXTENSION_BROWSE,
            EXTENSION_DIGEST,
            EXTENSION_HEALTH,
            EXTENSION_IDEMPOTENCY,
            EXTENSION_MANIFEST,
            EXTENSION_METRICS,
            EXTENSION_OPENAPI,
            EXTENSION_QUERY,
            EXTENSION_TRASH,
            EXTENSION_TUS,
            EXTENSION_USAGE,
        }
    ),
    BATCH_MAX_FILES,
    BATCH_MAX_BYTES,
)

_CAPABILITIES = {
    "product": d.one_of([PRODUCT]),
    "version": d.TEXT,
    "extensions": d.rows(d.TEXT),
    "batch_max_files": d.WHOLE,
    "batch_max_bytes": d.WHOLE,
}


def extension_routes(service: SyncService, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.get(
        CAPABILITIES_ROUTE,
        operation_id="showCapabilities",
        summary="What this server can do",
        responses=d.answers(d.record(_CAPABILITIES), without=(400, 507)),
    )
    async def capabilities() -> Response:
        return json_answer(CAPABILITIES.to_wire())

    @router.get(
        USAGE_ROUTE,
        operation_id="showUsage",
        summary="Files and bytes published at a path",
        responses=d.answers(d.record({"path": d.TEXT, "files": d.WHOLE, "bytes": d.WHOLE})),
        openapi_extra=d.query({"path": d.LAKE_PATH}, required=("path",)),
    )
    async def usage(request: Request) -> Response:
        path_text = known_fields(request.scope, ("path",)).get("path")
        if path_text is None:
            raise InvalidParam("path is missing in the query")
        path = LakePath.parse(path_text)
        caller_of(request.scope).check_may_see(path)
        return json_answer((await in_worker(workers, service.usage, path)).to_wire())

    return router

"""start, end, list and history: the contract's calls about sync jobs."""

from __future__ import annotations

from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response

from embedded_server.contract import (
    END_ROUTE,
    HISTORY_ROUTE,
    LIST_ROUTE,
    START_ROUTE,
    EndSyncRequest,
    StartSyncRequest,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.routes.answers import json_answer
from embedded_server.routes.callers import caller_of_body
from embedded_server.routes.json_body import json_object
from embedded_server.routes.query import page, parse_query
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.admission import Admission
from embedded_server.services.sync_service import SyncService


def sync_routes(service: SyncService, admission: Admission, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.post(START_ROUTE, summary="Start a sync")
    async def start(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        caller = caller_of_body(admission, request.scope, body)
        wanted = StartSyncRequest.from_wire({"api_key": "", **body})
        caller.check_may_write(LakePath.parse(wanted.path))
        sync_id = await in_worker(
            workers, service.start, wanted.name, wanted.path, wanted.sync_type
        )
        return json_answer({"sync_id": sync_id})

    @router.post(END_ROUTE, summary="End a sync")
    async def end(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        caller = caller_of_body(admission, request.scope, body)
        wanted = EndSyncRequest.from_wire({"api_key": "", **body})
        await in_worker(workers, service.end, wanted.sync_id, caller)
        return json_answer({"success": True})

    @router.get(LIST_ROUTE, summary="List sync jobs, oldest first")
    async def jobs(request: Request) -> Response:
        found = await in_worker(workers, service.jobs, *page(parse_query(request.scope)))
        return json_answer([job.to_wire() for job in found])

    @router.get(HISTORY_ROUTE, summary="List upload attempts, oldest first")
    async def history(request: Request) -> Response:
        found = await in_worker(workers, service.history, *page(parse_query(request.scope)))
        return json_answer([record.to_wire() for record in found])

    return router

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
    text_field,
)
from embedded_server.routes.answers import json_answer
from embedded_server.routes.json_body import json_object
from embedded_server.routes.query import page, parse_query
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.sync_service import SyncService


def sync_routes(service: SyncService, workers: Executor) -> APIRouter:
    router = APIRouter()

    @router.post(START_ROUTE, summary="Start a sync")
    async def start(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        service.check_key(text_field(body, "api_key"))
        wanted = StartSyncRequest.from_wire(body)
        sync_id = await in_worker(
            workers, service.start, wanted.name, wanted.path, wanted.sync_type
        )
        return json_answer({"sync_id": sync_id})

    @router.post(END_ROUTE, summary="End a sync")
    async def end(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        service.check_key(text_field(body, "api_key"))
        await in_worker(workers, service.end, EndSyncRequest.from_wire(body).sync_id)
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

"""start, end, abort, list and history: the calls about sync jobs."""

from __future__ import annotations

from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response

from embedded_server.contract import (
    ABORT_ROUTE,
    END_ROUTE,
    HISTORY_ROUTE,
    IDEMPOTENCY_HEADER,
    LIST_ROUTE,
    MAX_PAGE_SIZE,
    START_ROUTE,
    EndSyncRequest,
    StartSyncRequest,
    SyncStatus,
    SyncType,
)
from embedded_server.contract_extensions import AbortAnswer
from embedded_server.domain.caller import Caller
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.request_notes import note_sync
from embedded_server.routes import described as d
from embedded_server.routes.answers import json_answer
from embedded_server.routes.callers import caller_of, caller_of_body
from embedded_server.routes.idempotency import idempotency_key_of
from embedded_server.routes.json_body import json_object
from embedded_server.routes.query import page, parse_query
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.admission import Admission
from embedded_server.services.sync_service import MAX_LABEL_CHARACTERS, SyncService

_PATH = d.described("absolute folder of the lake, such as /data/db/transactions", d.TEXT)
_KEY = d.described("where no header brings the key", d.TEXT)
_IN_QUERY = d.query({"api_key": d.described("where neither header nor body brings it", d.TEXT)})
# As the documentation's own table has them: taken, never answered.
_WITH_SPACES = [it.value.replace("Sync", " Sync") for it in SyncType]
_STARTED = {
    "name": d.described("the sync's label", {**d.TEXT, "maxLength": MAX_LABEL_CHARACTERS}),
    "path": d.described("absolute folder of the lake", d.LAKE_PATH),
    "api_key": _KEY,
    "sync_type": d.one_of([*(it.value for it in SyncType), *_WITH_SPACES]),
}
_NAMED = {"sync_id": d.WHOLE, "api_key": _KEY}
_OPTIONAL = ("api_key",)
_STATUS = d.one_of([it.value for it in SyncStatus])
JOB = {
    "org_id": d.WHOLE,
    "sync_id": d.WHOLE,
    "name": d.TEXT,
    "path": _PATH,
    "sync_type": d.one_of([it.value for it in SyncType]),
    "sync_status": _STATUS,
    "start_time": d.described("ms since 1970 UTC", d.WHOLE),
    "end_time": d.described("ms since 1970 UTC, 0 while it runs", d.WHOLE),
    "total_files": d.WHOLE,
    "num_failed": d.WHOLE,
}
RECORD = {
    "org_id": d.WHOLE,
    "history_id": d.WHOLE,
    "sync_id": d.WHOLE,
    "file_name": d.TEXT,
    "start_time": d.described("ms since 1970 UTC", d.WHOLE),
    "end_time": d.described("ms since 1970 UTC, 0 while it runs", d.WHOLE),
    "sync_status": _STATUS,
    "message": d.described("why it failed", d.TEXT),
}
PAGE = {
    "from": d.described("rows to leave out at the beginning", {**d.WHOLE, "default": 0}),
    "size": {**d.WHOLE, "maximum": MAX_PAGE_SIZE, "default": 10},
}
_ONCE = d.described(
    "a quoted text of your own: the same key with the same body is the same sync",
    {
        **d.TEXT,
        "pattern": r'^(?:"(?:[ !#-\[\]-~]|\\["\\])+"|[!#-+\--:<-\[\]-~]+)$',
        "examples": ['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    },
)


def sync_routes(
    service: SyncService, admission: Admission, workers: Executor, searchers: Executor
) -> APIRouter:
    router = APIRouter()

    def readers_for(caller: Caller) -> Executor:
        """Pages of everything cost nothing; those of a bound key are searched for."""
        return workers if caller.path is None else searchers

    @router.post(
        START_ROUTE,
        operation_id="startSync",
        summary="Start a sync",
        responses=d.answers(d.record({"sync_id": d.WHOLE}), 413, 422),
        openapi_extra=d.body(_STARTED, optional=_OPTIONAL)
        | {"parameters": [*_IN_QUERY["parameters"], d.header(IDEMPOTENCY_HEADER, _ONCE)]},
    )
    async def start(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        caller = caller_of_body(admission, request.scope, body)
        wanted = StartSyncRequest.from_wire({"api_key": "", **body})
        caller.check_may_write(LakePath.parse(wanted.path))
        sync_id = await in_worker(
            workers,
            service.start,
            wanted.name,
            wanted.path,
            wanted.sync_type,
            idempotency_key=idempotency_key_of(request),
            key_name=caller.key_name,
        )
        note_sync(sync_id)
        return json_answer({"sync_id": sync_id})

    @router.post(
        END_ROUTE,
        operation_id="endSync",
        summary="End a sync",
        responses=d.answers(d.record({"success": d.FLAG}), 410, 413),
        openapi_extra=d.body(_NAMED, optional=_OPTIONAL) | _IN_QUERY,
    )
    async def end(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        caller = caller_of_body(admission, request.scope, body)
        wanted = EndSyncRequest.from_wire({"api_key": "", **body})
        note_sync(wanted.sync_id)
        await in_worker(workers, service.end, wanted.sync_id, caller)
        return json_answer({"success": True})

    @router.post(
        ABORT_ROUTE,
        operation_id="abortSync",
        summary="Give a running sync up; asked again it says the same",
        description=(
            "The sync becomes Failed with the message 'aborted'. What a full sync has staged is"
            " removed and the old data stays; what an incremental one has uploaded stays in sight."
        ),
        responses=d.answers(d.record({"success": d.FLAG, "kept_uploads": d.WHOLE}), 410, 413),
        openapi_extra=d.body(_NAMED, optional=_OPTIONAL) | _IN_QUERY,
    )
    async def abort(request: Request) -> Response:
        body = await json_object(request, parse_query(request.scope))
        caller = caller_of_body(admission, request.scope, body)
        wanted = EndSyncRequest.from_wire({"api_key": "", **body})
        note_sync(wanted.sync_id)
        kept = await in_worker(workers, service.abort, wanted.sync_id, caller)
        return json_answer(AbortAnswer(kept).to_wire())

    @router.get(
        LIST_ROUTE,
        operation_id="listSyncs",
        summary="List sync jobs, oldest first",
        responses=d.answers(d.rows(d.record(JOB))),
        openapi_extra=d.query(PAGE),
    )
    async def jobs(request: Request) -> Response:
        wanted = page(parse_query(request.scope))
        caller = caller_of(request.scope)
        found = await in_worker(readers_for(caller), service.jobs, *wanted, caller)
        return json_answer([job.to_wire() for job in found])

    @router.get(
        HISTORY_ROUTE,
        operation_id="listUploads",
        summary="List upload attempts, oldest first",
        responses=d.answers(d.rows(d.record(RECORD))),
        openapi_extra=d.query(PAGE),
    )
    async def history(request: Request) -> Response:
        wanted = page(parse_query(request.scope))
        caller = caller_of(request.scope)
        found = await in_worker(readers_for(caller), service.history, *wanted, caller)
        return json_answer([record.to_wire() for record in found])

    return router

"""Builds the web application from services; the only place that knows all routes."""

from __future__ import annotations

from concurrent.futures import Executor

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from embedded_server.contract import PRODUCT, VERSION, ContractViolation
from embedded_server.domain.errors import LakeError
from embedded_server.gate.gatekeeper import Gatekeeper, HouseRules
from embedded_server.routes.answers import (
    error_answer,
    lake_error_answer,
    violation_as_lake_error,
)
from embedded_server.routes.callers import visitor_of
from embedded_server.routes.description import description_routes
from embedded_server.routes.downloads import download_routes
from embedded_server.routes.extensions import extension_routes
from embedded_server.routes.lake import lake_routes
from embedded_server.routes.manifest import manifest_routes
from embedded_server.routes.queries import query_routes
from embedded_server.routes.syncs import sync_routes
from embedded_server.routes.trash import trash_routes
from embedded_server.routes.tus_calls import TusCalls
from embedded_server.routes.uploads import FileCalls
from embedded_server.routes.watching import watching_routes
from embedded_server.services.admission import Admission
from embedded_server.services.browse_service import BrowseService
from embedded_server.services.health import Health
from embedded_server.services.manifest_service import ManifestService
from embedded_server.services.sync_service import SyncService
from embedded_server.services.trash_service import TrashService
from embedded_server.services.tus_service import TusService
from embedded_server.services.upload_service import UploadService


def create_app(
    sync_service: SyncService,
    upload_service: UploadService,
    health: Health,
    tus_service: TusService,
    trash_service: TrashService,
    browse_service: BrowseService,
    manifest_service: ManifestService,
    admission: Admission,
    call_workers: Executor,
    search_workers: Executor,
    upload_workers: Executor,
    rules: HouseRules,
) -> ASGIApp:
    """The ASGI application behind its gatekeeper; the workers wait for the disk.

    Uploads have workers of their own: an *end* waits for those that are being committed. So have
    searches, which may take a second each: no other call waits behind them.
    """
    # No documentation pages: they would load scripts from other machines.
    app = FastAPI(
        title=f"{PRODUCT} lake server",
        version=VERSION,
        openapi_url=None,  # a route of our own: the framework does not know all calls
        docs_url=None,
        redoc_url=None,
        default_response_class=Response,  # each route tells its own type
    )
    app.router.redirect_slashes = False
    app.include_router(sync_routes(sync_service, admission, call_workers, search_workers))
    app.include_router(query_routes(sync_service, search_workers))
    app.include_router(extension_routes(sync_service, call_workers))
    app.include_router(lake_routes(browse_service, call_workers))
    app.include_router(download_routes(browse_service, call_workers))
    app.include_router(manifest_routes(manifest_service, call_workers))
    app.include_router(trash_routes(trash_service, call_workers))
    app.include_router(watching_routes(health, call_workers))
    app.include_router(description_routes(app, call_workers, is_strict=rules.is_strict))

    async def on_lake_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, LakeError)
        return lake_error_answer(admission.told(visitor_of(request.scope), error))

    app.add_exception_handler(LakeError, on_lake_error)
    app.add_exception_handler(ContractViolation, _on_violation)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_bug)
    tus_calls = TusCalls(tus_service, admission, upload_workers, app)
    file_calls = FileCalls(upload_service, admission, upload_workers, tus_calls)
    return Gatekeeper(file_calls, rules, admission)


async def _on_violation(_: Request, error: Exception) -> Response:
    assert isinstance(error, ContractViolation)
    return lake_error_answer(violation_as_lake_error(error))


async def _on_http_exception(_: Request, error: Exception) -> Response:
    """404, 405 and whatever else the framework itself refuses."""
    assert isinstance(error, HTTPException)
    return error_answer(error.status_code, str(error.detail), headers=error.headers)


async def _on_bug(_: Request, __: Exception) -> Response:
    return error_answer(500, "the server failed: look at its log")

"""The two calls that carry files; plain ASGI, so that no stock form parser sees the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from embedded_server.contract import (
    BATCH_ROUTE,
    MAX_ID,
    UPLOAD_ROUTE,
    BatchFileResult,
    UploadAnswer,
    batch_results_to_wire,
)
from embedded_server.domain.errors import LakeError
from embedded_server.routes.answers import json_answer, lake_error_answer
from embedded_server.routes.batch_form import BatchForm
from embedded_server.routes.body_pump import BodyConsumer, ClientGone, pump
from embedded_server.routes.multipart_headers import boundary_of
from embedded_server.routes.query import parse_query, whole_number
from embedded_server.routes.upload_form import UploadForm
from embedded_server.services.upload_service import UploadService


def upload_routes(service: UploadService, workers: Executor) -> list[BaseRoute]:
    def single(boundary: bytes, query: Mapping[str, str]) -> UploadForm:
        sync_id = whole_number(query, "sync_id", None, MAX_ID)
        return UploadForm(boundary, service, sync_id, query.get("path"))

    def batch(boundary: bytes, query: Mapping[str, str]) -> BatchForm:
        return BatchForm(boundary, service, whole_number(query, "sync_id", None, MAX_ID))

    return [
        Route(UPLOAD_ROUTE, _BodyCall(single, UploadAnswer.to_wire, workers), methods=["POST"]),
        Route(BATCH_ROUTE, _BodyCall(batch, _results_to_wire, workers), methods=["POST"]),
    ]


def _results_to_wire(results: list[BatchFileResult]) -> dict[str, Any]:
    return batch_results_to_wire(results)


class _BodyCall:
    """An ASGI endpoint: headers and query first, then the body, then the answer."""

    def __init__(
        self,
        consumer_for: Callable[[bytes, Mapping[str, str]], BodyConsumer[Any]],
        to_wire: Callable[[Any], dict[str, Any]],
        workers: Executor,
    ) -> None:
        self._consumer_for = consumer_for
        self._to_wire = to_wire
        self._workers = workers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response
        try:
            consumer = self._consumer_for(boundary_of(scope["headers"]), parse_query(scope))
            answer = json_answer(self._to_wire(await pump(receive, consumer, self._workers)))
        except LakeError as error:
            answer = lake_error_answer(error)
        except ClientGone:
            return
        await answer(scope, receive, send)

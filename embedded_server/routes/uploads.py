"""The two calls that carry files; plain ASGI, so that no stock form parser sees the body."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_server.contract import (
    BATCH_ROUTE,
    MAX_ID,
    UPLOAD_ROUTE,
    BatchFileResult,
    UploadAnswer,
    batch_results_to_wire,
)
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import LakeError
from embedded_server.routes.answers import error_answer, json_answer, lake_error_answer
from embedded_server.routes.batch_form import BatchForm
from embedded_server.routes.body_pump import BodyConsumer, ClientGone, pump
from embedded_server.routes.callers import caller_of, visitor_of
from embedded_server.routes.multipart_headers import boundary_of
from embedded_server.routes.query import parse_query, whole_number
from embedded_server.routes.upload_form import UploadForm
from embedded_server.services.admission import Admission
from embedded_server.services.upload_service import UploadService

_log = logging.getLogger(__name__)


class FileCalls:
    """ASGI: takes the calls that carry files by themselves and passes everything else on.

    They are most of a server's work, and a framework's layers cost about as much as one such call.
    """

    def __init__(
        self,
        service: UploadService,
        admission: Admission,
        workers: Executor,
        others: ASGIApp,
    ) -> None:
        def single(boundary: bytes, query: Mapping[str, str], caller: Caller) -> UploadForm:
            sync_id = whole_number(query, "sync_id", None, MAX_ID)
            return UploadForm(boundary, service, sync_id, query.get("path"), caller)

        def batch(boundary: bytes, query: Mapping[str, str], caller: Caller) -> BatchForm:
            sync_id = whole_number(query, "sync_id", None, MAX_ID)
            return BatchForm(boundary, service, sync_id, caller)

        self._others = others
        self._calls = {
            UPLOAD_ROUTE: _BodyCall(single, UploadAnswer.to_wire, admission, workers),
            BATCH_ROUTE: _BodyCall(batch, _results_to_wire, admission, workers),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._calls.get(scope["path"]) if scope["type"] == "http" else None
        if call is None:
            await self._others(scope, receive, send)
        elif scope["method"] == "POST":
            await call(scope, receive, send)
        else:
            refusal = error_answer(405, "Method Not Allowed", headers={"Allow": "POST"})
            await refusal(scope, receive, send)


def _results_to_wire(results: list[BatchFileResult]) -> dict[str, Any]:
    return batch_results_to_wire(results)


class _BodyCall:
    """An ASGI endpoint: headers and query first, then the body, then the answer."""

    def __init__(
        self,
        consumer_for: Callable[[bytes, Mapping[str, str], Caller], BodyConsumer[Any]],
        to_wire: Callable[[Any], dict[str, Any]],
        admission: Admission,
        workers: Executor,
    ) -> None:
        self._consumer_for = consumer_for
        self._to_wire = to_wire
        self._admission = admission
        self._workers = workers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response
        try:
            boundary = boundary_of(scope["headers"])
            consumer = self._consumer_for(boundary, parse_query(scope), caller_of(scope))
            answer = json_answer(self._to_wire(await pump(receive, consumer, self._workers)))
        except LakeError as error:
            answer = lake_error_answer(self._admission.told(visitor_of(scope), error))
        except ClientGone:
            return
        except Exception:  # noqa: BLE001  # a bug: told in the log, answered in the contract's shape
            _log.exception("a file call failed")
            answer = error_answer(500, "the server failed: look at its log")
        await answer(scope, receive, send)

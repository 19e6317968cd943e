"""The two calls that carry files; plain ASGI, so that no stock form parser sees the body."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_server.contract import (
    BATCH_ROUTE,
    MAX_ID,
    UPLOAD_ROUTE,
    batch_results_to_wire,
)
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import LakeError
from embedded_server.domain.request_notes import note_sync
from embedded_server.routes.answers import error_answer, json_answer, lake_error_answer
from embedded_server.routes.batch_form import BatchForm
from embedded_server.routes.body_pump import ClientGone, next_piece, pump
from embedded_server.routes.callers import caller_of, visitor_of
from embedded_server.routes.multipart_headers import boundary_of, sha256_of_request
from embedded_server.routes.query import parse_query, whole_number
from embedded_server.routes.upload_form import UploadForm
from embedded_server.routes.upload_groups import UploadGroups
from embedded_server.services.admission import Admission
from embedded_server.services.upload_service import UploadService

_Answer = dict[str, Any]

_log = logging.getLogger(__name__)


class _Head(NamedTuple):
    """What a request says before its body."""

    boundary: bytes
    query: Mapping[str, str]
    caller: Caller
    body_sha256: str | None


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
        groups = UploadGroups(service, workers)

        async def single(head: _Head, receive: Receive) -> _Answer:
            query = head.query
            sync_id = whole_number(query, "sync_id", None, MAX_ID)
            note_sync(sync_id)
            form = UploadForm(
                head.boundary, service, sync_id, query.get("path"), head.caller, head.body_sha256
            )
            first = await next_piece(receive)
            if first.is_whole:
                return (await groups.join(form, first.data)).to_wire()
            return (await pump(receive, form, workers, first)).to_wire()

        async def batch(head: _Head, receive: Receive) -> _Answer:
            sync_id = whole_number(head.query, "sync_id", None, MAX_ID)
            note_sync(sync_id)
            form = BatchForm(head.boundary, service, sync_id, head.caller, head.body_sha256)
            return batch_results_to_wire(await pump(receive, form, workers))

        self._others = others
        self._calls = {
            UPLOAD_ROUTE: _BodyCall(single, admission),
            BATCH_ROUTE: _BodyCall(batch, admission),
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


class _BodyCall:
    """An ASGI endpoint: headers and query first, then the body, then the answer."""

    def __init__(
        self,
        take: Callable[[_Head, Receive], Awaitable[_Answer]],
        admission: Admission,
    ) -> None:
        self._take = take
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response
        try:
            headers = scope["headers"]
            head = _Head(
                *(boundary_of(headers), parse_query(scope)),
                *(caller_of(scope), sha256_of_request(headers)),
            )
            answer = json_answer(await self._take(head, receive))
        except LakeError as error:
            answer = lake_error_answer(self._admission.told(visitor_of(scope), error))
        except ClientGone:
            return
        except Exception:  # noqa: BLE001  # a bug: told in the log, answered in the contract's shape
            _log.exception("a file call failed")
            answer = error_answer(500, "the server failed: look at its log")
        await answer(scope, receive, send)

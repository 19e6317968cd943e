"""Resumable uploads over HTTP: tus 1.0.0, each upload tied to a sync; plain ASGI like all files.

    OPTIONS TUS_ROUTE            what this server speaks
    POST    TUS_ROUTE            begin: Upload-Length, Upload-Metadata
    HEAD    TUS_ROUTE/<upload>   how far it is
    PATCH   TUS_ROUTE/<upload>   bytes behind Upload-Offset
    DELETE  TUS_ROUTE/<upload>   give it up

The metadata are filename, sync_id, path (optional: the sync's own) and sha256 (optional: 64 hex
digits, checked at the end). `sync_id` and `path` may stand in the query instead, as in the plain
upload. One request at a time works on an upload, and the newest wins: a client whose connection
broke comes back while the server still waits on the old one, which it then lets go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_server.contract import MAX_ID, TUS_ROUTE
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import InvalidParam, LakeError
from embedded_server.domain.tus_upload import TusRefused, TusState, TusUpload, UploadBusy
from embedded_server.routes.answers import error_answer, lake_error_answer
from embedded_server.routes.body_pump import ClientGone, pump
from embedded_server.routes.callers import caller_of, visitor_of
from embedded_server.routes.query import parse_query, whole_number
from embedded_server.routes.tus_body import TusBody
from embedded_server.routes.tus_headers import (
    CHECKSUM_ALGORITHMS,
    EXTENSIONS,
    TUS_VERSION,
    Checksum,
    Metadata,
    check_version,
    date_of,
    digest_header,
    headers_of,
    is_body_of_upload,
    number_in,
)
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.admission import Admission
from embedded_server.services.tus_service import MAX_FILE_BYTES, TusService

_LET_GO_WITHIN_S = 30.0  # an fsync of what the old request brought
_ALLOWED_ON_ROUTE = "OPTIONS, POST"
_ALLOWED_ON_UPLOAD = "OPTIONS, HEAD, PATCH, DELETE"

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class TusCalls:
    """ASGI: takes what lies at and below `TUS_ROUTE` and passes everything else on."""

    def __init__(
        self, service: TusService, admission: Admission, workers: Executor, others: ASGIApp
    ) -> None:
        self._service = service
        self._admission = admission
        self._workers = workers
        self._others = others
        self._turns = _Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path != TUS_ROUTE and not path.startswith(TUS_ROUTE + "/"):
            await self._others(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive, path[len(TUS_ROUTE) + 1 :])
        except LakeError as error:
            answer = lake_error_answer(self._admission.told(visitor_of(scope), error))
        except ClientGone:
            return
        except Exception:  # noqa: BLE001  # a bug: told in the log, answered in the contract's shape
            _log.exception("a call of a resumable upload failed")
            answer = error_answer(500, "the server failed: look at its log")
        answer.headers["Tus-Resumable"] = TUS_VERSION
        if answer.status_code == 412:
            answer.headers["Tus-Version"] = TUS_VERSION
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, upload_id: str) -> Response:
        headers = headers_of(scope["headers"])
        method: str = scope["method"]
        if method == "POST":
            method = headers.get("x-http-method-override", method).upper()
        if method == "OPTIONS":
            return Response(status_code=204, headers=_ABILITIES)
        caller = caller_of(scope)
        calls: dict[str, Callable[[], Awaitable[Response]]]
        if upload_id:
            calls = {
                "HEAD": lambda: self._head(upload_id, caller),
                "PATCH": lambda: self._patch(upload_id, caller, headers, receive),
                "DELETE": lambda: self._delete(upload_id, caller),
            }
        else:
            calls = {"POST": lambda: self._create(scope, caller, headers, receive)}
        call = calls.get(method)
        if call is None:
            allowed = _ALLOWED_ON_UPLOAD if upload_id else _ALLOWED_ON_ROUTE
            return error_answer(405, "Method Not Allowed", headers={"Allow": allowed})
        check_version(headers)
        return await call()

    async def _create(
        self, scope: Scope, caller: Caller, headers: Mapping[str, str], receive: Receive
    ) -> Response:
        if "upload-concat" in headers or "upload-defer-length" in headers:
            raise InvalidParam("this server needs Upload-Length, and no Upload-Concat")
        length_bytes = number_in(headers, "Upload-Length", MAX_FILE_BYTES)
        metadata = Metadata.parse(headers.get("upload-metadata", ""))
        fields = {"sync_id": metadata.first_of("sync_id"), "path": metadata.first_of("path")}
        fields |= parse_query(scope)
        told = {name: text for name, text in fields.items() if text is not None}
        file_name = metadata.first_of("filename", "name")
        if file_name is None:
            raise InvalidParam("Upload-Metadata must hold the file's name, as filename")
        checksum = Checksum.of(headers)
        upload = await in_worker(
            self._workers,
            self._service.create,
            whole_number(told, "sync_id", None, MAX_ID),
            told.get("path"),
            file_name,
            length_bytes,
            metadata.raw,
            metadata.sha256,
            caller,
        )
        if is_body_of_upload(headers) or length_bytes == 0:
            body = TusBody(self._service, upload.upload_id, 0, checksum, caller)
            upload = await self._turns.take(upload.upload_id, pump(receive, body, self._workers))
        location = {"Location": f"{TUS_ROUTE}/{upload.upload_id}"}
        return Response(status_code=201, headers=location | self._progress(upload))

    async def _head(self, upload_id: str, caller: Caller) -> Response:
        upload = await self._turns.take(
            upload_id, in_worker(self._workers, self._service.look, upload_id, caller)
        )
        told = {"Upload-Length": str(upload.length_bytes), "Cache-Control": "no-store"}
        if upload.metadata:
            told["Upload-Metadata"] = upload.metadata
        return Response(status_code=200, headers=told | self._progress(upload))

    async def _patch(
        self, upload_id: str, caller: Caller, headers: Mapping[str, str], receive: Receive
    ) -> Response:
        if not is_body_of_upload(headers):
            raise TusRefused(415, "send the bytes as application/offset+octet-stream")
        offset_bytes = number_in(headers, "Upload-Offset", MAX_FILE_BYTES)
        body = TusBody(self._service, upload_id, offset_bytes, Checksum.of(headers), caller)
        upload = await self._turns.take(upload_id, pump(receive, body, self._workers))
        return Response(status_code=204, headers=self._progress(upload))

    async def _delete(self, upload_id: str, caller: Caller) -> Response:
        await self._turns.take(
            upload_id, in_worker(self._workers, self._service.delete, upload_id, caller)
        )
        return Response(status_code=204)

    def _progress(self, upload: TusUpload) -> dict[str, str]:
        told = {"Upload-Offset": str(upload.offset_bytes)}
        if upload.state is TusState.FINISHED:
            told["Repr-Digest"] = digest_header(upload.sha256)
        else:  # at the earliest: as long as anything comes for its sync, it lives on
            told["Upload-Expires"] = date_of(upload.touched_at_ms + self._service.idle_limit_ms)
        return told


_ABILITIES = {
    "Tus-Version": TUS_VERSION,
    "Tus-Extension": EXTENSIONS,
    "Tus-Max-Size": str(MAX_FILE_BYTES),
    "Tus-Checksum-Algorithm": CHECKSUM_ALGORITHMS,
}


class _Turns:
    """One request an upload; a newer one sends the older one away and waits until it has gone."""

    def __init__(self) -> None:
        self._working: dict[str, asyncio.Task[Any]] = {}

    async def take(self, upload_id: str, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Raises what `work` does; `UploadBusy` when a newer request came."""
        older = self._working.get(upload_id)
        if older is not None:
            older.cancel()
            await asyncio.wait({older}, timeout=_LET_GO_WITHIN_S)
            if not older.done() or self._working.get(upload_id) not in (None, older):
                work.close()
                raise UploadBusy
        task = asyncio.ensure_future(work)
        self._working[upload_id] = task
        try:
            return await task
        except asyncio.CancelledError as cause:
            own = asyncio.current_task()
            if own is not None and own.cancelling():
                raise
            raise UploadBusy from cause
        finally:
            if self._working.get(upload_id) is task:
                del self._working[upload_id]

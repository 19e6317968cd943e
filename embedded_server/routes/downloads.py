"""Files and folders of the lake as downloads: RFC 9110 ranges and entity tags, zip streams."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from embedded_server.contract_extensions import LAKE_DOWNLOAD_ROUTE, LAKE_ZIP_ROUTE
from embedded_server.domain.errors import LakeFault, RangeNotSatisfiable
from embedded_server.domain.ports import ReadFile
from embedded_server.routes import described as d
from embedded_server.routes.callers import caller_of
from embedded_server.routes.lake import PATH, path_of
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.browse_service import BrowseService

_PIECE_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,19})-([0-9]{1,19})?|-([0-9]{1,19}))[ \t]*")
_OCTETS = "application/octet-stream"
[_PATH] = d.query(PATH, required=("path",))["parameters"]
_CONDITIONS = [
    d.header("Range", d.described("one range of bytes", {**d.TEXT, "examples": ["bytes=0-99"]})),
    d.header("If-Range", d.described("an ETag: all of it, when it has changed", d.TEXT)),
    d.header("If-None-Match", d.described("an ETag: nothing, when it is the same", d.TEXT)),
]
_OF_FILES = ("Accept-Ranges", "Content-Disposition", "ETag")
_PART = d.answers(
    d.BYTES, status=206, media_type=_OCTETS, headers=(*_OF_FILES, "Content-Range"), text="A part"
)
_SAME = d.answers(None, status=304, headers=_OF_FILES, text="Still the same")
_FILE_ANSWERS = {
    **d.answers(d.BYTES, 404, 416, media_type=_OCTETS, headers=_OF_FILES),
    206: _PART[206],
    304: _SAME[304],
}
# Whatever the bytes are: no browser may take them for a page of this server's.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
}


class _Stream(StreamingResponse):
    """Closes its source however it ends, also when it never began."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        close: Callable[[], None],
        status: int,
        headers: dict[str, str],
        media_type: str,
    ) -> None:
        super().__init__(pieces, status, headers, media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


def download_routes(service: BrowseService, workers: Executor) -> APIRouter:
    router = APIRouter()

    told: dict[str, Any] = {
        "summary": "A file, or a part of it",
        "responses": _FILE_ANSWERS,
        "openapi_extra": {"parameters": [_PATH, *_CONDITIONS]},
    }

    @router.head(LAKE_DOWNLOAD_ROUTE, operation_id="downloadFileHead", **told)
    @router.get(LAKE_DOWNLOAD_ROUTE, operation_id="downloadFile", **told)
    async def download(request: Request) -> Response:
        path = path_of(request)
        file = await in_worker(workers, service.open, caller_of(request.scope), path)
        try:
            return _file_answer(request, file, path.segments[-1], workers)
        except BaseException:
            file.close()
            raise

    @router.get(
        LAKE_ZIP_ROUTE,
        operation_id="zipFolder",
        summary="A folder as a zip archive, made while it is sent",
        responses=d.answers(
            d.BYTES, 404, media_type="application/zip", headers=("Content-Disposition",)
        ),
        openapi_extra={"parameters": [_PATH]},
    )
    async def zipped(request: Request) -> Response:
        path = path_of(request)
        pieces = await in_worker(workers, service.zipped, caller_of(request.scope), path)
        headers = {**_HARMLESS, "Content-Disposition": _attachment(f"{path.segments[-1]}.zip")}

        async def sent() -> AsyncIterator[bytes]:
            while piece := await in_worker(workers, next, pieces, b""):
                yield piece

        return _Stream(sent(), lambda: _close(pieces), 200, headers, "application/zip")

    return router


def _close(pieces: Iterator[bytes]) -> None:
    pieces.close()  # type: ignore[attr-defined]  # a generator


def _file_answer(request: Request, file: ReadFile, name: str, workers: Executor) -> Response:
    size = file.size_bytes
    tag = f'"{size:x}-{file.mtime_ns:x}"'
    headers = {
        **_HARMLESS,
        "Accept-Ranges": "bytes",
        "Content-Disposition": _attachment(name),
        "ETag": tag,
    }
    if _names(request.headers.get("if-none-match"), tag):
        file.close()
        return Response(status_code=304, headers=headers)
    part = _part_asked(request, tag, size)
    status, (start, stop) = (200, (0, size)) if part is None else (206, part)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)

    async def sent() -> AsyncIterator[bytes]:
        at = start
        while at < stop and request.method != "HEAD":
            data = await in_worker(workers, file.read, at, min(_PIECE_BYTES, stop - at))
            if not data:
                raise LakeFault("the file became shorter while it was read")
            at += len(data)
            yield data

    return _Stream(sent(), file.close, status, headers, _OCTETS)


def _part_asked(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """(start, stop) in bytes; None is all of it: also for several parts, as RFC 9110 allows."""
    asked = request.headers.get("range")
    condition = request.headers.get("if-range")
    if asked is None or (condition is not None and condition.strip() != tag):
        return None
    match = _RANGE.fullmatch(asked)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, stop = max(size - int(suffix), 0), size
    else:
        start, stop = int(first), size if last is None else min(int(last) + 1, size)
        if last is not None and int(last) < start:
            return None  # not a range at all
    if start >= stop:
        raise RangeNotSatisfiable(size)
    return start, stop


def _names(condition: str | None, tag: str) -> bool:
    """`If-None-Match`: weak comparison, a list, or everything."""
    if condition is None:
        return False
    told = [it.strip().removeprefix("W/") for it in condition.split(",")]
    return "*" in told or tag in told


def _attachment(name: str) -> str:
    """RFC 6266: the name in UTF-8, and for old clients one without what they might stumble over."""
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

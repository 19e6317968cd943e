"""Around everything: each request has an id, is counted, and may write its line into the log.

The line never holds a query, a header or a path that is no route of ours: any of them may be, or
bear, a key.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embedded_server.domain import request_notes
from embedded_server.domain.measures import Measures
from embedded_server.routes.callers import VISITOR

_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{8,64}")
_OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logging.getLogger(__name__)


def _is_elsewhere(given: bytes, scope: Scope) -> bool:
    """Whether the request says the same in another place: where it may be meant as a key."""
    others = [value for name, value in scope["headers"] if name != b"x-request-id"]
    return any(given in value for value in (scope["query_string"], *others))


class RequestWatch:
    """ASGI. `route_of` gives the name of a path that holds nothing of what was asked; `is_key`
    keeps a key that somebody sends as a request's id from being repeated."""

    def __init__(
        self,
        app: ASGIApp,
        measures: Measures,
        route_of: Callable[[str], str],
        is_key: Callable[[str], bool],
        *,
        writes_lines: bool,
    ) -> None:
        self._app = app
        self._measures = measures
        self._route_of = route_of
        self._is_key = is_key
        self._writes_lines = writes_lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = perf_counter()
        notes = request_notes.begin(self._id_of(scope))
        id_header = (b"x-request-id", notes.request_id.encode("ascii"))
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), id_header]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            took_s = perf_counter() - began_s
            route = self._route_of(scope["path"])
            method = scope["method"] if scope["method"] in _METHODS else _OTHER
            self._measures.request(method, route, status, took_s)
            if self._writes_lines:
                self._write(scope, method, route, status, took_s)

    def _id_of(self, scope: Scope) -> str:
        given = [value for name, value in scope["headers"] if name == b"x-request-id"]
        if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]):
            text: str = given[0].decode("ascii")
            if not self._is_key(text) and not _is_elsewhere(given[0], scope):
                return text
        return secrets.token_hex(8)

    @staticmethod
    def _write(scope: Scope, method: str, route: str, status: int, took_s: float) -> None:
        visitor = scope["state"].get(VISITOR)
        _log.info(
            "%s %s %s",
            method,
            route,
            status or "not answered",
            extra={
                "of_request": {
                    "method": method,
                    "route": route,
                    "status": status,
                    "ms": round(took_s * 1_000, 3),
                    "visitor": "" if visitor is None else visitor.name,
                }
            },
        )

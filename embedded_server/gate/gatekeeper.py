"""Who may come in: looks at the headers of every request before a byte of its body is read.

A web page in a browser runs on this machine too, so (reliability rules, "Who may come in"):
- `Host` must be a name of this server: that stops DNS rebinding;
- a foreign `Origin`, or a `Sec-Fetch-Site` other than same-origin or none, is a web page's doing;
- on a local server forwarding headers mean that a proxy passes on strangers.

Then the key. A local server trusts whoever runs programs as its own user on this machine; all
others, and everybody on a strict server, need one on each call but /healthz.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embedded_server.contract import (
    ABORT_ROUTE,
    BATCH_ROUTE,
    CAPABILITIES_ROUTE,
    END_ROUTE,
    HEALTH_ROUTE,
    HISTORY_QUERY_ROUTE,
    HISTORY_ROUTE,
    LIST_ROUTE,
    START_ROUTE,
    SYNCS_QUERY_ROUTE,
    TUS_ROUTE,
    UPLOAD_ROUTE,
    USAGE_ROUTE,
)
from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_DOWNLOAD_ROUTE,
    LAKE_ENTRIES_ROUTE,
    LAKE_ENTRY_ROUTE,
    LAKE_FOLDER_ROUTE,
    LAKE_RENAME_ROUTE,
    LAKE_ZIP_ROUTE,
    MANIFEST_ROUTE,
    TRASH_FILES_ROUTE,
    TRASH_RESTORE_ROUTE,
    TRASH_ROUTE,
)
from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import BEARER_CHALLENGE, LakeError, NotAllowed
from embedded_server.gate.names import ServerNames
from embedded_server.routes.answers import error_answer, lake_error_answer
from embedded_server.routes.callers import CALLER, VISITOR
from embedded_server.services.admission import Admission, Visitor, missing_key

# Besides these, whatever begins with x-forwarded.
_FORWARDING = frozenset(
    {
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"forwarded",
        b"forwarded-for",
        b"true-client-ip",
        b"via",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-host",
        b"x-original-url",
        b"x-proxyuser-ip",
        b"x-real-ip",
    }
)
_OWN_SITES = frozenset({b"same-origin", b"none"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

# These may bring their key in the body or the query, as the public contract has it.
KEY_IN_BODY_ROUTES = frozenset({START_ROUTE, END_ROUTE, ABORT_ROUTE})
# These look at the path that a key is bound to. A route that is not here is closed to bound keys:
# forgetting one must not open the lake.
PATH_CHECKING_ROUTES = frozenset(
    {
        START_ROUTE,
        UPLOAD_ROUTE,
        BATCH_ROUTE,
        END_ROUTE,
        ABORT_ROUTE,
        LIST_ROUTE,
        HISTORY_ROUTE,
        SYNCS_QUERY_ROUTE,
        HISTORY_QUERY_ROUTE,
        USAGE_ROUTE,
        CAPABILITIES_ROUTE,
        TUS_ROUTE,
        LAKE_DELETE_ROUTE,
        LAKE_DOWNLOAD_ROUTE,
        LAKE_ENTRIES_ROUTE,
        LAKE_ENTRY_ROUTE,
        LAKE_FOLDER_ROUTE,
        LAKE_RENAME_ROUTE,
        MANIFEST_ROUTE,
        LAKE_ZIP_ROUTE,
        TRASH_ROUTE,
        TRASH_FILES_ROUTE,
        TRASH_RESTORE_ROUTE,
    }
)

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class HouseRules:
    """`is_strict`: everybody needs a key. Routes beyond the tables above may be added to them."""

    names: ServerNames
    is_strict: bool
    key_in_body_routes: Collection[str] = KEY_IN_BODY_ROUTES
    path_checking_routes: Collection[str] = PATH_CHECKING_ROUTES


class Gatekeeper:
    """ASGI around the application; puts `CALLER` and `VISITOR` into the scope's state.

    The connection below tells its visitor. Where it does not, the visitor is a stranger.
    """

    def __init__(self, app: ASGIApp, rules: HouseRules, admission: Admission) -> None:
        self._app = app
        self._rules = rules
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope["headers"], scope["http_version"])
            if refusal is not None:
                await error_answer(*refusal)(scope, receive, send)
                return
            if scope["path"] != HEALTH_ROUTE:
                try:
                    self._admit(scope)
                except LakeError as error:
                    await lake_error_answer(error)(scope, receive, send)
                    return
                if scope["state"][CALLER] is None:
                    send = _challenging(send)
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        """Raises `NotAuthenticated`, `NotAllowed`, `TooManyTries`."""
        state = scope["state"]
        visitor: Visitor = state.setdefault(VISITOR, Visitor("unknown", needs_key=True))
        authorization = _authorization(scope["headers"])
        caller = self._admission.by_header(visitor, authorization)
        path = scope["path"]
        if caller is None and path not in self._rules.key_in_body_routes:
            raise missing_key()
        if caller is not None:
            self._check_route(caller, scope["method"], path)
        state[CALLER] = caller

    def _check_route(self, caller: Caller, method: str, path: str) -> None:
        if caller.is_read_only and method not in _READING:
            caller.check_may_change()
        if path.startswith(f"{TUS_ROUTE}/"):
            path = TUS_ROUTE  # one room, whichever upload
        if caller.path is not None and path not in self._rules.path_checking_routes:
            raise NotAllowed(f"this key is bound to {caller.path}: it may not make this call")

    def _refusal(self, headers: Headers, http_version: str) -> tuple[int, str] | None:
        """(status, message) for whoever stays out."""
        names = self._rules.names
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in names.hosts:
            return 403, "this server answers only to its own name, such as 127.0.0.1:port"
        for name, value in headers:
            if name == b"origin" and value.lower() not in names.origins:
                return 403, "requests of other web pages are not allowed"
            if name == b"sec-fetch-site" and value.lower() not in _OWN_SITES:
                return 403, "requests of other web pages are not allowed"
            if not self._rules.is_strict and (
                name in _FORWARDING or name.startswith(b"x-forwarded")
            ):
                return 403, "a local server takes no forwarded requests"
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                return 415, "send the body as it is, without Content-Encoding"
            if name == b"transfer-encoding":
                if http_version == "1.0":  # RFC 9112, 6.1: where it ends is anybody's guess
                    return 400, "HTTP/1.0 knows no Transfer-Encoding: send Content-Length"
                if value.strip().lower() != b"chunked":
                    return 415, "send the body as it is: the only Transfer-Encoding is chunked"
        return None


def _challenging(send: Send) -> Send:
    """A body may bring the key here, but nowhere else: whoever answers 200 says so as well."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = dict(message["headers"])
            told[b"www-authenticate"] = BEARER_CHALLENGE.encode("ascii")  # a 401 says so itself
            message = {**message, "headers": [*told.items()]}
        await send(message)

    return sending


def _authorization(headers: Headers) -> str | None:
    """Two of them are as good as a wrong one: whoever stands between may read the other."""
    found = [value for name, value in headers if name == b"authorization"]
    if not found:
        return None
    return found[0].decode("latin-1") if len(found) == 1 else ""

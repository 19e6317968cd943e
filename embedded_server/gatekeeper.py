"""Who may come in: looks at the headers of every request before a byte of its body is read.

A local server trusts whoever runs programs on this machine, and nobody else. A web page in a
browser runs on this machine too, so (reliability rules, "Who may come in"):
- `Host` must be a name of this server: that stops DNS rebinding;
- a foreign `Origin`, or a `Sec-Fetch-Site` other than same-origin or none, is a web page's doing;
- forwarding headers mean that a proxy passes on strangers.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_server.routes.answers import error_answer

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
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
_HTTP_PORT = 80

Headers = list[tuple[bytes, bytes]]


class Gatekeeper:
    """ASGI around the application; `port` is the one that this server listens on."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        names = [f"{name}:{port}" for name in _LOCAL_NAMES]
        if port == _HTTP_PORT:
            names += _LOCAL_NAMES
        self._hosts = frozenset(name.encode("ascii") for name in names)
        self._origins = frozenset(b"http://" + host for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope["headers"])
            if refusal is not None:
                await error_answer(*refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> tuple[int, str] | None:
        """(status, message) for whoever stays out."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 403, "this server answers only to its own name, such as 127.0.0.1:port"
        for name, value in headers:
            if name == b"origin" and value.lower() not in self._origins:
                return 403, "requests of other web pages are not allowed"
            if name == b"sec-fetch-site" and value.lower() not in _OWN_SITES:
                return 403, "requests of other web pages are not allowed"
            if name in _FORWARDING or name.startswith(b"x-forwarded"):
                return 403, "a local server takes no forwarded requests"
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                return 415, "send the body as it is, without Content-Encoding"
        return None

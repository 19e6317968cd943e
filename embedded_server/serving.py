"""Listens on a socket of its own and runs uvicorn on it until somebody asks it to stop."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from embedded_server.domain.errors import CannotServe
from embedded_server.domain.undisturbed import all_undisturbed
from embedded_server.gate.connections import House, Reader, protocol_of

if TYPE_CHECKING:
    import ssl

_BACKLOG = 512
_GRACE_S = 5  # for uploads that are on their way when the server is asked to stop
_KEEP_ALIVE_S = 75  # longer than the pools of usual clients keep an idle connection


def listening_socket(
    host: str, port: int, open_socket: Callable[[int, int, int], socket.socket] = socket.socket
) -> socket.socket:
    """Bound, not yet listening. Raises `CannotServe` with what to do about it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP said aloud: with proto=0 asyncio does not take it for TCP and leaves Nagle's
    # algorithm on, which costs 40 ms a request.
    try:
        listener = open_socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as cause:
        raise _cannot_listen(host, port, cause) from cause
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif sys.platform == "win32":  # there SO_REUSEADDR would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        # Accepted sockets inherit it, whatever the event loop does.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
    except OSError as cause:
        listener.close()
        if cause.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"port {port} is in use: choose another with --port, or --port 0 for any free one"
            ) from cause
        raise _cannot_listen(host, port, cause) from cause
    listener.settimeout(0)  # an event loop's socket never blocks
    return listener


def _cannot_listen(host: str, port: int, cause: OSError) -> CannotServe:
    return CannotServe(
        f"cannot listen on {host} port {port}: {cause.strerror or type(cause).__name__}."
        " Choose another address of this machine with --host, or another port with --port"
    )


def address_of(listener: socket.socket, scheme: str = "http", name: str | None = None) -> str:
    """As a client writes it; `name` is `host` or `host:port`."""
    host, port = listener.getsockname()[:2]
    if name is not None:
        has_port = name.rpartition(":")[2].isdecimal() and not name.endswith("]")
        return f"{scheme}://{name}" if has_port else f"{scheme}://{name}:{port}"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Raises `CannotServe` for files that are no certificate with its key."""
    import ssl  # only here: a local server starts without it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # With a pass phrase asked for, OpenSSL would wait for somebody to type one.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as cause:
        raise CannotServe(
            f"{cert} and {key} cannot be used for TLS ({cause.reason or 'not in PEM'}): give a"
            " certificate chain and its own private key, in PEM and without a pass phrase"
        ) from cause
    except OSError as cause:
        raise CannotServe(
            f"{cert} or {key} cannot be read: {cause.strerror or type(cause).__name__}"
        ) from cause
    return context


class StopRequest:
    """Asked to stop by a signal or by the parent's end; may come before the server exists."""

    def __init__(self) -> None:
        self.asked = False
        self._server: uvicorn.Server | None = None

    def ask(self) -> None:
        self.asked = True
        if self._server is not None:
            self._server.should_exit = True

    def on_signals(self) -> None:
        """From now on SIGTERM and SIGINT ask; the process then ends by itself, with status 0."""

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            self.ask()

        names = [signal.SIGTERM, signal.SIGINT]
        if sys.platform == "win32":
            names.append(signal.SIGBREAK)
        for name in names:
            signal.signal(name, on_signal)

    def reaches(self, server: uvicorn.Server) -> None:
        self._server = server
        server.should_exit = self.asked


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        house: House,
        on_listening: Callable[[], Awaitable[None]],
        on_stopping: Callable[[], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        super().__init__(config)
        self._house = house
        self._connection = protocol_of(house)
        self._on_listening = on_listening
        self._on_stopping = on_stopping
        self._tls = tls
        self._read_into = memoryview(bytearray(Reader.BUFFER_BYTES))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._house.watch(loop)
        # All but listening, which is done here: uvicorn would give a TLS handshake a minute.
        await super().startup([])
        try:
            for listener in sockets or ():
                await self._listen(loop, listener)
            await self._on_listening()
        except BaseException:
            for server in self.servers:
                server.close()
            self._on_stopping()
            await asyncio.sleep(0)  # uvloop closes what it was told to on its next turn
            raise

    async def _listen(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        self.servers.append(
            await loop.create_server(
                self._made,
                sock=listener,
                backlog=_BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._house.limits.head_s,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)
        await all_undisturbed()

    def _made(self) -> Reader:
        connection = self._connection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return Reader(connection, self._read_into)


def serve(
    app: ASGIApp,
    listener: socket.socket,
    house: House,
    stop: StopRequest,
    on_listening: Callable[[], Awaitable[None]],
    on_stopping: Callable[[], None],
    tls: ssl.SSLContext | None = None,
) -> None:
    """Returns once it was asked to stop and has answered, or cut off, whatever was on its way.

    `on_stopping` is called on the loop, and also where `on_listening` fails.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # a query may bear an api_key
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        proxy_headers=False,
    )
    server = _Server(config, house, on_listening, on_stopping, tls)
    address = address_of(listener)  # a closed socket does not know it any more
    stop.reaches(server)
    try:
        server.run([listener])
    except OSError as cause:  # another server began to listen between our bind and our listen
        raise CannotServe(
            f"cannot listen on {address}: {cause.strerror or type(cause).__name__}"
        ) from cause
    except (KeyboardInterrupt, asyncio.CancelledError):
        return  # a second Ctrl-C, while uvicorn was stopping

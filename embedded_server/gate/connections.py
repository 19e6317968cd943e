"""uvicorn's HTTP protocol with what it leaves out: patience, and who is at the other end.

One sweep a second looks at every connection, so that a request costs no timer of its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from embedded_server.domain.measures import Measures
from embedded_server.gate.patience import Limits, Patience, Stage, WakingClock
from embedded_server.routes.answers import error_answer
from embedded_server.routes.callers import VISITOR
from embedded_server.services.admission import Visitor

_TOO_SLOW = (408, "Request Timeout", "the request came too slowly: send it again")
_NO_REQUEST = (400, "Bad Request", "this is no proper HTTP/1.1 request")
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # linger on, for no time
_HEAD_TOO_LONG = (431, "Request Header Fields Too Large", "the request's headers are too long")

_COST_OF_A_BLOCK_BYTES = 64  # its object and its place in a list
_READ_AHEAD_BYTES = 1 << 20  # of a body, a connection; at most the least read comes on top
_LEAST_READ_BYTES = 64 << 10

_log = logging.getLogger(__name__)

VisitorOf = Callable[[tuple[str, int] | None, tuple[str, int | None] | None], Visitor]


@dataclass(slots=True)
class House:
    """What all connections of a server share; the event loop's thread alone touches it."""

    limits: Limits
    visitor_of: VisitorOf
    most_connections: int
    measures: Measures
    clock: WakingClock = field(init=False)
    # In the order in which they began to wait; these are the ones to close when all are taken.
    waiting: dict[WatchedConnection, None] = field(default_factory=dict)
    open: set[WatchedConnection] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = WakingClock(self.limits.tick_s, 0.0)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sweeps from now on, for as long as the loop runs."""
        self.clock = WakingClock(self.limits.tick_s, loop.time())
        loop.call_later(self.limits.tick_s, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self.clock.tick(loop.time())
        for connection in list(self.open):
            connection.look(self.clock.awake_s)
        loop.call_later(self.limits.tick_s, self._sweep, loop)

    def make_room(self) -> None:
        """Whoever has waited longest without a request of its own gives way to a new one."""
        if len(self.open) > self.most_connections and self.waiting:
            next(iter(self.waiting)).give_way()


class CountedTransport(asyncio.Transport):
    """Passes everything on, and knows how many bytes were written: no transport tells."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self.written_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written_bytes += len(data)
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)


class UnreadBody:
    """What has arrived of a body and was not received yet; kept as it came, joined at most once."""

    __slots__ = ("_blocks", "held_bytes")

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self.held_bytes = 0  # of memory: a body may come in blocks of a byte

    def add(self, block: bytes) -> None:
        self._blocks.append(block)
        self.held_bytes += len(block) + _COST_OF_A_BLOCK_BYTES

    def __bytes__(self) -> bytes:
        return b"".join(self._blocks)  # of a single one it is that one itself


class WatchedConnection(HttpToolsProtocol):
    """Made by uvicorn from a class of `protocol_of`, which gives it its house."""

    house: House

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._patience = Patience(self.house.limits, self.house.clock.awake_s)
        self._is_given_up = False

    # -- what the transport tells -----------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._counted = CountedTransport(transport)
        super().connection_made(self._counted)
        house = self.house
        house.open.add(self)
        house.waiting[self] = None
        # Asked now: a client that has gone by the time its request is read cannot be asked about.
        visitor = house.visitor_of(self.client, self.server)
        self._needs_key = visitor.needs_key
        self.app_state = {**self.app_state, VISITOR: visitor}
        house.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self.house.open.discard(self)
        self.house.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes | memoryview) -> None:
        if self._is_given_up:
            return
        patience = self._patience
        if patience.stage is Stage.IDLE:
            patience.enter(Stage.HEAD, self.house.clock.awake_s)
        patience.came += len(data)
        self.house.measures.bytes_in += len(data)
        super().data_received(data)  # type: ignore[arg-type]  # the parser takes any buffer
        if patience.has_too_long_a_head:
            self._give_up(*_HEAD_TOO_LONG)

    @property
    def room_bytes(self) -> int:
        """How much the next read may bring, so that no more is read ahead than may be."""
        cycle: RequestResponseCycle | None = self.cycle
        unread = None if cycle is None else cast("UnreadBody | bytearray", cycle.body)
        held_bytes = unread.held_bytes if isinstance(unread, UnreadBody) else 0
        return max(_READ_AHEAD_BYTES - held_bytes, _LEAST_READ_BYTES)

    # -- what the parser tells --------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._patience.enter(Stage.BODY, self.house.clock.awake_s)
        # Without a key in its head a stranger's request is no reason to keep it: its body may
        # never come. One with a wrong key is answered at once and waits again.
        if not self._needs_key or any(name == b"authorization" for name, _ in self.headers):
            self.house.waiting.pop(self, None)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """As uvicorn's, but without copies, and with more than 64 KiB read ahead: each pause of
        reading takes turns of the loop, and threads lose time at every change between them."""
        cycle: RequestResponseCycle = self.cycle
        if cycle.response_complete:
            return
        unread = cast("UnreadBody | bytearray", cycle.body)
        if not isinstance(unread, UnreadBody):  # uvicorn's, empty: all was received
            unread = UnreadBody()
            cycle.body = unread  # type: ignore[assignment]  # of which it takes bytes() and no more
        unread.add(body)
        if unread.held_bytes >= _READ_AHEAD_BYTES:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._patience.enter(Stage.IDLE, self.house.clock.awake_s)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self in self.house.open:
            self.house.waiting[self] = None

    # -- what the sweep asks ----------------------------------------------------------------

    def look(self, awake_s: float) -> None:
        """Closes the connection when its client takes too long."""
        if self._is_given_up:  # a client that does not even take its refusal
            self._cut_off()
            return
        waiting_bytes = self.transport.get_write_buffer_size()
        taken_bytes = self._counted.written_bytes - waiting_bytes
        if self._patience.is_over_for_reader(
            awake_s, waiting_bytes=waiting_bytes, taken_bytes=taken_bytes
        ):
            _log.info("a connection was closed: its client does not read")
            self._cut_off()
        elif self._patience.is_over_for_sender(awake_s, server_reads=not self.flow.read_paused):
            _log.info("a connection was closed: its client sends too slowly")
            self._give_up(*_TOO_SLOW)

    def give_way(self) -> None:
        _log.info("a connection without a request was closed: there are too many")
        self.house.waiting.pop(self, None)
        self._cut_off()

    def _cut_off(self) -> None:
        """With a reset: else the kernel would go on offering what nobody reads, for minutes."""
        raw: socket.socket | None = self.transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's, for what its parser does not like: in the contract's shape, and never into the
        middle of another answer."""
        self._give_up(*_NO_REQUEST)

    def _give_up(self, status: int, phrase: str, message: str) -> None:
        self._is_given_up = True
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_started or cycle.response_complete:
            self.transport.write(_answer(status, phrase, message))
        if cycle is not None:
            cycle.disconnected = True  # nothing more may be written behind that
        self.transport.close()


class Reader(asyncio.BufferedProtocol):
    """What a transport knows of a connection: it reads into one buffer that all connections of a
    loop share, where else each read would be allocated, copied, and of a quarter of the size.

    Whoever is told of bytes in it keeps a copy or nothing; the next read writes over them.
    """

    BUFFER_BYTES = _READ_AHEAD_BYTES

    def __init__(self, connection: WatchedConnection, buffer: memoryview) -> None:
        self._connection = connection
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.connection_made(cast("asyncio.Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer[: self._connection.room_bytes]

    def buffer_updated(self, nbytes: int) -> None:
        self._connection.data_received(self._buffer[:nbytes])

    def eof_received(self) -> None:
        self._connection.eof_received()

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()


def _answer(status: int, phrase: str, message: str) -> bytes:
    body = bytes(error_answer(status, message).body)
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def protocol_of(house: House) -> type[WatchedConnection]:
    """The class that uvicorn makes connections of."""
    return type("HouseConnection", (WatchedConnection,), {"house": house})

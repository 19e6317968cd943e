"""How much of a body a connection reads before anybody asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from embedded_server.domain.measures import Measures
from embedded_server.gate.connections import House, Reader, WatchedConnection, protocol_of
from embedded_server.gate.patience import Limits
from embedded_server.services.admission import Visitor

_MIB = 1 << 20
_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Line(asyncio.Transport):
    """Reads nothing by itself; knows whether it may."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        raise AssertionError("nobody is answered here")

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class _App:
    """Asks for the body when it is told to."""

    def __init__(self) -> None:
        self.may_ask = asyncio.Event()
        self.received: list[bytes] = []
        self.is_over = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        await self.may_ask.wait()
        has_more = True
        while has_more:
            message = await receive()
            assert message["type"] == "http.request"
            self.received.append(message["body"])
            has_more = message["more_body"]
        self.is_over.set()
        await asyncio.Event().wait()


def _framed(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)


def _connection(app: _App) -> WatchedConnection:
    visitor = Visitor("127.0.0.1", needs_key=False)
    house = House(Limits(), lambda _client, _server: visitor, 10, Measures())
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
    return protocol_of(house)(config=config, server_state=ServerState(), app_state={})


def _read(reader: Reader, sent: bytes) -> None:
    """As transports do it; what another connection reads next is written over it."""
    while sent:
        buffer = reader.get_buffer(-1)
        part, sent = sent[: len(buffer)], sent[len(buffer) :]
        buffer[: len(part)] = part
        reader.buffer_updated(len(part))
        buffer[: len(part)] = b"\xee" * len(part)


async def _read_ahead(block: Callable[[int], bytes], most_blocks: int) -> int:
    """The number of blocks that were read before anybody asked; then asks for all of them."""
    app, line = _App(), _Line()
    connection = _connection(app)
    reader = Reader(connection, memoryview(bytearray(Reader.BUFFER_BYTES)))
    reader.connection_made(line)
    _read(reader, _HEAD)
    sent = 0
    while line.is_read and sent < most_blocks:
        _read(reader, _framed(block(sent)))
        sent += 1
    app.may_ask.set()
    _read(reader, b"0\r\n\r\n")
    await asyncio.wait_for(app.is_over.wait(), 60)
    assert line.is_read
    assert b"".join(app.received) == b"".join(map(block, range(sent)))
    await _cancel(connection)
    return sent


async def _cancel(connection: WatchedConnection) -> None:
    tasks = list(connection.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("block_bytes", [10_000, 65_536, 262_144])
def test_a_mebibyte_is_read_ahead_and_no_more(block_bytes: int) -> None:
    sent = asyncio.run(_read_ahead(lambda number: bytes([number]) * block_bytes, 1_000))
    assert _MIB - block_bytes <= sent * block_bytes < _MIB + block_bytes


def test_a_line_that_brings_all_it_may_fills_no_more_than_a_mebibyte_and_a_read() -> None:
    """Also where the blocks that came before leave little room."""

    async def read_ahead() -> int:
        app, line = _App(), _Line()
        connection = _connection(app)
        reader = Reader(connection, memoryview(bytearray(Reader.BUFFER_BYTES)))
        reader.connection_made(line)
        _read(reader, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n")
        _read(reader, b"x" * (_MIB - 5_000))
        held = _MIB - 5_000
        while line.is_read:
            brought = len(reader.get_buffer(-1))
            reader.buffer_updated(brought)
            held += brought
        await _cancel(connection)
        return held

    assert _MIB - 5_000 < asyncio.run(read_ahead()) <= _MIB + 65_536


def test_blocks_of_a_byte_count_with_the_memory_they_take() -> None:
    sent = asyncio.run(_read_ahead(lambda number: bytes([number % 256]), 100_000))
    assert 1_000 < sent < 20_000

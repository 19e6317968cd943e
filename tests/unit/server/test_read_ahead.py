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
from embedded_server.gate.connections import House, protocol_of
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


async def _read_ahead(block: Callable[[int], bytes], most_blocks: int) -> int:
    """The number of blocks that were read before anybody asked; then asks for all of them."""
    app, line = _App(), _Line()
    visitor = Visitor("127.0.0.1", needs_key=False)
    house = House(Limits(), lambda _client, _server: visitor, 10, Measures())
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
    connection = protocol_of(house)(config=config, server_state=ServerState(), app_state={})
    connection.connection_made(line)
    connection.data_received(_HEAD)
    sent = 0
    while line.is_read and sent < most_blocks:
        connection.data_received(_framed(block(sent)))
        sent += 1
    app.may_ask.set()
    connection.data_received(b"0\r\n\r\n")
    await asyncio.wait_for(app.is_over.wait(), 60)
    assert line.is_read
    assert b"".join(app.received) == b"".join(map(block, range(sent)))
    for task in list(connection.tasks):
        task.cancel()
    await asyncio.gather(*connection.tasks, return_exceptions=True)
    return sent


@pytest.mark.parametrize("block_bytes", [10_000, 65_536, 262_144])
def test_a_mebibyte_is_read_ahead_and_no_more(block_bytes: int) -> None:
    sent = asyncio.run(_read_ahead(lambda number: bytes([number]) * block_bytes, 1_000))
    assert _MIB - block_bytes <= sent * block_bytes < _MIB + block_bytes


def test_blocks_of_a_byte_count_with_the_memory_they_take() -> None:
    sent = asyncio.run(_read_ahead(lambda number: bytes([number % 256]), 100_000))
    assert 1_000 < sent < 20_000

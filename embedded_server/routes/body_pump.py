"""Moves a request's body from the event loop to a worker thread, in pieces of about 1 MiB.

The loop only receives; parsing, digesting, writing and every wait for the disk happen in the
worker. A small body costs one hop. A large one is pipelined: while the worker takes one piece, the
loop gathers the next, and no more: memory stays flat however large the file is, because the server
stops reading from a socket whose bytes nobody asks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, NamedTuple, Protocol, TypeVar

from embedded_server.domain.errors import LakeError

PIECE_BYTES = 1 << 20
CLIENT_GONE_MESSAGE = "the connection ended before the file had arrived whole"
BUG_MESSAGE = "the server failed: look at its log"
STOPPING_MESSAGE = "the server was stopped before the file had arrived whole"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Result = TypeVar("_Result")
_Answer = TypeVar("_Answer", covariant=True)


class ClientGone(Exception):
    """Nobody is left to answer."""


class Piece(NamedTuple):
    data: bytes
    is_last: bool
    is_gone: bool  # the client went away before the body was whole

    @property
    def is_whole(self) -> bool:
        return self.is_last and not self.is_gone


class BodyConsumer(Protocol[_Answer]):
    def open(self) -> None: ...

    def feed(self, data: bytes) -> None: ...

    def finish(self) -> _Answer: ...

    def abort(self, message: str) -> None: ...


async def pump(
    receive: Receive,
    consumer: BodyConsumer[_Result],
    workers: Executor,
    first: Piece | None = None,
) -> _Result:
    """Returns what `finish` returns. Raises its `LakeError`s, or `ClientGone`.

    `first` is the piece that was received already, if any.

    Whatever is raised, `abort` was called, after the worker had left the consumer.
    """
    loop = asyncio.get_running_loop()
    run = copy_context().run  # what it writes into the log bears the request's id
    busy: asyncio.Future[Any] | None = None
    opened = False
    try:
        while True:
            data, is_last, is_gone = first or await next_piece(receive)
            first = None
            if busy is not None:
                await asyncio.shield(busy)
                busy = None
            if is_last and not is_gone:
                busy = done = loop.run_in_executor(
                    workers, run, _last_step, consumer, data, not opened
                )
                return await asyncio.shield(done)
            busy = loop.run_in_executor(workers, run, _step, consumer, data, not opened)
            opened = True
            if is_gone:
                await asyncio.shield(busy)
                raise ClientGone
    except BaseException as cause:
        if busy is not None:
            await _until_over(busy)
        aborted = loop.run_in_executor(workers, run, consumer.abort, _why(cause))
        await _until_over(aborted)
        aborted.result()
        raise


async def _until_over(work: asyncio.Future[Any]) -> None:
    """However often this is cancelled meanwhile: a thread cannot be, and whoever comes next must
    find the consumer left alone."""
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])


def _why(cause: BaseException) -> str:
    if isinstance(cause, LakeError):
        return cause.message
    if isinstance(cause, ClientGone):
        return CLIENT_GONE_MESSAGE
    if isinstance(cause, asyncio.CancelledError):
        return STOPPING_MESSAGE
    return BUG_MESSAGE


async def next_piece(receive: Receive) -> Piece:
    pieces: list[bytes] = []
    size_bytes = 0
    while size_bytes < PIECE_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Piece(b"".join(pieces), is_last=True, is_gone=True)
        piece = message.get("body", b"")
        pieces.append(piece)
        size_bytes += len(piece)
        if not message.get("more_body", False):
            return Piece(b"".join(pieces), is_last=True, is_gone=False)
    return Piece(b"".join(pieces), is_last=False, is_gone=False)


def _step(consumer: BodyConsumer[Any], data: bytes, is_first: bool) -> None:
    if is_first:
        consumer.open()
    consumer.feed(data)


def _last_step(consumer: BodyConsumer[_Result], data: bytes, is_first: bool) -> _Result:
    _step(consumer, data, is_first)
    return consumer.finish()

"""A TCP proxy that makes a network's faults between a client and a server, both of them real.

It passes bytes on without looking at them, but for the first line of each request, by which a test
chooses the requests that meet a fault: `proxy.fail("/sync/end", Fault(answer_bytes=0))`. Runs an
event loop in a thread of its own; every method may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

_PIECE_BYTES = 64 << 10
_METHODS = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"HEAD ", b"DELETE ", b"OPTIONS ")


class Break(Enum):
    """How both sides see the end of what the proxy passes on."""

    CLOSE = auto()  # FIN
    RESET = auto()  # RST
    SILENCE = auto()  # nothing: a black hole, half-open until the proxy ends


@dataclass(frozen=True, slots=True)
class Fault:
    """Breaks after so many bytes of the request (headers included), or else of its answer.

    `answer_bytes=0`: the server did the work, and its answer is lost.
    """

    request_bytes: int | None = None
    answer_bytes: int | None = None
    how: Break = Break.CLOSE


@dataclass(slots=True)
class _Armed:
    in_target: str
    fault: Fault
    times: int


class FaultProxy:
    """`to` is the server's port; 0 refuses every connection until `lead_to` names one."""

    def __init__(self, to: int = 0) -> None:
        self._to = to
        self._latency_s = 0.0
        self._bytes_per_s: float | None = None
        self._armed: list[_Armed] = []
        self._hits = threading.Condition()
        self._hit_count = 0
        self._counted = threading.Condition()
        self._sent_bytes = 0
        self._requests: list[str] = []
        self._open: set[_Line] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy")
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[str]:
        """Method and target of every request that came, in order."""
        return list(self._requests)

    @property
    def sent_bytes(self) -> int:
        """All that clients have sent to it, heads of requests included."""
        return self._sent_bytes

    def wait_for_sent_bytes(self, number: int, timeout_s: float = 60) -> None:
        """Raises `AssertionError` when so many do not come."""
        with self._counted:
            came = self._counted.wait_for(lambda: self._sent_bytes >= number, timeout_s)
        assert came, f"{self._sent_bytes} of {number} bytes were sent"

    def count(self, sent_bytes: int) -> None:
        with self._counted:
            self._sent_bytes += sent_bytes
            self._counted.notify_all()

    def lead_to(self, port: int) -> None:
        """From now on; open connections stay where they are. 0 is nobody."""
        assert port != self.port, "a proxy that leads to itself"
        self._to = port

    def slow_down(self, *, latency_s: float = 0.0, bytes_per_s: float | None = None) -> None:
        """Of every piece, in both directions; open connections too."""
        self._latency_s, self._bytes_per_s = latency_s, bytes_per_s

    def fail(self, in_target: str, fault: Fault, times: int = 1) -> None:
        """The next `times` requests whose target holds this text meet the fault."""
        self._armed.append(_Armed(in_target, fault, times))

    def wait_for_hits(self, number: int, timeout_s: float = 60) -> None:
        """Until so many faults have struck; raises `AssertionError`."""
        with self._hits:
            struck = self._hits.wait_for(lambda: self._hit_count >= number, timeout_s)
        assert struck, f"{self._hit_count} of {number} faults have struck"

    def sever(self, how: Break = Break.RESET) -> None:
        """Breaks every open connection."""

        async def all_of_them() -> None:
            for line in list(self._open):
                line.end(how)

        self._do(all_of_them())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, sock=self._listener)
        await self._ending.wait()
        server.close()
        while self._open:
            for line in self._open:
                line.end(Break.CLOSE)
            await asyncio.sleep(0)  # each takes itself out of the set

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            _reset(writer)
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        line = _Line(self, (reader, writer), upstream)
        self._open.add(line)
        try:
            await line.run()
        finally:
            self._open.discard(line)

    def fault_of(self, first_line: str) -> Fault | None:
        """Called for each request; takes one off the fault that it meets."""
        self._requests.append(first_line)
        for armed in self._armed:
            if armed.times > 0 and armed.in_target in first_line:
                armed.times -= 1
                return armed.fault
        return None

    def hit(self) -> None:
        with self._hits:
            self._hit_count += 1
            self._hits.notify_all()

    async def delay(self, size_bytes: int) -> None:
        seconds = self._latency_s
        if self._bytes_per_s is not None:
            seconds += size_bytes / self._bytes_per_s
        if seconds:
            await asyncio.sleep(seconds)

    @property
    def piece_bytes(self) -> int:
        """Small pieces make a low rate even."""
        if self._bytes_per_s is None:
            return _PIECE_BYTES
        return max(1, min(_PIECE_BYTES, int(self._bytes_per_s / 50)))


_Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    """One connection of a client and the one to the server that belongs to it."""

    def __init__(self, proxy: FaultProxy, client: _Side, server: _Side) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._fault: Fault | None = None
        self._passed = 0  # bytes of the request, then of its answer
        self._in_answer = True  # so that the first bytes begin a request
        self._over = asyncio.Event()

    async def run(self) -> None:
        ways = [
            asyncio.create_task(self._carry(self._from_client, self._to_server, self._request)),
            asyncio.create_task(self._carry(self._from_server, self._to_client, self._answer)),
        ]
        over = asyncio.create_task(self._over.wait())
        try:
            # One side's end ends the other: these are requests and answers, not half-open streams.
            await asyncio.wait([*ways, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in [*ways, over]:
                task.cancel()
            await asyncio.gather(*ways, over, return_exceptions=True)
            for writer in (self._to_client, self._to_server):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def end(self, how: Break) -> None:
        if how is Break.RESET:
            _reset(self._to_client)
            _reset(self._to_server)
        self._over.set()

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        allowed: Callable[[bytes], int | None],
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(self._proxy.piece_bytes):
                await self._proxy.delay(len(piece))
                left = allowed(piece)
                target.write(piece if left is None else piece[:left])
                await target.drain()
                if left is not None:
                    await self._strike()

    def _request(self, piece: bytes) -> int | None:
        """How many bytes of the piece may pass before the fault; None: all, and no fault."""
        self._proxy.count(len(piece))
        if self._in_answer and piece.startswith(_METHODS):
            self._in_answer = False
            self._passed = 0
            self._fault = self._proxy.fault_of(piece.split(b" HTTP/", 1)[0].decode("latin-1"))
        return self._until_fault(piece, self._fault.request_bytes if self._fault else None)

    def _answer(self, piece: bytes) -> int | None:
        if not self._in_answer:
            self._in_answer = True
            self._passed = 0
        return self._until_fault(piece, self._fault.answer_bytes if self._fault else None)

    def _until_fault(self, piece: bytes, limit: int | None) -> int | None:
        passed, self._passed = self._passed, self._passed + len(piece)
        return None if limit is None or self._passed <= limit else max(limit - passed, 0)

    async def _strike(self) -> None:
        assert self._fault is not None
        self._proxy.hit()
        if self._fault.how is Break.SILENCE:
            await self._over.wait()
        self.end(self._fault.how)
        await asyncio.Event().wait()  # `run` cancels this


def _reset(writer: asyncio.StreamWriter) -> None:
    """An abortive close: the other side meets RST instead of FIN."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def fault_proxy(to: int = 0) -> Iterator[FaultProxy]:
    proxy = FaultProxy(to)
    try:
        yield proxy
    finally:
        proxy.close()

"""A socket that plays a script: raw answers, cuts and silences, one a request.

Runs in threads of the test's own process. `seen` holds every request as it came, head and body.
A script shorter than the requests plays its last line again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TICK_S = 0.02
_LONGEST_SEND_S = 30.0
_READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answering:
    """Reads the whole request, then sends `raw`; `then_close` ends the connection after it."""

    raw: bytes
    then_close: bool = False


@dataclass(frozen=True, slots=True)
class AnsweringEarly:
    """Sends `raw` after `body_bytes` of the body, reads no more, and closes."""

    raw: bytes
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cutting:
    """Closes after `body_bytes` of the body, or (None) all of it; by reset with `reset`."""

    body_bytes: int | None = None
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Reads the whole request (with `read_body` False, only its head) and never answers."""

    read_body: bool = True


Line = Answering | AnsweringEarly | Cutting | Silence


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """`target` is path and query as sent; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


def http(
    status: int, body: bytes | str, content_type: str = "application/json", **headers: str
) -> Answering:
    """A proper answer; header names with `_` for `-`."""
    raw_body = body.encode() if isinstance(body, str) else body
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(raw_body)}\r\n{more}\r\n"
    )
    return Answering(head.encode() + raw_body)


class StubServer:
    """`address` is an http (with `tls`, an https) origin on 127.0.0.1."""

    def __init__(self, script: list[Line], tls: ssl.SSLContext | None) -> None:
        self.seen: list[SeenRequest] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(_TICK_S)
        self._threads = [threading.Thread(target=self._accept)]
        scheme = "http" if tls is None else "https"
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.address = f"{scheme}://{self.host}"

    def start(self) -> None:
        self._threads[0].start()

    def stop(self) -> None:
        self._ending.set()
        self._threads[0].join()  # nobody starts a thread after this one ended
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.connections))
                self._threads.append(thread)
                thread.start()

    def _serve(self, raw: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), raw:  # a client that leaves is no fault of ours
            raw.settimeout(_TICK_S)
            if self._tls is not None:
                raw.settimeout(None)
                raw = self._tls.wrap_socket(raw, server_side=True)
                raw.settimeout(_TICK_S)
            with raw:
                while self._play(raw, number):
                    pass

    def _play(self, connection: socket.socket, number: int) -> bool:
        """Answers one request; False when the connection is to be closed."""
        start, is_whole = self._read_until(connection, lambda data: b"\r\n\r\n" in data)
        if not is_whole:
            return False
        head, _, body = start.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        method, target, _ = first.split(" ")
        with self._lock:
            line = self._script[min(len(self.seen), len(self._script) - 1)]
            place = len(self.seen)
            self.seen.append(SeenRequest(method, target, headers, b"", number))
        wanted = _body_bytes_wanted(line, length)
        came, is_whole = self._read_until(connection, lambda data: len(data) >= wanted, body)
        with self._lock:
            self.seen[place] = SeenRequest(method, target, headers, came, number)
        if not is_whole:
            return False
        match line:
            case Answering(raw, then_close):
                connection.settimeout(_LONGEST_SEND_S)
                connection.sendall(raw)
                connection.settimeout(_TICK_S)
                return not then_close
            case AnsweringEarly(raw, _):
                connection.sendall(raw)
                return False
            case Cutting(_, reset):
                if reset:  # an abortive close: RST instead of FIN
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            case Silence():
                self._ending.wait()
                return False

    def _read_until(
        self, connection: socket.socket, is_enough: Callable[[bytearray], bool], data: bytes = b""
    ) -> tuple[bytes, bool]:
        """What came, and whether it was enough: else the client left, or the test is over."""
        came = bytearray(data)
        while not is_enough(came):
            try:
                piece = connection.recv(_READ_BYTES)
            except TimeoutError:  # nothing is on its way, so what was sent is also read
                if self._ending.is_set():
                    return bytes(came), False
                continue
            except ConnectionError:
                piece = b""
            if not piece:
                return bytes(came), False
            came += piece
        return bytes(came), True


def _body_bytes_wanted(line: Line, length: int) -> int:
    match line:
        case AnsweringEarly(_, body_bytes):
            return body_bytes
        case Cutting(int() as body_bytes, _):
            return body_bytes
        case Silence(False):
            return 0
    return length


@contextlib.contextmanager
def stub_server(*script: Line, tls: ssl.SSLContext | None = None) -> Iterator[StubServer]:
    server = StubServer(list(script), tls)
    server.start()
    try:
        yield server
    finally:
        server.stop()

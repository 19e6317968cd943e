"""HTTP/1.1 byte by byte, for requests that no client library would send."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from embedded_server.contract import ErrorAnswer, ErrorReason

# No bar: how long a loaded machine may take before the test calls it hung.
HUNG_S = 60.0
_REASONS = frozenset(reason.value for reason in ErrorReason)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def error(self) -> ErrorAnswer:
        """The refusal in the contract's shape; an assertion fails where it is none."""
        assert 400 <= self.status < 500, f"not a refusal: {self.status} {self.body[:500]!r}"
        assert self.headers["content-type"] == "application/json", self
        told = self.json
        assert set(told) == {"code", "reason", "message"}, told
        assert told["code"] == self.status, self
        assert told["reason"] in _REASONS, told
        assert told["message"], told
        return ErrorAnswer.from_wire(told)


class ConnectionEnded(Exception):
    """The server closed or reset before a whole answer; holds what came."""


class Wire:
    """One connection at a time, kept open between requests and opened again when it is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None
        self._waiting = b""

    def open(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), HUNG_S)
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._waiting = b""
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def exchange(self, request: bytes) -> Answer:
        """Sends it and reads one answer; raises `ConnectionEnded`."""
        was_open = self._connection is not None
        try:
            self.send(request)
            return self.read(has_body=not request.startswith(b"HEAD "))
        except ConnectionEnded as ended:
            self.close()
            if not was_open or ended.args[0]:
                raise
        self.send(request)  # the kept connection had been closed meanwhile
        return self.read(has_body=not request.startswith(b"HEAD "))

    def send(self, data: bytes) -> None:
        """As much as the server takes: it may answer, and close, before the end."""
        connection = self.open()
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return  # it has answered; what it said can still be read

    def finish_sending(self) -> None:
        """Tells the server that no more will come; answers can still be read."""
        try:
            self.open().shutdown(socket.SHUT_WR)
        except OSError:
            return

    def read(self, *, has_body: bool = True) -> Answer:
        """One answer; raises `ConnectionEnded`."""
        while True:
            head, end, _ = self._waiting.partition(b"\r\n\r\n")
            if not end:
                self._more()
                continue
            status, headers = _head_of(head)
            if status >= 200:
                break
            self._waiting = self._waiting[len(head) + 4 :]  # 100 Continue
        self._waiting = self._waiting[len(head) + 4 :]
        body = b""
        if has_body and status not in (204, 304):
            body = self._chunked() if "transfer-encoding" in headers else self._sized(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        try:
            while True:
                self._more()
        except ConnectionEnded:
            rest, self._waiting = self._waiting, b""
            return rest

    def rest_of_head(self) -> bytes:
        """What comes up to the next empty line, with it."""
        while b"\r\n\r\n" not in self._waiting:
            self._more()
        return self._take(self._waiting.index(b"\r\n\r\n") + 4)

    def _sized(self, headers: dict[str, str]) -> bytes:
        if "content-length" not in headers:
            return self.rest()
        return self._take(int(headers["content-length"]))

    def _chunked(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._waiting:
                self._more()
            size = int(self._waiting.partition(b"\r\n")[0], 16)
            self._take(self._waiting.index(b"\r\n") + 2)
            piece = self._take(size + 2)[:-2]
            if not size:
                return body
            body += piece

    def _take(self, size: int) -> bytes:
        while len(self._waiting) < size:
            self._more()
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def _more(self) -> None:
        if self._connection is None:
            raise ConnectionEnded(self._waiting)
        try:
            piece = self._connection.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise ConnectionEnded(self._waiting)
        self._waiting += piece

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.close()


class _Said(Wire):
    """Reads what was said already."""

    def __init__(self, said: bytes) -> None:
        super().__init__(0)
        self._waiting = said

    def has_more(self) -> bool:
        return bool(self._waiting)


def all_answers(said: bytes, *, has_body: bool = True) -> list[Answer]:
    """All that a server said; raises `ConnectionEnded` where the last answer is not whole."""
    wire = _Said(said)
    answers = []
    while wire.has_more():
        answers.append(wire.read(has_body=has_body))
    return answers


def _head_of(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), {name.lower(): text.strip() for name, _, text in pairs}


def request(
    method: str,
    target: bytes | str,
    port: int,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> bytes:
    """A sound request; `target` is sent as it is."""
    path = target if isinstance(target, bytes) else target.encode("ascii")
    lines = [f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    if body or method in ("POST", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    return method.encode("ascii") + b" " + path + b" HTTP/1.1\r\n" + head + b"\r\n" + body

"""Clients that hold on to a connection without using it are let go."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support.real_server import RealServer
from tests.support.tls import SERVE_WITH_TLS

IMPATIENT = ("-m", "embedded_server", "--head-timeout", "1", "--idle-timeout", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    lake = tmp_path_factory.mktemp("slow") / "lake"
    with RealServer(lake, program=IMPATIENT) as running:
        yield running


@pytest.fixture
def line(server: RealServer) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        yield connection


def _head(server: RealServer, method: str = "GET", target: str = contract.LIST_ROUTE) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()


def _until_closed(connection: socket.socket) -> bytes:
    """All that comes; returns once the server has closed, else the test's own time runs out."""
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
    except ConnectionError:
        pass
    return came


def _trickle(connection: socket.socket, drop: bytes) -> bytes:
    """Sends `drop` again and again until the server has closed; what it said."""
    came = b""
    connection.settimeout(0.05)  # the pace of the drops
    while True:
        try:
            piece = connection.recv(65_536)
        except TimeoutError:
            try:
                connection.sendall(drop)
            except ConnectionError:
                return came
        except ConnectionError:
            return came
        else:
            came += piece
            if not piece:
                return came


def test_a_client_that_says_nothing_is_let_go(line: socket.socket) -> None:
    assert _until_closed(line).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_trickles_is_let_go(line: socket.socket, server: RealServer) -> None:
    line.sendall(_head(server))
    assert _trickle(line, b"X-a: b\r\n").startswith(b"HTTP/1.1 408 ")


def test_the_next_head_on_a_kept_connection_may_not_trickle_either(
    line: socket.socket, server: RealServer
) -> None:
    line.sendall(_head(server) + b"\r\n")
    assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
    # Line breaks before a request are no request: the parser says nothing of them.
    assert b"HTTP/1.1 408 " in _trickle(line, b"\r\n")


def test_an_endless_head_is_refused(line: socket.socket, server: RealServer) -> None:
    line.sendall(_head(server))
    try:
        for _ in range(1_000):
            line.sendall(b"X-a: " + b"b" * 1_000 + b"\r\n")
    except ConnectionError:
        return
    assert _until_closed(line).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("drop", [b"", b"x"])
def test_a_body_that_stands_still_is_let_go_and_its_file_is_gone(
    server: RealServer, drop: bytes
) -> None:
    with Client(server, f"/data/still{len(drop)}") as client:
        sync_id = client.started()
        head = _head(server, "POST", f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}")
        head += b"Content-Length: 100000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        with socket.create_connection(("127.0.0.1", server.port), 60) as line:
            line.sendall(head + part + b"some")
            said = _trickle(line, drop) if drop else _until_closed(line)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert client.end(sync_id).json() == {"success": True}
        assert client.published() == {}
        assert list((server.lake / ".lakedrop/incoming").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="polls for a reset without reading")
def test_who_does_not_read_the_answers_is_let_go(server: RealServer) -> None:
    with Client(server, "/data/unread") as client:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: client.start(name="x" * 1_000), range(100)))
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            line.settimeout(60)
            line.connect(("127.0.0.1", server.port))
            asked = _head(server, "GET", contract.LIST_ROUTE + "?size=1000") + b"\r\n"
            line.sendall(asked * 200)  # some 20 MB of answers, more than all buffers hold
            poll = select.poll()
            poll.register(line, select.POLLERR | select.POLLHUP)
            assert poll.poll(60_000), "it goes on offering them"
        assert client.http.get(contract.LIST_ROUTE).status_code == 200


def test_a_client_that_never_begins_its_handshake_is_let_go(tmp_path: Path) -> None:
    program = (*IMPATIENT, *SERVE_WITH_TLS)
    with (
        RealServer(tmp_path / "lake", program=program) as server,
        # Less than the minute that the event loop would give it.
        socket.create_connection(("127.0.0.1", server.port), 30) as line,
    ):
        assert _until_closed(line) == b""


def test_others_are_served_while_many_hold_on(tmp_path: Path) -> None:
    program = [
        "-c",
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))\n"
        "from embedded_server.__main__ import main\n"
        "sys.exit(main())",
    ]
    with RealServer(tmp_path / "lake", program=program) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), 60) for _ in range(200)]
        try:
            for connection in held[100:]:
                try:
                    connection.sendall(_head(server))
                except ConnectionError:
                    continue  # it has given way already
            with httpx.Client(base_url=server.address, timeout=60) as http:
                for _ in range(20):
                    assert http.get(contract.LIST_ROUTE).status_code == 200
        finally:
            for connection in held:
                connection.close()

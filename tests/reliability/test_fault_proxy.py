"""The proxy itself: a fault that does not strike would let every promise about networks pass."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.support.fault_proxy import Break, Fault, FaultProxy, fault_proxy
from tests.support.stub_server import StubServer, http, stub_server

ANSWER = b"0123456789"


@pytest.fixture
def server() -> Iterator[StubServer]:
    with stub_server(http(200, ANSWER)) as made:
        yield made


@pytest.fixture
def proxy(server: StubServer) -> Iterator[FaultProxy]:
    with fault_proxy(port_of(server)) as made:
        yield made


def port_of(server: StubServer) -> int:
    return int(server.address.rpartition(":")[2])


def request(target: str, body: bytes = b"") -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer_to(connection: socket.socket, raw: bytes) -> bytes:
    """All that came until the whole answer was there, or the connection's end, by FIN or RST."""
    connection.settimeout(30)
    came = b""
    with contextlib.suppress(ConnectionError):
        connection.sendall(raw)
        while not came.endswith(ANSWER):
            piece = connection.recv(4096)
            if not piece:
                break
            came += piece
    return came


def connected(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port))


def test_without_a_fault_everything_passes(server: StubServer, proxy: FaultProxy) -> None:
    body = bytes(range(256)) * 2_000
    with connected(proxy) as connection:
        for target in ("/one", "/two"):
            assert answer_to(connection, request(target, body)).endswith(ANSWER)
    assert [seen.body for seen in server.seen] == [body, body]
    assert proxy.requests == ["POST /one", "POST /two"]


@pytest.mark.parametrize("how", [Break.CLOSE, Break.RESET])
def test_a_lost_answer_is_lost_after_the_work(
    server: StubServer, proxy: FaultProxy, how: Break
) -> None:
    proxy.fail("/two", Fault(answer_bytes=0, how=how))
    with connected(proxy) as connection:
        assert answer_to(connection, request("/one")).endswith(ANSWER)
        connection.sendall(request("/two", b"body"))
        if how is Break.RESET:
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert connection.recv(1) == b""
    assert server.seen[-1].body == b"body"
    proxy.wait_for_hits(1)
    with connected(proxy) as connection:  # once is once
        assert answer_to(connection, request("/two")).endswith(ANSWER)


@pytest.mark.parametrize("passed", [0, 1, 17, 40])
def test_a_request_is_cut_at_that_byte(server: StubServer, proxy: FaultProxy, passed: int) -> None:
    raw = request("/cut", bytes(100_000))
    proxy.fail("/cut", Fault(request_bytes=passed))
    with connected(proxy) as connection:
        assert answer_to(connection, raw) == b""
    proxy.wait_for_hits(1)
    assert server.seen == []


def test_an_answer_is_cut_at_that_byte(proxy: FaultProxy) -> None:
    proxy.fail("/cut", Fault(answer_bytes=20))
    with connected(proxy) as connection:
        assert len(answer_to(connection, request("/cut"))) == 20


def test_a_black_hole_says_nothing_until_the_proxy_ends(
    server: StubServer, proxy: FaultProxy
) -> None:
    proxy.fail("/gone", Fault(request_bytes=30, how=Break.SILENCE))
    with connected(proxy) as connection, connected(proxy) as other:
        connection.sendall(request("/gone", bytes(1000)))
        proxy.wait_for_hits(1)
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert answer_to(other, request("/here")).endswith(ANSWER)
        proxy.sever(Break.CLOSE)
        connection.settimeout(30)
        assert connection.recv(1) == b""
    assert [seen.target for seen in server.seen] == ["/here"]


def test_nobody_there_refuses_and_somebody_else_takes_over(server: StubServer) -> None:
    with fault_proxy() as proxy:
        with connected(proxy) as connection:
            assert answer_to(connection, request("/")) == b""
        proxy.lead_to(port_of(server))
        with connected(proxy) as connection:
            assert answer_to(connection, request("/")).endswith(ANSWER)


def test_a_slow_network_brings_everything_in_the_end(server: StubServer, proxy: FaultProxy) -> None:
    proxy.slow_down(latency_s=0.001, bytes_per_s=1_000_000)
    with connected(proxy) as connection:
        assert answer_to(connection, request("/", bytes(50_000))).endswith(ANSWER)
    assert server.seen[0].body == bytes(50_000)

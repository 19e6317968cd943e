"""Names of a server, and whose a connection is."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server.gate.names import ServerNames
from embedded_server.gate.peers import Endpoint, Peers
from embedded_server.gate.visitors import Neighbours, Strangers
from embedded_server.services.admission import Visitor

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's own tables")


def test_a_server_knows_its_names_with_and_without_a_usual_port() -> None:
    names = ServerNames.of("https", "0.0.0.0", 8640, ["Lake.example.org", "other.example:443"])
    assert names.hosts == {
        b"127.0.0.1:8640",
        b"localhost:8640",
        b"[::1]:8640",
        b"lake.example.org:8640",
        b"other.example:443",
        b"other.example",
    }
    assert b"https://lake.example.org:8640" in names.origins
    assert not any(origin.startswith(b"http://") for origin in names.origins)
    assert b"localhost" in ServerNames.of("http", "127.0.0.1", 80).hosts
    assert b"localhost" not in ServerNames.of("https", "127.0.0.1", 80).hosts
    assert b"10.0.0.5:8640" in ServerNames.of("http", "10.0.0.5", 8640).hosts
    assert b"[fd00::5]:8640" in ServerNames.of("http", "fd00::5", 8640).hosts


# Ends of a connection as /proc/net tells them on a little-endian machine; the fourth is a closed
# socket, which is told as root's whoever it was.
_TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:21C0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1
   1: 0100007F:D431 0100007F:21C0 01 00000000:00000000 00:00000000 00000000  1001        0 12 1
   2: 0100007F:21C0 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 13 1
   3: 0100007F:D432 0100007F:21C0 05 00000000:00000000 00:00000000 00000000     0        0 0 1
"""
_TABLE_6 = """\
  sl  local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 0000000000000000FFFF00000100007F:D433 0000000000000000FFFF00000100007F:21C0 01 0:0 0:0 0 1002 0 14 1
   1: 00000000000000000000000001000000:D434 00000000000000000000000001000000:21C0 01 0:0 0:0 0 1003 0 15 1
"""  # noqa: E501  # as long as the kernel's own


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is one of a little-endian machine")
@pytest.mark.parametrize(
    ("peer", "here", "uid"),
    [
        (("127.0.0.1", 0xD431), ("127.0.0.1", 8640), 1001),
        (("::ffff:127.0.0.1", 0xD431), ("::ffff:127.0.0.1", 8640), 1001),
        (("127.0.0.1", 0xD432), ("127.0.0.1", 8640), None),
        (("127.0.0.1", 0xD433), ("127.0.0.1", 8640), 1002),
        (("::1", 0xD434), ("::1", 8640), 1003),
        (("127.0.0.1", 0xD435), ("127.0.0.1", 8640), None),
    ],
)
def test_the_tables_of_the_kernel_are_read(
    tmp_path: Path, peer: Endpoint, here: Endpoint, uid: int | None
) -> None:
    (tmp_path / "tcp").write_text(_TABLE)
    (tmp_path / "tcp6").write_text(_TABLE_6)
    assert Peers(tmp_path, ask_kernel=False).uid_of(peer, here) == uid


def test_without_tables_nobody_is_known(tmp_path: Path) -> None:
    peers = Peers(tmp_path / "none", ask_kernel=False)
    assert peers.uid_of(("127.0.0.1", 5), ("127.0.0.1", 8640)) is None
    assert Neighbours(peers, 1000)(("127.0.0.1", 5), ("127.0.0.1", 8640)).needs_key
    assert Neighbours(peers, 1000)(None, None).needs_key


Connection = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """(the client's end, the server's); the third kind listens on both families at once."""
    mapped = request.param.startswith("::ffff")
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listener:
        try:
            if mapped:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(("::" if mapped else request.param, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {request.param}: {error}")
        listener.listen()
        target = "127.0.0.1" if mapped else request.param
        client = socket.create_connection((target, listener.getsockname()[1]))
        accepted, _ = listener.accept()
        with client, accepted:
            yield client, accepted


@linux_only
@pytest.mark.parametrize("ask_kernel", [True, False])
def test_the_kernel_tells_whose_a_connection_is(connection: Connection, ask_kernel: bool) -> None:
    client, accepted = connection
    peers = Peers(ask_kernel=ask_kernel)
    ends = accepted.getpeername()[:2], accepted.getsockname()[:2]
    assert peers.uid_of(*ends) == os.geteuid()
    assert peers.uid_of(("127.0.0.1", 1), ends[1]) is None
    # On the client's port nothing listens; on the server's own, a listener is nobody's connection.
    assert peers.uid_of(ends[1], ("127.0.0.1", 1)) is None
    client.close()
    assert peers.uid_of(*ends) is None, "a closed socket is told as root's"
    peers.close()


def test_a_stranger_is_known_by_an_address_or_a_network() -> None:
    strangers = Strangers()
    assert strangers(("10.1.2.3", 5), None) == Visitor("10.1.2.3", needs_key=True)
    assert strangers(("::ffff:10.1.2.3", 5), None).name == "10.1.2.3"
    assert strangers(("2001:db8:1:2:3:4:5:6", 5), None).name == "2001:db8:1:2::"
    assert strangers(("fe80::1%eth0", 5), None).name == "fe80::"
    assert strangers(None, None).needs_key


def test_where_a_system_tells_no_users_loopback_is_enough() -> None:
    assert Neighbours(Peers(ask_kernel=False), None)(None, None) == Visitor(
        "this machine", needs_key=False
    )

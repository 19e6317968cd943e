"""Which user of this machine is at the other end of a connection (Linux).

Loopback is shared by all users of a machine, so "from this machine" does not mean "from the one
who runs the server". The kernel tells whose socket the other end is: asked for one connection by
sock_diag(7), which costs the same however many connections there are; where that is not to be had,
by reading all of /proc/net/tcp and tcp6.

A socket whose process closed it has no inode and is told as user 0, whoever made it: that is
nobody, else a stranger could send, close, and pass for root.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from ipaddress import IPv6Address, ip_address
from pathlib import Path

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST = 1  # NLM_F_REQUEST
_HEADER = struct.Struct("=LHHLL")
_ASKED = struct.Struct("=BBBxL")
_SOCKET_ID = struct.Struct("!HH16s16s")  # ports and addresses are in network order
_NO_COOKIE = struct.pack("=LLL", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # and any interface
_TOLD = struct.Struct("=BBBB48sLLLLL")
_ALL_STATES = 0xFFFFFFFF
_LISTENING = 10
_LONGEST_ANSWER_BYTES = 8_192
_LONGEST_WAIT_S = 1.0

Endpoint = tuple[str, int]


class Peers:
    """Asks the kernel; used by the event loop's thread alone."""

    def __init__(self, proc_net: Path = Path("/proc/net"), *, ask_kernel: bool = True) -> None:
        self._proc_net = proc_net
        self._netlink = _netlink() if ask_kernel else None

    def uid_of(self, peer: Endpoint, here: Endpoint) -> int | None:
        """The user whose socket `peer` is, connected to `here`; None when nobody can tell."""
        peer, here = _plain(peer), _plain(here)
        if self._netlink is not None:
            try:
                return self._asked(self._netlink, peer, here)
            except OSError:
                self._netlink.close()
                self._netlink = None
        return self._read(peer, here)

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    @staticmethod
    def _asked(netlink: socket.socket, peer: Endpoint, here: Endpoint) -> int | None:
        family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
        wanted = _SOCKET_ID.pack(peer[1], here[1], _packed(peer[0]), _packed(here[0]))
        asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES) + wanted + _NO_COOKIE
        netlink.send(_HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST, 0, 0) + asked)
        answer = netlink.recv(_LONGEST_ANSWER_BYTES)
        if len(answer) < _HEADER.size + _TOLD.size or _HEADER.unpack_from(answer)[1] != _BY_FAMILY:
            return None  # "no such socket" comes as a short error message
        told = _TOLD.unpack_from(answer, _HEADER.size)
        state, found, uid, inode = told[1], told[4], told[8], told[9]
        # Without a connection of these four the kernel tells of a listener on the port.
        if state == _LISTENING or found[: len(wanted)] != wanted or not inode:
            return None
        return int(uid)

    def _read(self, peer: Endpoint, here: Endpoint) -> int | None:
        for name, ends in (
            ("tcp", (_hex(peer), _hex(here))),
            ("tcp6", (_hex(peer, mapped=True), _hex(here, mapped=True))),
        ):
            try:
                with (self._proc_net / name).open(encoding="ascii") as table:
                    for line in table:
                        fields = line.split()
                        if (fields[1], fields[2]) == ends:
                            return int(fields[7]) if int(fields[9]) else None
            except (OSError, ValueError, IndexError):
                continue
        return None


def own_uid() -> int | None:
    """None where a peer's user cannot be told at all: there loopback has to be enough."""
    return os.geteuid() if sys.platform == "linux" else None


def _netlink() -> socket.socket | None:
    if sys.platform != "linux":
        return None
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
        opened.settimeout(_LONGEST_WAIT_S)
        opened.connect((0, 0))
    except OSError:
        return None
    return opened


def _plain(end: Endpoint) -> Endpoint:
    """An IPv4 address that a socket of both kinds tells as ::ffff:127.0.0.1, as itself."""
    address = ip_address(end[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address), end[1]


def _packed(address: str) -> bytes:
    return ip_address(address).packed.ljust(16, b"\0")


def _hex(end: Endpoint, *, mapped: bool = False) -> str:
    """As /proc/net writes it: words of four bytes in the machine's own order, then the port."""
    packed = ip_address(end[0]).packed
    if mapped and len(packed) == 4:
        packed = b"\0" * 10 + b"\xff\xff" + packed
    words = struct.unpack(f"={len(packed) // 4}L", packed)
    return "".join(f"{word:08X}" for word in words) + f":{end[1]:04X}"

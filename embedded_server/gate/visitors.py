"""Whose connection it is, as far as the network and the kernel tell."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from embedded_server.gate.peers import Endpoint, Peers
from embedded_server.services.admission import Visitor

_IPV6_NETWORK_BITS = 64  # who has one such address has all of its network


class Strangers:
    """A strict server: everybody needs a key, and is known by an address."""

    def __call__(self, client: Endpoint | None, _here: tuple[str, int | None] | None) -> Visitor:
        return Visitor("unknown" if client is None else _network_of(client[0]), needs_key=True)


class Neighbours:
    """A local server: its own user's programs are at home, those of others need a key.

    Root is one of the others: what a proxy or a tunnel that runs as root passes on is not local.
    `own_uid` None: this system does not tell whose a connection is, so loopback has to be enough.
    """

    def __init__(self, peers: Peers, own_uid: int | None) -> None:
        self._peers = peers
        self._own_uid = own_uid

    def __call__(self, client: Endpoint | None, here: tuple[str, int | None] | None) -> Visitor:
        if self._own_uid is None:
            return Visitor("this machine", needs_key=False)
        uid = None
        if client is not None and here is not None and here[1] is not None:
            uid = self._peers.uid_of(client, (here[0], here[1]))
        if uid is None:
            return Visitor("an unknown user", needs_key=True)
        return Visitor(f"user {uid}", needs_key=uid != self._own_uid)


def _network_of(text: str) -> str:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        host_bits = address.max_prefixlen - _IPV6_NETWORK_BITS
        return str(IPv6Address(int(address) >> host_bits << host_bits))
    return text

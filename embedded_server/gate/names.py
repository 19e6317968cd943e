"""The names that a server answers to, as clients write them into `Host` and `Origin`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ServerNames:
    """Lower case, as bytes, because that is how headers come."""

    hosts: frozenset[bytes]
    origins: frozenset[bytes]

    @classmethod
    def of(cls, scheme: str, address: str, port: int, names: Sequence[str] = ()) -> ServerNames:
        """`address` and `port` are listened on; `names` are `host` or `host:port`."""
        own = [*LOOPBACK_NAMES]
        if address not in ANY_ADDRESS:
            own.append(f"[{address}]" if ":" in address else address)
        hosts: set[str] = set()
        for name in (*own, *names):
            host, name_port = _split(name.lower(), port)
            hosts.add(f"{host}:{name_port}")
            if name_port == _USUAL_PORTS[scheme]:
                hosts.add(host)
        written = frozenset(host.encode("ascii") for host in hosts)
        return cls(written, frozenset(scheme.encode() + b"://" + host for host in written))


def _split(name: str, port: int) -> tuple[str, int]:
    host, colon, digits = name.rpartition(":")
    if colon and digits.isdecimal():
        return host, int(digits)
    return name, port

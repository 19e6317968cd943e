"""Where a job's files go: the local lake, a named remote, or a server given by its address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain import sentences
from app.domain.errors import ConnectionNotUsable

LOCAL = "local"

_NAME = re.compile(r"[\w][\w .-]{0,63}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Connection:
    """A named remote, or (`name` empty) a server given by its address for one command.

    `base_url` is an origin, optionally with a path prefix, without a trailing slash; it is empty
    for the local lake, whose address the engine finds. Keys never stand here.
    """

    name: str
    base_url: str = ""
    allow_plain_http: bool = False
    ca_file: str = ""  # PEM: who else is trusted to vouch for the server
    client_certificate: str = ""  # PEM: what we show to a server that asks who we are
    client_key: str = ""  # PEM, without a password; "" where it stands in the certificate's file
    unverified: bool = False  # anybody may pass for the server: the user's own, loud choice

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    @property
    def label(self) -> str:
        return self.name or self.base_url


LOCAL_LAKE = Connection(LOCAL)


def checked_name(name: str) -> str:
    """Raises `ConnectionNotUsable` for a name that is empty, odd, or the local lake's own."""
    if name.casefold() == LOCAL:
        raise ConnectionNotUsable(f'"{LOCAL}" is the local lake\'s own name. Choose another one.')
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ConnectionNotUsable(
            f"{name!r} is no good as a name: use letters, digits, spaces, '.', '-' or '_', "
            "64 at the most."
        )
    return name


def checked_base_url(url: str, *, allow_plain_http: bool) -> str:
    """The origin (and prefix) to send to, without a trailing slash.

    Raises `ConnectionNotUsable`: no http(s) address, credentials or a query in it, or plain http
    to another machine without the user's own consent, since the key would travel readable.
    """
    try:
        parts = urlsplit(url.strip())
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    odd = any(not character.isprintable() or character == " " for character in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or odd:
        raise ConnectionNotUsable(
            "The address must look like https://client.example.com; got something else."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConnectionNotUsable(
            "The address must not hold a user name, a password, a query or a fragment. "
            "Give the API key separately."
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not allow_plain_http:
        raise ConnectionNotUsable(
            f"http://{parts.hostname} is not encrypted: everybody on the way could read the key "
            "and the data. Use https://, or allow plain http for this connection (on the command "
            "line: --allow-plain-http)."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def origin(base_url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a checked address: who would get a key that is sent there."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def is_open_to_others(url: str) -> bool:
    """Whether this goes in plain http to another machine; never raises, whatever was typed."""
    try:
        parts = urlsplit(url.strip())
        return parts.scheme == "http" and parts.hostname not in _LOOPBACK
    except ValueError:  # such as a lone bracket
        return False


def is_same_server(one: str, other: str) -> bool:
    """Whether both addresses have one origin, so that a key for one may go to the other; not so
    for what is no address."""
    try:
        return origin(one) == origin(other)
    except ValueError:
        return False


def no_key(label: str) -> ConnectionNotUsable:
    return ConnectionNotUsable(sentences.NO_KEY(label=label))


def no_keyring() -> ConnectionNotUsable:
    return ConnectionNotUsable(sentences.NO_KEYRING(way_out=sentences.NO_KEYRING_WAY_OUT()))

"""Reads and writes the headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.tus_upload import TusRefused
from embedded_server.routes.multipart_headers import sha256_of_digest_header

if TYPE_CHECKING:
    from hashlib import _Hash

TUS_VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
BODY_TYPE = "application/offset+octet-stream"
_MAX_METADATA_CHARACTERS = 8_192
_SHA256_CHARACTERS = 64

# SHA-1 is there because tuspy sends nothing else; it guards against accidents, not against people.
_ALGORITHMS: dict[str, Callable[[], _Hash]] = {
    "sha256": hashlib.sha256,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
}
CHECKSUM_ALGORITHMS = ",".join(_ALGORITHMS)


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; of a header that comes twice, which none here may, both are kept apart by
    a comma as RFC 9110 reads them: a number with a comma in it is then refused."""
    found: dict[str, str] = {}
    for name, value in pairs:
        text = value.decode("latin-1").strip()
        key = name.decode("latin-1").lower()
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def check_version(headers: Mapping[str, str]) -> None:
    if headers.get("tus-resumable") != TUS_VERSION:
        raise TusRefused(412, f"this server speaks tus {TUS_VERSION}: send it in Tus-Resumable")


def number_in(headers: Mapping[str, str], name: str, most: int) -> int:
    """Raises `InvalidParam`, or `TusRefused` (413) for one that is larger than `most`."""
    text = headers.get(name.lower())
    if text is None:
        raise InvalidParam(f"the header {name} is missing")
    if not (text.isascii() and text.isdecimal()) or len(text) > 20:
        raise InvalidParam(f"the header {name} must be a whole number of bytes")
    if int(text) > most:
        raise TusRefused(413, f"{name}: the server takes files of up to {most} bytes")
    return int(text)


def is_body_of_upload(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").split(";", 1)[0].strip().lower() == BODY_TYPE


@dataclass(frozen=True, slots=True)
class Metadata:
    """What LakeDrop reads of Upload-Metadata; `raw` is told back to the client as it came."""

    raw: str
    values: Mapping[str, str]

    @classmethod
    def parse(cls, raw: str) -> Metadata:
        """`name base64,name base64,…`; a name alone has an empty value. Raises `InvalidParam`."""
        if len(raw) > _MAX_METADATA_CHARACTERS:
            raise InvalidParam(f"Upload-Metadata is longer than {_MAX_METADATA_CHARACTERS} bytes")
        values: dict[str, str] = {}
        for pair in raw.split(",") if raw else ():
            name, _, encoded = pair.strip().partition(" ")
            if not name or not name.isascii() or name in values:
                raise InvalidParam("Upload-Metadata must be 'name base64' pairs, each name once")
            try:
                values[name] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
            except ValueError as cause:  # of base64, also for what is not ASCII, or of UTF-8
                raise InvalidParam(
                    f"Upload-Metadata: the value of {name[:60]!r} must be UTF-8 in base64"
                ) from cause
        return cls(raw, values)

    def first_of(self, *names: str) -> str | None:
        return next((self.values[name] for name in names if name in self.values), None)

    @property
    def sha256(self) -> str:
        """Lower-case hex digits, or empty where the client promised none. Raises `InvalidParam`."""
        text = self.values.get("sha256", "").lower()
        if text and (len(text) != _SHA256_CHARACTERS or not set(text) <= set("0123456789abcdef")):
            raise InvalidParam("Upload-Metadata: sha256 must be 64 hex digits")
        return text


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of the body of one request."""

    running: _Hash
    expected: bytes

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Checksum | None:
        """By tus's own header or RFC 9530's. Raises `InvalidParam` for one that this server cannot
        check (tus: 400)."""
        text = headers.get("upload-checksum")
        sha256 = sha256_of_digest_header(headers.get("content-digest"))
        if sha256 is not None:
            if text is not None:
                raise InvalidParam("send Upload-Checksum or Content-Digest, not both")
            return cls(hashlib.sha256(), bytes.fromhex(sha256))
        if text is None:
            return None
        name, _, encoded = text.partition(" ")
        make = _ALGORITHMS.get(name.lower())
        if make is None:
            raise InvalidParam(f"Upload-Checksum: this server knows {CHECKSUM_ALGORITHMS}")
        running = make()
        try:
            expected = base64.b64decode(encoded.strip(), validate=True)
        except ValueError as cause:
            raise InvalidParam("Upload-Checksum must be an algorithm and base64") from cause
        if len(expected) != running.digest_size:
            raise InvalidParam(f"Upload-Checksum: {name} has {running.digest_size} bytes")
        return cls(running, expected)

    @property
    def holds(self) -> bool:
        return self.running.digest() == self.expected


def date_of(at_ms: int) -> str:
    """IMF-fixdate (RFC 9110 5.6.7), for Upload-Expires."""
    return formatdate(at_ms // 1000, usegmt=True)


def digest_header(sha256: str) -> str:
    """RFC 9530 `Repr-Digest`: what the whole file is, whatever piece came last."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode('ascii')}:"

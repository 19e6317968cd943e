"""Reads the headers of multipart requests and of their parts, as real clients send them.

- Content-Type: the documentation's own curl example ends up with two `boundary` parameters, and
  the body uses the last one (contract, "A trap in the documented example").
- Content-Disposition: file names come as raw UTF-8 (curl, httpx, requests, Qt, browsers), with a
  quote as `%22` (WHATWG HTML, "multipart/form-data encoding algorithm") or as `\\"` (RFC 9110
  quoted-string), or as `filename*=UTF-8''…` (RFC 8187). A path is never cut down to its last part:
  some parsers do that for the sake of old browsers, and so rename silently.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from embedded_server.domain.errors import InvalidParam

# ;name=token or ;name="quoted \" string", RFC 9110 5.6.6 (with the slack that clients need)
_PARAMETER = re.compile(
    r';[ \t]*(?P<name>[^\s=;"]+)[ \t]*='
    r'[ \t]*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<token>[^;"]*))[ \t]*(?=;|\Z)',
    re.DOTALL,
)
_MAX_BOUNDARY_BYTES = 200  # RFC 2046 allows 70
_ESCAPED = re.compile(r'\\(["\\])')
_HTML_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n", "%0d": "\r", "%0a": "\n"}
_HTML_ESCAPE = re.compile("|".join(_HTML_ESCAPES))
# A member of RFC 9530's dictionary: its name, and what is said of it up to the next one.
_DIGEST = re.compile(r"(?:^|,)\s*sha-256(?![^\s=;,])([^,]*)", re.IGNORECASE)
_DIGEST_VALUE = re.compile(r"\s*=\s*:([A-Za-z0-9+/=]*):\s*(?:;.*)?")


def _parameters(header: str) -> list[tuple[str, str, bool]] | None:
    """(lower-case name, raw value, whether it was quoted) in order; None where anything is left
    over: what is read around a stray quote would be another name than the one that was sent.
    """
    found = []
    at = header.find(";")
    while at >= 0 and header[at:].strip(" \t;"):
        match = _PARAMETER.match(header, at)
        if match is None:
            return None
        quoted = match["quoted"]
        value = match["token"].strip() if quoted is None else quoted
        found.append((match["name"].lower(), value, quoted is not None))
        at = match.end()
    return found


def boundary_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """From the request's headers (ASGI form, lower-case names). Raises `InvalidParam`."""
    values = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    wrong = InvalidParam(
        "the request must be multipart/form-data with a boundary, the file in the field 'file'"
    )
    if len(values) != 1 or values[0].split(";", 1)[0].strip().lower() != "multipart/form-data":
        raise wrong
    parameters = _parameters(values[0]) or ()
    boundaries = [value for name, value, _ in parameters if name == "boundary"]
    if not boundaries or not 0 < len(boundaries[-1]) <= _MAX_BOUNDARY_BYTES:
        raise wrong
    if not boundaries[-1].isascii() or not boundaries[-1].isprintable():
        raise wrong
    return boundaries[-1].encode("ascii")


def field_and_file_name(disposition: str) -> tuple[str, str | None]:
    """From a part's Content-Disposition. Raises `InvalidParam`."""
    parameters = _parameters(disposition)
    if parameters is None:
        raise InvalidParam(
            "Content-Disposition is malformed: quote the file name, and write a quote in it as %22"
        )
    if len({name for name, _, _ in parameters}) != len(parameters):
        raise InvalidParam("Content-Disposition gives a parameter twice")
    field = ""
    plain: str | None = None
    extended: str | None = None
    for name, value, quoted in parameters:
        if name == "name":
            field = _unquoted(value) if quoted else value
        elif name == "filename":
            plain = _unquoted(value) if quoted else value
        elif name == "filename*":
            extended = _decoded_extended(value)
    return field, plain if extended is None else extended


def _unquoted(value: str) -> str:
    # Only an escaped quote or backslash is undone: `C:\data\x.csv` from a client that escapes
    # nothing must stay a path, and be refused as one.
    if "\\" in value:
        value = _ESCAPED.sub(r"\1", value)
    if "%" not in value:
        return value
    return _HTML_ESCAPE.sub(lambda match: _HTML_ESCAPES[match.group()], value)


def _decoded_extended(value: str) -> str:
    charset, quote, encoded = value.partition("'")
    _, second_quote, encoded = encoded.partition("'")
    if not quote or not second_quote or charset.lower() != "utf-8":
        raise InvalidParam("filename* must be UTF-8''… with the name percent-encoded")
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise InvalidParam("filename* is not UTF-8") from cause


def sha256_of_digest_header(value: str | None) -> str | None:
    """Hex digits from RFC 9530 `sha-256=:base64:`; None where no SHA-256 is told.

    Raises `InvalidParam` for one that cannot be read: who sends it relies on its being checked.
    """
    told = [] if value is None else _DIGEST.findall(value)
    if not told:
        return None
    match = _DIGEST_VALUE.fullmatch(told[0])
    if match is None or len(told) > 1:
        raise InvalidParam("Content-Digest: a SHA-256 is written once, as sha-256=:base64:")
    try:
        digest = base64.b64decode(match[1], validate=True)
    except binascii.Error as cause:
        raise InvalidParam("Content-Digest is not base64") from cause
    if len(digest) != 32:
        raise InvalidParam("Content-Digest: a SHA-256 has 32 bytes")
    return digest.hex()


def sha256_of_request(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Of the whole body, as a header of the request tells it. Raises `InvalidParam`."""
    told = [value.decode("latin-1") for name, value in headers if name == b"content-digest"]
    return sha256_of_digest_header(",".join(told)) if told else None


def folder_of_header(value: str | None) -> str | None:
    """The lake folder from a part's percent-encoded `Lake-Folder`."""
    if value is None:
        return None
    try:
        return unquote_to_bytes(value.strip()).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise InvalidParam("Lake-Folder is not UTF-8") from cause

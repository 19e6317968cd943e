"""Reads the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import re

from starlette.requests import Request

from embedded_server.contract import IDEMPOTENCY_HEADER
from embedded_server.domain.errors import InvalidParam

_MAX_CHARACTERS = 255
# The draft's form is a quoted string (RFC 8941, 3.3.3); many clients send the bare value.
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")  # no quote, comma, semicolon


def idempotency_key_of(request: Request) -> str | None:
    """The key, quoted or not; None without the header. Raises `InvalidParam`."""
    told = request.headers.getlist(IDEMPOTENCY_HEADER)
    if not told:
        return None
    text = told[0].strip(" \t")
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else text
    if (
        len(told) > 1
        or not (quoted or _BARE.fullmatch(text))
        or not 0 < len(key) <= _MAX_CHARACTERS
    ):
        raise InvalidParam(
            f"{IDEMPOTENCY_HEADER} must be one quoted text of 1 to {_MAX_CHARACTERS} ASCII"
            ' characters, such as "8e03978e-40d5-43e8-bc93-6894a57f9324"'
        )
    return key

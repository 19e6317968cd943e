"""Keys: compared in constant time, kept as digests, never shown by accident.

A stored key is known by its SHA-256 alone. No slow hash is needed: a made key has 192 random bits,
which nobody tries out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from embedded_server.domain.caller import Caller
from embedded_server.domain.lake_path import LakePath

_RANDOM_BYTES = 24
_MADE_KEYS_BEGIN = "lake_"  # lets people and secret scanners know what they have found

# Of the lake's own key, and of one that the environment gives: no stored key may bear it.
OWN_KEY_NAME = "lake"


def digest_of(offered: str) -> bytes:
    # A lone surrogate from a JSON escape is simply a wrong key, not a failure to encode.
    return hashlib.sha256(offered.encode("utf-8", "surrogatepass")).digest()


class ApiKey:
    __slots__ = ("_text", "digest")

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("an empty key would let everybody in")
        self._text = text
        self.digest = digest_of(text)

    @classmethod
    def made(cls) -> ApiKey:
        return cls(_MADE_KEYS_BEGIN + secrets.token_urlsafe(_RANDOM_BYTES))

    def revealed(self) -> str:
        """For the one who asked to see it, and for the file it is kept in."""
        return self._text

    def __repr__(self) -> str:
        return "ApiKey(…)"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of the catalog, as it may be shown. Times in ms since 1970 UTC; 0 is never."""

    name: str
    digest: bytes = field(repr=False)
    path: LakePath | None
    is_read_only: bool
    created_at_ms: int
    last_used_at_ms: int = 0

    def caller(self) -> Caller:
        return Caller(self.name, self.path, self.is_read_only)


def same_digest(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)

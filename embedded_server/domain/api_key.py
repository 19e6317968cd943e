"""The key that start and end ask for; compared in constant time, never shown by accident."""

from __future__ import annotations

import hmac

from embedded_server.domain.errors import WrongKey


class ApiKey:
    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("an empty key would let everybody in")
        self._text = text

    def check(self, offered: str) -> None:
        """Raises `WrongKey`."""
        # A lone surrogate from a JSON escape is simply a wrong key, not a failure to encode.
        own, other = (text.encode("utf-8", "surrogatepass") for text in (self._text, offered))
        if not hmac.compare_digest(own, other):
            raise WrongKey

    def revealed(self) -> str:
        """For the one who asked to see it, and for the file it is kept in."""
        return self._text

    def __repr__(self) -> str:
        return "ApiKey(…)"

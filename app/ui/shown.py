"""Names from a disk or a server, safe on screen: nothing that turns a line around or breaks it."""

from __future__ import annotations

import unicodedata

_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def shown(text: str) -> str:
    """Control and bidirectional characters and lone surrogates are written out (`\\u202e`)."""
    if text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in _UNSAFE
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )

"""What every common system can hold as a name, decided without a line of the server's code.

Sources: Microsoft "Naming Files, Paths, and Namespaces"; Unicode's own character data.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 2_048
MAX_DEPTH = 64

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$) *(?:\.[\s\S]*)?",
    re.IGNORECASE,
)
_REORDERING = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})
_MARKS = frozenset({"LEFT-TO-RIGHT MARK", "RIGHT-TO-LEFT MARK", "ARABIC LETTER MARK"})
_BYTE_ORDER_MARK = "ZERO WIDTH NO-BREAK SPACE"


def text_of(sent: bytes) -> str | None:
    """None where it is no UTF-8."""
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_portable_name(name: str) -> bool:
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
        and not any(_is_harmful(character) for character in name)
        and not name.endswith((".", " "))  # these two also make `.` and `..`
        and _DEVICE.fullmatch(name) is None
    )


def _is_harmful(character: str) -> bool:
    return (
        character in '/\\:*?"<>|'
        or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in _REORDERING
        or unicodedata.name(character, "") in _MARKS | {_BYTE_ORDER_MARK}
    )


def is_portable_path(path: str) -> bool:
    """Absolute, below the root, one slash allowed at its end."""
    if not path.startswith("/") or len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        return False
    inside = path[1:].removesuffix("/") if len(path) > 1 else ""
    parts = inside.split("/")
    return len(parts) <= MAX_DEPTH and all(map(is_portable_name, parts))

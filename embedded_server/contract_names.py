"""Names and folders that a lake takes: the rules of the strictest system, on every system.

A lake written on Linux must open on Windows and macOS, so a name that any of them cannot hold, or
would quietly change, is refused with a reason. Server and client read the rules here, so what the
client tells before a start is what the server will say. Sources: Microsoft "Naming Files, Paths,
and Namespaces"; `reserved characters` of Win32; UAX #9 for the bidirectional controls.
"""

from __future__ import annotations

import re

MAX_NAME_BYTES = 255  # ext4, APFS and NTFS all hold this much
# Half of Linux's 4,096, so that there is room for the lake's own folder. macOS (1,024) and Windows
# without long paths (260 characters) hold less: there the disk itself refuses, and that is told.
MAX_PATH_BYTES = 2_048
MAX_DEPTH = 64

_RESERVED_CHARACTERS = '<>:"|?*\\'
# Controls that reorder or hide text on screen: `invoice<RLO>cod.exe` reads as `invoiceexe.doc`.
_HIDDEN_CHARACTERS = (
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_CONTROL_CHARACTERS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_SURROGATES = "\ud800-\udfff"
_SUSPECT = re.compile(
    f"[{re.escape(_RESERVED_CHARACTERS)}{_HIDDEN_CHARACTERS}{_CONTROL_CHARACTERS}{_SURROGATES}]"
)
_DEVICE_NAMES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{device}{digit}" for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def problem_of_name(name: str) -> str | None:
    """What is wrong with the name of a file or folder, to stand behind it; None: nothing."""
    if not name:
        return "is empty"
    if "/" in name:
        return "holds a slash: a name is one part of a path"
    if name in (".", ".."):
        return "is not a name"
    suspect = _SUSPECT.search(name)
    if suspect is not None:
        return _problem_of_character(suspect.group())
    if name[-1] in ". ":
        return "ends with a dot or a space, which Windows cannot keep"
    if name.split(".", 1)[0].rstrip(" ").upper() in _DEVICE_NAMES:
        return "is the name of a Windows device"
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return None


def problem_of_folder(text: str) -> str | None:
    """What is wrong with an absolute folder such as `/data/db/x` (one trailing slash tolerated), to
    stand right behind what it is called; None: nothing."""
    if not text.startswith("/"):
        return " must be absolute, like /data/db: it begins with a slash"
    trimmed = text[1:-1] if len(text) > 1 and text.endswith("/") else text[1:]
    if not trimmed:
        return " must name a folder below the root, like /data/db"
    if len(text) > MAX_PATH_BYTES:  # before the work of looking at every character
        return f" is longer than {MAX_PATH_BYTES} bytes"
    segments = trimmed.split("/")
    if len(segments) > MAX_DEPTH:
        return f" is deeper than {MAX_DEPTH} folders"
    for segment in segments:
        problem = problem_of_name(segment)
        if problem is not None:
            return f": the folder name {segment[:60]!r} {problem}"
    if len(text.encode("utf-8")) > MAX_PATH_BYTES:
        return f" is longer than {MAX_PATH_BYTES} bytes"
    return None


def _problem_of_character(character: str) -> str:
    if character in _RESERVED_CHARACTERS:
        return f"holds the character {character}, which not every system allows in a name"
    if "\ud800" <= character <= "\udfff":
        return "holds half a character (a lone surrogate)"
    if character in _HIDDEN_CHARACTERS:
        return "holds an invisible character that changes how the name reads"
    return "holds a control character"

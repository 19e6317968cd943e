"""Dropped or pasted files and folders, from what the system hands over to plain paths."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData

_URI_LIST = "text/uri-list"
_SLICE = 2_000
_WINDOWS_DRIVE = re.compile(r"^/?[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class DroppedPaths:
    """`refused` counts what is no file of this machine: web links and the like."""

    paths: list[str]
    refused: int


def payload_of(mime: QMimeData) -> bytes | None:
    """Read once, as bytes: a second read comes back empty, and a list of QUrl costs seven times
    as much. None where there is nothing that could be a file."""
    if mime.hasFormat(_URI_LIST):
        payload = bytes(mime.data(_URI_LIST).data())
        if payload.strip():
            return payload
    if mime.hasText():
        text = mime.text().encode("utf-8", "surrogateescape")
        return text if any(_looks_like_a_path(line) for line in _lines(text)) else None
    return None


def paths_of(payload: bytes) -> DroppedPaths:
    """In the order of the drop, each once. For a thread of its own: it gives way now and then."""
    paths: dict[str, None] = {}
    refused = 0
    for number, line in enumerate(_lines(payload)):
        if number % _SLICE == _SLICE - 1:
            time.sleep(0)  # the window's thread gets its turn
        path = _path_of(line)
        if path is None:
            refused += 1
        else:
            paths[path] = None
    return DroppedPaths(list(paths), refused)


def _lines(payload: bytes) -> list[bytes]:
    lines = (line.strip(b"\r\x00 ") for line in payload.split(b"\n"))
    return [line for line in lines if line and not line.startswith(b"#")]


def _looks_like_a_path(line: bytes) -> bool:
    return line.lower().startswith(b"file:") or _is_absolute(os.fsdecode(line))


def _path_of(line: bytes) -> str | None:
    """None for what is no file here. Names that are no UTF-8 keep their odd bytes as surrogates."""
    if line[:5].lower() == b"file:":
        return _path_of_url(line[5:])
    text = os.fsdecode(line)
    if _is_absolute(text):
        return _without_end_slash(text)
    return None


def _path_of_url(rest: bytes) -> str | None:
    if rest.startswith(b"//"):
        host, slash, path = rest[2:].partition(b"/")
        if not slash:
            return None
        if host and host.lower() != b"localhost" and os.fsdecode(host) != socket.gethostname():
            return None
        rest = b"/" + path
    if not rest.startswith(b"/"):
        return None
    decoded = unquote_to_bytes(rest.partition(b"#")[0].partition(b"?")[0])
    if b"\x00" in decoded:
        return None
    path_text = os.fsdecode(decoded)
    if _WINDOWS_DRIVE.match(path_text):
        path_text = path_text.lstrip("/")
    return _without_end_slash(path_text)


def _is_absolute(text: str) -> bool:
    if "\x00" in text:
        return False
    if sys.platform == "win32":
        return bool(_WINDOWS_DRIVE.match(text)) or text.startswith("\\\\")
    return text.startswith("/") and not text.startswith("//")


def _without_end_slash(path: str) -> str:
    trimmed = path.rstrip("/")
    return trimmed if trimmed and not trimmed.endswith(":") else path

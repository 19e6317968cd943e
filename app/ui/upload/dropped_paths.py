"""Dropped or pasted files and folders, from what the system hands over to plain paths."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData

_URI_LIST = "text/uri-list"
_BLANK = re.compile(rb"\s*\Z")
_WINDOWS_DRIVE = re.compile(r"^/?[A-Za-z]:[\\/]")


def payload_of(mime: QMimeData) -> bytes | None:
    """Read once, as bytes: a second read comes back empty, and a list of QUrl costs seven times
    as much. None where there is nothing that could be a file."""
    if mime.hasFormat(_URI_LIST):
        payload = bytes(mime.data(_URI_LIST).data())
        if not _BLANK.match(payload):
            return payload
    if mime.hasText():
        text = mime.text().encode("utf-8", "surrogateescape")
        return None if _BLANK.match(text) else text
    return None


class DroppedPaths:
    """What was dropped, read piece by piece: the first is there before the last is looked at.

    `refused` counts what was met so far and is no file of this machine: web links and the like.
    """

    def __init__(self, payload: bytes) -> None:
        self._lines = _lines(payload)
        self._seen: set[str] = set()
        self.refused = 0

    def take(self, most: int) -> list[str]:
        """The next paths, in the order of the drop, each once; none at the end.

        Takes some microseconds a path. From any thread, from one at a time.
        """
        taken: list[str] = []
        for line in self._lines:
            path = _path_of(line)
            if path is None:
                self.refused += 1
            elif path not in self._seen:
                self._seen.add(path)
                taken.append(path)
                if len(taken) >= most:
                    break
        return taken


def _lines(payload: bytes) -> Iterator[bytes]:
    """One after the other: splitting a long payload at once would hold up the other threads."""
    start = 0
    while start < len(payload):
        end = payload.find(b"\n", start)
        end = len(payload) if end < 0 else end
        line = payload[start:end].strip(b"\r\x00 ")
        if line and not line.startswith(b"#"):
            yield line
        start = end + 1


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

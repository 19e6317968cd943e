"""The engine's local socket and the 0600 file by which screens find it.

The only place that knows how the platforms differ here: a Unix socket in a 0700 folder, or a named
pipe on Windows.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import tempfile
from multiprocessing.connection import Listener
from pathlib import Path

from app.infra.places import Places
from app.link.protocol import PROTOCOL_VERSION, RuntimeFile

_BACKLOG = 16
_LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 104 on macOS, 108 on Linux


class EngineSocket:
    """Listens from its making on; `announce` then writes the runtime file."""

    def __init__(self, places: Places) -> None:
        self._runtime_file = places.runtime_file
        self.auth_key = secrets.token_bytes(32)
        self._own_folder: Path | None = None
        address = self._address(places)
        family = "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"
        # No key is given here: the service proves each caller on a thread of its own.
        self.listener = Listener(address, family, backlog=_BACKLOG)
        self._address_text = address

    def _address(self, places: Places) -> str:
        if sys.platform == "win32":
            return rf"\\.\pipe\lakedrop-{secrets.token_hex(16)}"
        # Named after the home it serves: one user may have several, and one runtime folder.
        home = hashlib.sha256(os.fsencode(places.state)).hexdigest()[:12]
        path = places.runtime / f"engine-{home}.sock"
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            self._own_folder = Path(tempfile.mkdtemp(prefix="lakedrop-"))  # made with mode 0700
            path = self._own_folder / "engine.sock"
        path.unlink(missing_ok=True)  # left by a killed engine: this one holds the engine's lock
        return str(path)

    def announce(self, notice: str = "") -> None:
        told = RuntimeFile(
            self._address_text, self.auth_key.hex(), os.getpid(), PROTOCOL_VERSION, notice
        )
        write_private(self._runtime_file, told.to_json())

    def close(self) -> None:
        self._runtime_file.unlink(missing_ok=True)
        self.listener.close()
        if self._own_folder:
            self._own_folder.rmdir()


def write_private(path: Path, text: str) -> None:
    """Writes a 0600 file so that a reader sees the old text or the new one, never a half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)

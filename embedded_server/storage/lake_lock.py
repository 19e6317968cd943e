"""One server a lake: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from embedded_server.storage import own_files
from embedded_server.storage.layout import Layout

_LAST_STEPS_S = 3.0
_LOOK_AGAIN_S = 0.02


class LakeInUse(Exception):
    """Another server holds the lake; `address` is None while it is still starting."""

    def __init__(self, address: str | None) -> None:
        where = "" if address is None else f" at {address}"
        super().__init__(
            f"another server already serves this lake{where}: use that one, or stop it"
        )
        self.address = address


class LakeLock:
    def __init__(self, layout: Layout, last_steps_s: float = _LAST_STEPS_S) -> None:
        """Waits as long as that for a server that was killed. Raises `LakeInUse`, `OSError`."""
        self._lock = FileLock(layout.lock, timeout=0, mode=0o600, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout as cause:
            address = own_files.read_server_address(layout.server_record)
            if _is_served(address):
                raise LakeInUse(address) from cause
            # Processes of a server that was killed hold it until their last step is done.
            try:
                self._lock.acquire(timeout=last_steps_s, poll_interval=_LOOK_AGAIN_S)
            except Timeout:
                address = own_files.read_server_address(layout.server_record)
                raise LakeInUse(address) from cause

    def release(self) -> None:
        self._lock.release()


def _is_served(address: str | None) -> bool:
    """Whether somebody listens there. A killed server leaves its address behind."""
    if address is None:
        return False
    try:
        parts = urlsplit(address)
        place = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection(place, timeout=_LAST_STEPS_S):
            return True
    except (OSError, ValueError):
        return False

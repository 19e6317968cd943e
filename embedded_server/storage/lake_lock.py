"""One server a lake: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

from filelock import FileLock, Timeout

from embedded_server.storage import own_files
from embedded_server.storage.layout import Layout


class LakeInUse(Exception):
    """Another server holds the lake; `address` is None while it is still starting."""

    def __init__(self, address: str | None) -> None:
        where = "" if address is None else f" at {address}"
        super().__init__(
            f"another server already serves this lake{where}: use that one, or stop it"
        )
        self.address = address


class LakeLock:
    def __init__(self, layout: Layout) -> None:
        """Raises `LakeInUse`, `OSError`."""
        self._lock = FileLock(layout.lock, timeout=0, mode=0o600, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout as cause:
            raise LakeInUse(own_files.read_server_address(layout.server_record)) from cause

    def release(self) -> None:
        self._lock.release()

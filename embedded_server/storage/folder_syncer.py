"""Merges fsyncs of one folder that are asked for at the same time into as few as are sound."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from embedded_server.storage.disk import Disk


class FolderSyncer:
    """With many uploads into one folder, most waits for its fsync are the same wait.

    An fsync that is running already may have begun before the caller's rename, so it proves nothing
    to the caller: it waits for the next one, which everybody shares who came in the meantime.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._next: dict[str, Future[None]] = {}

    def fsync(self, folder: str) -> None:
        """Returns once an fsync that began after this call is over; raises its `OSError`."""
        with self._lock:
            if folder in self._running:
                shared = self._next.get(folder)
                if shared is None:
                    shared = self._next[folder] = Future()
                waits = True
            else:
                self._running.add(folder)
                waits = False
        if waits:
            assert shared is not None
            shared.result()
            return
        try:
            self._disk.fsync_folder(folder)
        finally:
            self._serve_those_who_came(folder)

    def _serve_those_who_came(self, folder: str) -> None:
        while True:
            with self._lock:
                shared = self._next.pop(folder, None)
                if shared is None:
                    self._running.discard(folder)
                    return
            try:
                self._disk.fsync_folder(folder)
            except OSError as cause:
                shared.set_exception(cause)
            else:
                shared.set_result(None)

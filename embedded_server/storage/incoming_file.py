"""A file on its way in: written aside, digested while it is written, then made durable."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from embedded_server.domain.upload import ReceivedFile
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_errors import translated

# Starting write-back this often spreads a large file's writing over its arrival, so that the
# final fsync finds little left to do.
_WRITE_BACK_STEP_BYTES = 8 << 20


class TemporaryIncoming:
    """One temporary file in `incoming/`. Used by one thread at a time; see `ports.IncomingFile`."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._path = path
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._write_back_from = 0
        with translated():
            self._descriptor: int | None = disk.create_file(path)

    def write(self, data: bytes) -> None:
        assert self._descriptor is not None, "written() or discard() came before"
        with translated():
            self._disk.write(self._descriptor, data)
        self._digest.update(data)
        self._size_bytes += len(data)
        if self._size_bytes - self._write_back_from >= _WRITE_BACK_STEP_BYTES:
            self._start_write_back()

    def _start_write_back(self) -> None:
        assert self._descriptor is not None
        fresh_bytes = self._size_bytes - self._write_back_from
        self._disk.start_write_back(self._descriptor, self._write_back_from, fresh_bytes)
        self._write_back_from = self._size_bytes

    def written(self) -> ReceivedFile:
        if self._size_bytes > self._write_back_from:
            self._start_write_back()
        assert self._descriptor is not None, "written() comes once"
        with translated():
            mtime_ns = self._disk.written_at_ns(self._descriptor)
        return ReceivedFile(self._path, self._size_bytes, self._digest.hexdigest(), mtime_ns)

    def fsync_and_close(self) -> None:
        """Raises `OSError`. After that the bytes may be gone from memory too: never try again on
        this descriptor (the kernel may have marked the pages clean), discard and let it be resent.
        """
        assert self._descriptor is not None
        descriptor, self._descriptor = self._descriptor, None
        try:
            self._disk.fsync_file(descriptor)
        finally:
            self._disk.close(descriptor)

    def discard(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._disk.close(descriptor)
        with translated(), suppress(FileNotFoundError):
            self._disk.unlink(self._path)

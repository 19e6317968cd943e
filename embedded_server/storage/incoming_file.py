"""A file on its way in: written aside, digested while it is written, then made durable."""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, Future
from contextlib import suppress

from embedded_server.domain.upload import ReceivedFile
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_errors import translated

# Starting write-back this often spreads a large file's writing over its arrival, so that the
# final fsync finds little left to do.
_WRITE_BACK_STEP_BYTES = 8 << 20


# Below this, handing the bytes to another thread costs more than digesting them.
_DIGESTED_ASIDE_BYTES = 128 << 10


class _Digest:
    """SHA-256 of bytes in order; of large pieces in another thread, while they are written."""

    def __init__(self, helpers: Executor) -> None:
        self._helpers = helpers
        self._sha256 = hashlib.sha256()
        self._under_way: Future[None] | None = None

    def update(self, data: bytes) -> None:
        self._wait()
        if len(data) < _DIGESTED_ASIDE_BYTES:
            self._sha256.update(data)
        else:
            self._under_way = self._helpers.submit(self._sha256.update, data)

    def hexdigest(self) -> str:
        self._wait()
        return self._sha256.hexdigest()

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None


class TemporaryIncoming:
    """One temporary file in `incoming/`. Used by one thread at a time; see `ports.IncomingFile`."""

    def __init__(self, disk: Disk, path: str, helpers: Executor) -> None:
        self._disk = disk
        self._path = path
        self._digest = _Digest(helpers)
        self._size_bytes = 0
        self._write_back_from = 0
        with translated():
            self._descriptor: int | None = disk.create_file(path)

    def write(self, data: bytes) -> None:
        assert self._descriptor is not None, "written() or discard() came before"
        self._digest.update(data)
        with translated():
            self._disk.write(self._descriptor, data)
        self._size_bytes += len(data)
        if self._size_bytes - self._write_back_from >= _WRITE_BACK_STEP_BYTES:
            self._start_write_back()

    def _start_write_back(self) -> None:
        assert self._descriptor is not None
        fresh_bytes = self._size_bytes - self._write_back_from
        self._disk.start_write_back(self._descriptor, self._write_back_from, fresh_bytes)
        self._write_back_from = self._size_bytes

    def written(self) -> ReceivedFile:
        # Not for a small file: its fsync follows at once, and the extra call only costs time.
        if self._size_bytes > self._write_back_from > 0:
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

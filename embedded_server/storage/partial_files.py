"""What has come of resumable uploads: a file each, trusted up to the last offset that was synced.

The catalog holds that offset. Bytes behind it may be anything after a power cut (a file that was
made longer and not synced comes back with holes), so a file that is taken up again is first cut
back to it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from embedded_server.domain.upload import ReceivedFile
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.layout import Layout

_READ_BYTES = 1 << 20
_WRITE_BACK_STEP_BYTES = 8 << 20


class PartialFile:
    """One file that is being written. Used by one thread at a time; see `ports.PartialFile`."""

    def __init__(self, disk: Disk, path: str, durable_bytes: int) -> None:
        self._disk = disk
        self._path = path
        self._durable_bytes = durable_bytes
        self._size_bytes = durable_bytes
        self._write_back_from = durable_bytes
        self._digest = hashlib.sha256()
        with translated():
            if disk.kind(path) is Kind.NOTHING and durable_bytes == 0:
                descriptor = disk.create_file(path)
                self._is_listed = False
            else:
                self._read_again()
                descriptor = disk.reopen_file(path, durable_bytes)
                # Perhaps a run that was killed made it a moment ago: its entry is synced again.
                self._is_listed = durable_bytes > 0
        self._descriptor: int | None = descriptor
        self._durable_digest = self._digest.copy()

    def _read_again(self) -> None:
        """A digest cannot be kept across runs: it is made again from what is on the disk."""
        left = self._durable_bytes
        with open(self._path, "rb", buffering=0) as file:
            while left and (piece := file.read(min(left, _READ_BYTES))):
                self._digest.update(piece)
                left -= len(piece)
        if left:
            raise OSError(5, "a part of a resumable upload is missing on the disk")

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write(self, data: bytes) -> None:
        assert self._descriptor is not None, "close() came before"
        with translated():
            try:
                self._disk.write(self._descriptor, data)
            except OSError:
                # A part of them may have been written. What is cut off makes room at once.
                with suppress(OSError):
                    self._disk.truncate(self._descriptor, self._durable_bytes)
                self.close()
                raise
        self._digest.update(data)
        self._size_bytes += len(data)
        fresh_bytes = self._size_bytes - self._write_back_from
        if fresh_bytes >= _WRITE_BACK_STEP_BYTES:
            self._disk.start_write_back(self._descriptor, self._write_back_from, fresh_bytes)
            self._write_back_from = self._size_bytes

    def make_durable(self) -> int:
        assert self._descriptor is not None, "close() came before"
        with translated():
            try:
                self._disk.fsync_file(self._descriptor)
            except OSError:
                # The kernel may have marked the pages clean: never again on this descriptor.
                self.close()
                raise
            if not self._is_listed:
                self._disk.fsync_folder(os.path.dirname(self._path))
                self._is_listed = True
        self._durable_bytes = self._write_back_from = self._size_bytes
        self._durable_digest = self._digest.copy()
        return self._durable_bytes

    def fall_back(self) -> None:
        assert self._descriptor is not None, "close() came before"
        with translated():
            self._disk.truncate(self._descriptor, self._durable_bytes)
        self._size_bytes = self._write_back_from = self._durable_bytes
        self._digest = self._durable_digest.copy()

    def received(self) -> ReceivedFile:
        with translated():
            mtime_ns = self._disk.mtime_ns(self._path)
        return ReceivedFile(self._path, self._size_bytes, self._digest.hexdigest(), mtime_ns)

    @property
    def is_open(self) -> bool:
        return self._descriptor is not None

    def close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._disk.close(descriptor)


class PartialFiles:
    """See `ports.Partials`."""

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self._layout = layout
        self._disk = disk

    def open(self, upload_id: str, durable_bytes: int) -> PartialFile:
        return PartialFile(self._disk, self._path(upload_id), durable_bytes)

    def arrived(self, upload_id: str, size_bytes: int, sha256: str) -> ReceivedFile | None:
        path = self._path(upload_id)
        with translated():
            if self._disk.kind(path) is not Kind.FILE:
                return None
            return ReceivedFile(path, size_bytes, sha256, self._disk.mtime_ns(path))

    def remove(self, upload_id: str) -> None:
        with translated(), suppress(FileNotFoundError):
            self._disk.unlink(self._path(upload_id))

    def keep_only(self, upload_ids: frozenset[str]) -> None:
        with translated():
            for name in self._disk.names_in(self._layout.partial):
                if name not in upload_ids:
                    self._disk.unlink(os.path.join(self._layout.partial, name))

    def has_room_for(self, size_bytes: int) -> bool:
        with translated():
            return self._disk.free_bytes(self._layout.partial) >= size_bytes

    def _path(self, upload_id: str) -> str:
        return os.path.join(self._layout.partial, upload_id)

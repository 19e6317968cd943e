"""A file on its way in: kept in memory while it is small, else written aside as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress

from embedded_server.domain.upload import ReceivedFile
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.incoming_file import TemporaryIncoming

# A small one is written in one go, with others of its kind. Many clients may each hold so much.
_KEPT_BYTES = 128 << 10


class KeptIncoming:
    """Used by one thread at a time; see `ports.IncomingFile`."""

    def __init__(self, disk: Disk, path: str, helpers: Executor) -> None:
        """`path` is where its temporary file is, or will be."""
        self._disk = disk
        self.path = path
        self._helpers = helpers
        self._kept: list[bytes] = []
        self._size_bytes = 0
        self._sha256 = hashlib.sha256()
        self._received: ReceivedFile | None = None
        self.on_disk: TemporaryIncoming | None = None  # once it is no small file any more

    def write(self, data: bytes) -> None:
        if self.on_disk is None and self._size_bytes + len(data) <= _KEPT_BYTES:
            self._kept.append(data)
            self._size_bytes += len(data)
            self._sha256.update(data)
            return
        if self.on_disk is None:
            self.on_disk = TemporaryIncoming(self._disk, self.path, self._helpers)
            for piece in self.take():
                self.on_disk.write(piece)
        self.on_disk.write(data)

    def take(self) -> Sequence[bytes]:
        """The bytes of a small file, which are its holder's from now on."""
        kept, self._kept = self._kept, []
        return kept

    def written(self) -> ReceivedFile:
        if self._received is None:
            if self.on_disk is not None:
                self._received = self.on_disk.written()
            else:
                digest = self._sha256.hexdigest()
                self._received = ReceivedFile(self.path, self._size_bytes, digest, 0)
        return self._received

    def discard(self) -> None:
        self._kept = []
        if self.on_disk is not None:
            self.on_disk.discard()
        else:
            with translated(), suppress(FileNotFoundError):
                self._disk.unlink(self.path)

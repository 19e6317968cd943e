"""Contents to upload: bytes in memory, with the ways in which reading can go wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from app.domain.ports import SmallFile

PIECE_BYTES = 1024 * 1024


class BytesContent:
    """Implements `FileContent`. With `error`, raises it once `error_after_bytes` were read."""

    def __init__(
        self,
        data: bytes,
        *,
        size_bytes: int | None = None,
        error: Exception | None = None,
        error_after_bytes: int = 0,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self.size_bytes = len(data) if size_bytes is None else size_bytes
        self._data = data
        self._error = error
        self._error_after_bytes = error_after_bytes
        self._piece_bytes = piece_bytes
        self._skipped_bytes = 0

    def skip(self, count_bytes: int) -> None:
        self._skipped_bytes = count_bytes

    def chunks(self) -> Iterator[bytes]:
        for start in range(self._skipped_bytes, len(self._data), self._piece_bytes):
            if self._error is not None and start >= self._error_after_bytes:
                raise self._error
            yield self._data[start : start + self._piece_bytes]
        if self._error is not None:
            raise self._error


def small_file(folder: str, name: str, content: bytes) -> SmallFile:
    return SmallFile(folder, name, content, hashlib.sha256(content).hexdigest())


def ignore_sent(_content_bytes: int) -> None:
    """For calls whose progress nobody watches."""

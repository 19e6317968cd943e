"""Uploads in pieces, as a lake in memory keeps them: all that came stays, however it was cut."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.errors import LakeBusy, LakeRefused, SourceChanged
from app.domain.ports import FileContent, OnSent, UploadReceipt
from app.domain.resumable import HowFar
from embedded_server.contract import UploadRecord


@dataclass(slots=True)
class FakeUpload:
    row: UploadRecord
    folder: str
    name: str
    size_bytes: int
    data: bytearray = field(default_factory=bytearray)
    receipt: UploadReceipt | None = None


class FakeResumable:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, FakeUpload] = {}

    def add(self, row: UploadRecord, folder: str, name: str, size_bytes: int) -> str:
        with self._lock:
            upload_id = f"upload-{len(self._uploads)}"
            self._uploads[upload_id] = FakeUpload(row, folder, name, size_bytes)
            return upload_id

    def find(self, upload_id: str) -> FakeUpload | None:
        with self._lock:
            upload = self._uploads.get(upload_id)
            return upload if upload is not None and upload.size_bytes >= 0 else None

    def name_of(self, upload_id: str) -> str:
        upload = self.find(upload_id)
        return "" if upload is None else upload.name

    def how_far(self, upload_id: str, running: Callable[[int], object]) -> HowFar | None:
        """`running` refuses where the sync of that number is over."""
        upload = self.find(upload_id)
        if upload is None:
            return None
        if upload.receipt is None:
            try:
                running(upload.row.sync_id)
            except LakeRefused:
                return None
        return HowFar(len(upload.data), upload.size_bytes)

    def go_on(
        self,
        upload_id: str,
        offset_bytes: int,
        content: FileContent,
        on_sent: OnSent,
        keep: Callable[[UploadRecord, str, str, bytes], UploadReceipt],
    ) -> UploadReceipt:
        """Raises `LakeBusy` where the caller must look again; `keep` puts what is whole there."""
        upload = self.find(upload_id)
        if upload is None:
            raise LakeBusy("There is no such upload.")
        if len(upload.data) != offset_bytes:
            raise LakeBusy(f"The server has {len(upload.data)} bytes of this file.")
        if upload.receipt is None:
            take(upload.data, content, upload.size_bytes, on_sent)
            upload.receipt = keep(upload.row, upload.folder, upload.name, bytes(upload.data))
        return upload.receipt

    def forget(self, upload_id: str) -> None:
        with self._lock:
            if upload_id in self._uploads:
                self._uploads[upload_id].size_bytes = -1  # its number is not used again


def take(data: bytearray, content: FileContent, size_bytes: int, on_sent: OnSent) -> None:
    """Adds what comes to `data`, until it is whole; what it has stays when that fails."""
    for piece in content.chunks():
        data += piece
        on_sent(len(piece))
    if len(data) != size_bytes:
        raise SourceChanged("The file's size changed while it was sent.")

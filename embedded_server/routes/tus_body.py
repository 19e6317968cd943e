"""The body of one request of a resumable upload: bytes behind an offset, kept as they come.

Without a checksum every byte that was handed to us counts, however the request ends (the connection
drops what nobody had asked for when it ends, 1 MiB or a little more). With one the bytes count only
when all of them have come and are the promised ones.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack

from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import LakeError
from embedded_server.domain.tus_ports import PartialFile
from embedded_server.domain.tus_upload import (
    ChecksumMismatch,
    TusRefused,
    TusUpload,
    WrongOffset,
)
from embedded_server.routes.tus_headers import Checksum
from embedded_server.services.tus_service import TusService

# After a crash no more than this, and what was on its way, comes again.
KEPT_EVERY_BYTES = 32 << 20

_log = logging.getLogger(__name__)


class TusBody:
    """A `body_pump.BodyConsumer`; `finish` returns the upload as it is then."""

    def __init__(
        self,
        service: TusService,
        upload_id: str,
        offset_bytes: int,
        checksum: Checksum | None,
        caller: Caller = OWNER,
    ) -> None:
        self._caller = caller
        self._service = service
        self._upload_id = upload_id
        self._offset_bytes = offset_bytes
        self._checksum = checksum
        self._held = ExitStack()
        self._upload: TusUpload | None = None
        self._file: PartialFile | None = None

    def open(self) -> None:
        held = self._service.writing(self._upload_id, self._caller)
        self._upload, self._file = self._held.enter_context(held)
        if self._offset_bytes != self._upload.offset_bytes:
            raise WrongOffset(self._upload.offset_bytes)

    def feed(self, data: bytes) -> None:
        upload, file = self._upload, self._file
        assert upload is not None, "open() comes first"
        if not data:
            return
        if file is None or file.size_bytes + len(data) > upload.length_bytes:
            raise TusRefused(413, f"the file was announced with {upload.length_bytes} bytes")
        file.write(data)
        if self._checksum is not None:
            self._checksum.running.update(data)
        elif file.size_bytes - upload.offset_bytes >= KEPT_EVERY_BYTES:
            self._keep(upload, file)

    def _keep(self, upload: TusUpload, file: PartialFile) -> TusUpload:
        durable_bytes = file.make_durable()
        if durable_bytes == upload.length_bytes:
            return upload  # told by `complete`, once the file is in its place
        self._upload = self._service.keep(upload, durable_bytes)
        return self._upload

    def finish(self) -> TusUpload:
        upload, file = self._upload, self._file
        assert upload is not None, "open() comes first"
        with self._held:
            if file is None:
                return upload
            if self._checksum is not None and not self._checksum.holds:
                file.fall_back()
                self._file = None
                raise ChecksumMismatch("this request: send these bytes again")
            upload = self._keep(upload, file)
            if file.size_bytes == upload.length_bytes:
                self._file = None  # the service's from here on
                upload = self._service.complete(upload, file)
            self._file = None
            return upload

    def abort(self, message: str) -> None:
        """The request failed or was cut off: keeps what may be kept."""
        upload, file, self._file = self._upload, self._file, None
        with self._held:
            if upload is None or file is None or not file.is_open:
                return
            _log.info("resumable upload %s: %s", upload.where.file_name, message)
            try:
                if self._checksum is None and file.size_bytes < upload.length_bytes:
                    self._keep(upload, file)
                else:
                    file.fall_back()
            except LakeError as error:
                _log.error("the last bytes of a resumable upload are dropped: %s", error.message)
                file.close()

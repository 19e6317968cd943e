"""The body of one upload: exactly one `file` part, committed once the whole body was sound."""

from __future__ import annotations

import logging

from multipart import MultipartSegment

from embedded_server.contract import DIGEST_HEADER, UploadAnswer
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import InvalidParam, LakeError, Refused
from embedded_server.domain.lake_path import LakePath
from embedded_server.routes.form_parts import FormConsumer
from embedded_server.routes.multipart_headers import sha256_of_digest_header
from embedded_server.services.open_syncs import SyncGate
from embedded_server.services.upload_service import Upload, UploadService

_log = logging.getLogger(__name__)


class UploadForm(FormConsumer):
    def __init__(
        self,
        boundary: bytes,
        service: UploadService,
        sync_id: int,
        path_text: str | None,
        caller: Caller = OWNER,
        body_sha256: str | None = None,
    ) -> None:
        super().__init__(boundary, max_files=2, body_sha256=body_sha256)
        self._service = service
        self._sync_id = sync_id
        self._path_text = path_text
        self._caller = caller
        self._upload: Upload | None = None
        self._expected_sha256: str | None = None
        self._place: tuple[SyncGate, LakePath] | None = None

    def open(self) -> None:
        """Before any byte of the body is looked at: is there such a sync, and such a place?"""
        gate = self._service.find_sync(self._sync_id, self._caller)
        self._place = gate, self._service.folder_in(gate, self._path_text)

    def open_now(self) -> bool:
        """As `open`; False where that would have to ask the catalog."""
        gate = self._service.find_sync_now(self._sync_id, self._caller)
        if gate is None:
            return False
        self._place = gate, self._service.folder_in(gate, self._path_text)
        return True

    def on_file_begins(self, file_name: str | None, segment: MultipartSegment) -> None:
        assert self._place is not None, "open() comes first"
        if self._upload is not None:
            self._drop()
            raise Refused("one request carries one file: the body has a second 'file' part")
        if file_name is None:
            raise InvalidParam("the part 'file' has no file name")
        self._expected_sha256 = sha256_of_digest_header(segment.header(DIGEST_HEADER))
        gate, folder = self._place
        self._upload = self._service.begin(gate, folder, file_name, key_name=self._caller.key_name)

    def on_file_data(self, data: bytes) -> None:
        assert self._upload is not None
        self._upload.write(data)

    def on_file_ends(self) -> None:
        assert self._upload is not None
        self._upload.arrived(self._expected_sha256)

    def arrived(self) -> tuple[SyncGate, Upload]:
        """The whole body was fed; gives the file that is to be committed."""
        assert self._place is not None
        self.feed_end()
        if self._upload is None:
            raise InvalidParam("the field 'file' is missing in the body")
        return self._place[0], self._upload

    def committed(self, failure: LakeError | None) -> UploadAnswer:
        """What a commit came to; the attempt is over. Raises the failure."""
        upload, self._upload = self._upload, None
        if failure is not None:
            raise failure
        assert upload is not None
        assert upload.received is not None
        return UploadAnswer(0, None, upload.received.sha256, upload.received.size_bytes)

    def finish(self) -> UploadAnswer:
        """The whole body was fed; answers once the file is durable and in its place."""
        [failure] = self._service.commit([self.arrived()])
        return self.committed(failure)

    def abort(self, message: str) -> None:
        """The request failed or its connection ended; safe to call whatever came before."""
        upload, self._upload = self._upload, None
        if upload is not None:
            try:
                upload.fail(message)
            except LakeError as error:  # the first failure is the one to answer
                _log.error("a failed upload could not be recorded: %s", error.message)

    def _drop(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.drop()

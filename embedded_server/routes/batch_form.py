"""The body of a batch: many small `file` parts that share their waits for the disk."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from multipart import MultipartSegment

from embedded_server.contract import (
    BATCH_FOLDER_HEADER,
    DIGEST_HEADER,
    BatchFileResult,
    UploadAnswer,
)
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import BodyTooLarge, InvalidParam, LakeError
from embedded_server.domain.lake_path import LakePath
from embedded_server.routes.form_parts import FormConsumer
from embedded_server.routes.multipart_headers import folder_of_header, sha256_of_digest_header
from embedded_server.services.open_syncs import SyncGate
from embedded_server.services.upload_service import Upload, UploadService

BATCH_MAX_FILES = 512
BATCH_MAX_BYTES = 16 << 20
# Files are fsynced in groups while the rest still arrives: the disk works while the network does,
# and no request holds more than this many open files.
_SYNC_GROUP_FILES = 128

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Part:
    """What is known of one part, in the order of the parts."""

    folder: str
    name: str
    upload: Upload | None = None
    error: LakeError | None = None
    expected_sha256: str | None = None

    def result(self) -> BatchFileResult:
        if self.error is not None:
            answer = UploadAnswer(self.error.status, self.error.message)
        else:
            assert self.upload is not None
            assert self.upload.received is not None
            received = self.upload.received
            answer = UploadAnswer(0, None, received.sha256, received.size_bytes)
        return BatchFileResult(self.folder, self.name, answer)


class BatchForm(FormConsumer):
    def __init__(
        self,
        boundary: bytes,
        service: UploadService,
        sync_id: int,
        caller: Caller = OWNER,
        body_sha256: str | None = None,
    ) -> None:
        super().__init__(boundary, max_files=BATCH_MAX_FILES, body_sha256=body_sha256)
        self._service = service
        self._sync_id = sync_id
        self._caller = caller
        self._gate: SyncGate | None = None
        self._parts: list[_Part] = []
        self._not_durable: list[_Part] = []
        self._folders: dict[str | None, LakePath] = {}
        self._size_bytes = 0

    def open(self) -> None:
        self._gate = self._service.find_sync(self._sync_id, self._caller)

    def feed(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > BATCH_MAX_BYTES:
            raise BodyTooLarge(f"a batch holds at most {BATCH_MAX_BYTES} bytes: send smaller ones")
        super().feed(data)

    def on_file_begins(self, file_name: str | None, segment: MultipartSegment) -> None:
        assert self._gate is not None, "open() comes first"
        if len(self._parts) == BATCH_MAX_FILES:
            raise BodyTooLarge(f"a batch holds at most {BATCH_MAX_FILES} files: send smaller ones")
        if len(self._not_durable) >= _SYNC_GROUP_FILES:
            self._make_durable(may_wait=False)
        part = _Part(segment.header(BATCH_FOLDER_HEADER) or "", file_name or "")
        self._parts.append(part)
        try:
            folder = self._folder(segment)
            part.folder = str(folder)
            part.expected_sha256 = sha256_of_digest_header(segment.header(DIGEST_HEADER))
            if file_name is None:
                raise InvalidParam("the part has no file name")
            part.upload = self._service.begin(
                self._gate, folder, file_name, in_batch=True, key_name=self._caller.key_name
            )
        except LakeError as error:
            part.error = error

    def _folder(self, segment: MultipartSegment) -> LakePath:
        assert self._gate is not None
        raw = segment.header(BATCH_FOLDER_HEADER)
        folder = self._folders.get(raw)
        if folder is None:
            folder = self._service.folder_in(self._gate, folder_of_header(raw))
            self._folders[raw] = folder
        return folder

    def on_file_data(self, data: bytes) -> None:
        part = self._parts[-1]
        if part.upload is not None and part.error is None:
            try:
                part.upload.write(data)
            except LakeError as error:
                part.error = error

    def on_file_ends(self) -> None:
        part = self._parts[-1]
        if part.upload is None or part.error is not None:
            return
        try:
            part.upload.arrived(part.expected_sha256)
        except LakeError as error:
            part.error = error
            return
        self._not_durable.append(part)

    def _make_durable(self, *, may_wait: bool) -> None:
        group, self._not_durable = self._not_durable, []
        if not group:
            return
        uploads = [part.upload for part in group if part.upload is not None]
        for part, error in zip(
            group, self._service.make_durable(uploads, may_wait=may_wait), strict=True
        ):
            part.error = error

    def finish(self) -> list[BatchFileResult]:
        """The whole body was fed; answers once every good part is durable and in its place."""
        assert self._gate is not None
        self.feed_end()
        if not self._parts:
            raise InvalidParam("the field 'file' is missing in the body")
        self._make_durable(may_wait=True)
        good = [part for part in self._parts if part.upload is not None and part.error is None]
        failed = [
            (part.upload, part.error)
            for part in self._parts
            if part.upload is not None and part.error is not None
        ]
        uploads = [part.upload for part in good if part.upload is not None]
        outcomes = self._service.commit_batch(self._gate, uploads, failed)
        for part, error in zip(good, outcomes, strict=True):
            part.error = error
        results = [part.result() for part in self._parts]
        self._parts = []
        return results

    def abort(self, message: str) -> None:
        """Nothing of the batch was acknowledged; its temporary files go.

        Files may be in sight all the same: when the catalog failed after they were published. A
        batch is resent as a whole, and then they are found standing.
        """
        parts, self._parts = self._parts, []
        _log.info("a batch of %d files was given up: %s", len(parts), message)
        for part in parts:
            if part.upload is not None:
                try:
                    part.upload.drop()
                except LakeError as error:
                    _log.error("a temporary file stays until the next start: %s", error.message)

"""Resumable uploads: begun once, fed by any number of requests, put in place by the last one.

Durable at every step, in this order: the upload is written down before its address is told; an
offset is written down after the bytes before it were synced; `arrived` before the file is moved;
its place and its history row before the last request is answered. So whatever a start finds can be
taken further or given up, and an offset that a client was told stays true.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from embedded_server.contract import SyncStatus
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import (
    LakeError,
    LakeFault,
    LakeFull,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
    SyncNotFound,
)
from embedded_server.domain.lake_path import checked_name
from embedded_server.domain.ports import Clock, Lake
from embedded_server.domain.sync import Sync
from embedded_server.domain.tus_ports import PartialFile, Partials, TusRecords
from embedded_server.domain.tus_upload import (
    ChecksumMismatch,
    TusState,
    TusUpload,
    UploadBusy,
    UploadGone,
)
from embedded_server.domain.upload import Destination, UploadRow
from embedded_server.services.open_syncs import OpenSyncs

# An upload that is over is remembered for a client whose last answer was lost.
REMEMBERED_MS = 24 * 3600 * 1000
MAX_FILE_BYTES = 16 << 40
_OPEN_FILES = 256
_DELETED = "the client deleted the upload"
_SYNC_OVER = "the sync was over before the file had arrived whole"
_OVER = (SyncNotFound, SyncAlreadyEnded, SyncAborted, SyncExpired)

_log = logging.getLogger(__name__)


class TusService:
    def __init__(
        self,
        lake: Lake,
        partials: Partials,
        records: TusRecords,
        open_syncs: OpenSyncs,
        clock: Clock,
        idle_limit_ms: int,
    ) -> None:
        """`idle_limit_ms`: how long a sync that nobody feeds lives, and its uploads with it."""
        self.idle_limit_ms = idle_limit_ms
        self._lake = lake
        self._partials = partials
        self._records = records
        self._open_syncs = open_syncs
        self._clock = clock
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        # Kept open between requests, with their digests; the one used last stands last.
        self._files: dict[str, PartialFile] = {}
        open_syncs.when_over(self.give_up_of_sync)

    def close(self) -> None:
        with self._lock:
            files, self._files = self._files, {}
        for file in files.values():
            file.close()

    # -- before the first answer -------------------------------------------------------------

    def recover(self) -> None:
        """Puts in place what had arrived; forgets what no upload owns. May be interrupted."""
        running = self._records.open_uploads()
        self._partials.keep_only(frozenset(upload.upload_id for upload in running))
        for upload in running:
            try:
                if upload.state is TusState.ARRIVED:
                    self._put_in_place(upload)
                else:
                    self._open_syncs.find(upload.sync_id)
            except _OVER:
                self._fail(upload, _SYNC_OVER)
            except LakeError as error:  # its own client is told when it asks again
                _log.error("upload %s waits: %s", upload.where.file_name, error.message)
        self.forget_old()

    # -- one request each --------------------------------------------------------------------

    def create(
        self,
        sync_id: int,
        path_text: str | None,
        file_name: str,
        length_bytes: int,
        metadata: str,
        expected_sha256: str,
        caller: Caller = OWNER,
    ) -> TusUpload:
        """Raises `SyncNotFound` or what else a sync that is over says, `NotAllowed`,
        `InvalidParam`, `LakeFull`."""
        gate = self._open_syncs.find(sync_id)
        where = Destination(gate.sync.folder_of(path_text), checked_name(file_name))
        caller.check_may_write(where.folder)
        if not self._partials.has_room_for(length_bytes):
            raise LakeFull
        now_ms = self._clock()
        return self._records.add(
            TusUpload(
                *(secrets.token_hex(16), sync_id, where, length_bytes, metadata, expected_sha256),
                created_at_ms=now_ms,
                touched_at_ms=now_ms,
                key_name=caller.key_name,
            )
        )

    def look(self, upload_id: str, caller: Caller = OWNER) -> TusUpload:
        """What a client may go on from. Raises `UploadGone`, `UploadBusy`, `NotAllowed`.

        A file that has arrived but could not be put in its place is tried again here: a client that
        sees the whole length takes the upload for done. Raises what still stands in its way.
        """
        with self._alone(upload_id):
            upload = self._found(upload_id, caller)
            if upload.state is TusState.ARRIVED:
                return self._put_in_place(upload)
            if upload.state is TusState.RECEIVING:
                self._raise_if_sync_is_over(upload)
            return upload

    def delete(self, upload_id: str, caller: Caller = OWNER) -> None:
        """What is in its place already stays there.

        Raises `UploadGone`, `UploadBusy`, `NotAllowed`.
        """
        with self._alone(upload_id):
            upload = self._found(upload_id, caller)
            if upload.state is TusState.FINISHED:
                self._records.forget([upload_id])
            else:
                self._fail(upload, _DELETED)

    @contextmanager
    def writing(
        self, upload_id: str, caller: Caller = OWNER
    ) -> Iterator[tuple[TusUpload, PartialFile | None]]:
        """The upload and its file, nobody else's meanwhile; None where nothing more may come.

        Raises `UploadGone`, `UploadBusy`, `NotAllowed`, what a sync that is over says, `LakeFault`.
        """
        with self._alone(upload_id):
            upload = self._found(upload_id, caller)
            if upload.state is TusState.ARRIVED:
                upload = self._put_in_place(upload)
            if upload.state is TusState.FINISHED:
                yield upload, None
                return
            self._raise_if_sync_is_over(upload)
            yield upload, self._file_of(upload)

    def keep(self, upload: TusUpload, offset_bytes: int) -> TusUpload:
        """Writes the offset down, once the bytes before it are durable."""
        return self._records.save_offset(upload, offset_bytes, self._clock())

    def complete(self, upload: TusUpload, file: PartialFile) -> TusUpload:
        """All bytes are here and durable: checks the digest, then puts the file in its place.

        Raises `ChecksumMismatch`, and what stands in the way of the file.
        """
        received = file.received()
        self._close_file(upload.upload_id)
        if upload.expected_sha256 not in ("", received.sha256):
            self._fail(upload, "the bytes that arrived do not have the digest that was promised")
            raise ChecksumMismatch("the upload: begin it again")
        arrived = upload.arrived(received.sha256)
        self._records.save_state(arrived, self._clock())
        return self._put_in_place(arrived)

    # -- housekeeping ------------------------------------------------------------------------

    def give_up_of_sync(self, sync_id: int) -> None:
        """The sync is over: what has not arrived stays out."""
        for upload in self._records.open_uploads(sync_id):
            self._give_up(upload)

    def forget_old(self) -> None:
        """What has been over for a day. What is not over lives as long as its sync does."""
        self._records.forget_over(self._clock() - REMEMBERED_MS)

    def _give_up(self, upload: TusUpload) -> None:
        try:
            with self._alone(upload.upload_id):
                now = self._records.find(upload.upload_id)
                if now is not None and not now.is_over:
                    self._fail(now, _SYNC_OVER)
        except UploadBusy:
            pass  # the request that holds it is told by the sync's gate
        except LakeError as error:
            _log.error("a partial file stays for now: %s", error.message)

    # -- inside ------------------------------------------------------------------------------

    def _found(self, upload_id: str, caller: Caller) -> TusUpload:
        upload = self._records.find(upload_id)
        if upload is None:
            raise UploadGone
        caller.check_may_write(upload.where.folder)
        if upload.state is TusState.FAILED:
            raise UploadGone(f"this upload is over: {upload.message}")
        return upload

    def _raise_if_sync_is_over(self, upload: TusUpload) -> None:
        try:
            self._open_syncs.find(upload.sync_id)
        except _OVER:
            self._fail(upload, _SYNC_OVER)
            raise

    def _put_in_place(self, upload: TusUpload) -> TusUpload:
        """From arrived to finished. Raises `PathConflict` and the like once it has failed for good,
        `LakeFull` or `LakeFault` when it may be tried again."""
        try:
            gate = self._open_syncs.find(upload.sync_id)
            with gate.committing():
                mtime_ns = self._moved(gate.sync, upload)
                finished = upload.finished()
                self._records.finish(finished, self._row(finished, None, mtime_ns), self._clock())
                return finished
        except (LakeFull, LakeFault):
            raise
        except LakeError as error:
            self._fail(upload, error.message)
            raise

    def _moved(self, sync: Sync, upload: TusUpload) -> int:
        """Returns the mtime (ns) of the file in its place."""
        received = self._partials.arrived(upload.upload_id, upload.length_bytes, upload.sha256)
        if received is not None:
            [outcome] = self._lake.publish(sync, [(received, upload.where)])
            if isinstance(outcome, LakeError):
                raise outcome
            return outcome.mtime_ns
        # A run that was killed had moved it already.
        mtime_ns = self._lake.found_in_place(sync, upload.where, upload.length_bytes, upload.sha256)
        if mtime_ns is None:
            raise UploadGone("the file was moved and is not there: begin it again")
        return mtime_ns

    def _fail(self, upload: TusUpload, why: str) -> None:
        failed = upload.failed(why)
        self._records.finish(failed, self._row(failed, why), self._clock())
        self._close_file(upload.upload_id)
        self._partials.remove(upload.upload_id)

    def _row(self, upload: TusUpload, failure: str | None, mtime_ns: int = 0) -> UploadRow:
        return UploadRow(
            upload.sync_id,
            str(upload.where.folder),
            upload.where.file_name,
            upload.offset_bytes,
            upload.sha256,
            upload.created_at_ms,
            self._clock(),
            SyncStatus.FINISHED if failure is None else SyncStatus.FAILED,
            failure or "",
            mtime_ns,
            upload.key_name,
        )

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        with self._lock:
            if upload_id in self._busy:
                raise UploadBusy
            self._busy.add(upload_id)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(upload_id)

    def _file_of(self, upload: TusUpload) -> PartialFile:
        with self._lock:
            file = self._files.pop(upload.upload_id, None)
        if file is not None and file.is_open and file.size_bytes != upload.offset_bytes:
            file.close()  # bytes came, and their offset could not be written down
        if file is None or not file.is_open:
            file = self._partials.open(upload.upload_id, upload.offset_bytes)
        with self._lock:
            self._files[upload.upload_id] = file
            idle = [name for name in self._files if name not in self._busy]
            too_many = len(self._files) - _OPEN_FILES
            closing = [self._files.pop(name) for name in idle[: max(0, too_many)]]
        for other in closing:
            other.close()
        return file

    def _close_file(self, upload_id: str) -> None:
        with self._lock:
            file = self._files.pop(upload_id, None)
        if file is not None:
            file.close()

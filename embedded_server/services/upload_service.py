"""Takes files into a sync: one at a time, or many that share their waits for the disk.

A file's way: `begin` → `write`… → `arrived` → `commit`. Until `commit` has answered nothing of it
is in sight; whatever goes wrong, the temporary file is removed. An attempt that began and failed is
a Failed row of the history; a request that is refused before it begins leaves no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from embedded_server.contract import SyncStatus
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import LakeError, Refused
from embedded_server.domain.lake_path import LakePath, checked_name
from embedded_server.domain.ports import Catalog, Clock, Lake
from embedded_server.domain.upload import Destination, ReceivedFile, UploadRow
from embedded_server.services.open_syncs import OpenSyncs, SyncGate

# A smaller file is there before anybody could read that it is on its way: its row is written once.
_SHOWN_FROM_BYTES = 1 << 20


class Upload:
    """One file that is arriving. Used by one thread at a time."""

    def __init__(
        self,
        gate: SyncGate,
        where: Destination,
        lake: Lake,
        catalog: Catalog,
        clock: Clock,
        *,
        in_batch: bool,
        key_name: str,
    ) -> None:
        self.where = where
        self.received: ReceivedFile | None = None
        self._sync_id = gate.sync.sync_id
        self._catalog = catalog
        self._clock = clock
        self._started_at_ms = clock()
        self._in_batch = in_batch
        self._key_name = key_name
        self._history_id: int | None = None
        self._size_bytes = 0
        self.incoming = lake.new_incoming()

    @property
    def is_shown(self) -> bool:
        """Whether the history has its row already, as on its way."""
        return self._history_id is not None

    def write(self, data: bytes) -> None:
        self.incoming.write(data)
        self._size_bytes += len(data)
        is_late = self._history_id is None and self._size_bytes > _SHOWN_FROM_BYTES
        if is_late and not self._in_batch:  # all rows of a batch are written together
            self._history_id = self._catalog.begin_upload(
                self._sync_id, self.where, self._started_at_ms
            )

    def arrived(self, expected_sha256: str | None) -> None:
        """All bytes are here. Raises `Refused` when they are not those that were promised."""
        received = self.incoming.written()
        if expected_sha256 is not None and expected_sha256 != received.sha256:
            raise Refused(
                "the bytes that arrived do not have the digest that was sent with them:"
                " send the file again"
            )
        self.received = received

    def row(self, failure: str | None) -> UploadRow:
        received = self.received
        return UploadRow(
            self._sync_id,
            str(self.where.folder),
            self.where.file_name,
            self._size_bytes,
            "" if received is None else received.sha256,
            self._started_at_ms,
            self._clock(),
            SyncStatus.FINISHED if failure is None else SyncStatus.FAILED,
            failure or "",
            0 if received is None else received.mtime_ns,
            self._key_name,
        )

    def record(self, failure: str | None) -> None:
        """Writes the attempt's outcome into the history, durably."""
        if self._history_id is None:
            self._catalog.add_finished_uploads([self.row(failure)])
        else:
            self._catalog.finish_upload(self._history_id, self.row(failure))

    def fail(self, message: str) -> None:
        """Over without success: nothing stays behind but the row that says why."""
        self.incoming.discard()
        self.record(message)

    def drop(self) -> None:
        """The request is refused: no trace, unless the history showed it on its way already."""
        self.incoming.discard()
        if self._history_id is not None:
            self.record("the request was refused")


class UploadService:
    def __init__(self, lake: Lake, catalog: Catalog, open_syncs: OpenSyncs, clock: Clock) -> None:
        self._lake = lake
        self._catalog = catalog
        self._open_syncs = open_syncs
        self._clock = clock

    def find_sync(self, sync_id: int, caller: Caller = OWNER) -> SyncGate:
        """Raises `SyncNotFound`, `SyncAlreadyEnded`, `NotAllowed`."""
        gate = self._open_syncs.find(sync_id)
        caller.check_may_write(gate.sync.path)
        return gate

    def folder_in(self, gate: SyncGate, path_text: str | None) -> LakePath:
        """The folder that a request names, or the sync's own. Raises `InvalidParam`."""
        return gate.sync.folder_of(path_text)

    def begin(
        self,
        gate: SyncGate,
        folder: LakePath,
        file_name: str,
        *,
        in_batch: bool = False,
        key_name: str = "",
    ) -> Upload:
        """Raises `InvalidParam` for a name the lake cannot hold, `LakeFull`, `LakeFault`."""
        where = Destination(folder, checked_name(file_name))
        return Upload(
            gate,
            where,
            self._lake,
            self._catalog,
            self._clock,
            in_batch=in_batch,
            key_name=key_name,
        )

    def commit(self, arrived: Sequence[tuple[SyncGate, Upload]]) -> Sequence[LakeError | None]:
        """Makes files durable, puts them in their places and writes their rows; each on its merit.

        They may be of different requests and syncs: they share their waits for the disk and one
        catalog transaction. What failed is discarded. Raises what the catalog says: then nothing
        is acknowledged, though files may be in sight; sent again, they are found standing.
        """
        outcomes = list(self.make_durable([upload for _, upload in arrived]))
        of_gate: dict[SyncGate, list[int]] = {}
        for index, (gate, _) in enumerate(arrived):
            if outcomes[index] is None:
                of_gate.setdefault(gate, []).append(index)
        with ExitStack() as inside:
            for gate, indices in of_gate.items():
                results: Sequence[LakeError | None]
                try:
                    inside.enter_context(gate.committing())
                except LakeError as ended:
                    results = [ended] * len(indices)
                else:
                    uploads = [arrived[index][1] for index in indices]
                    files = [(_whole(upload), upload.where) for upload in uploads]
                    results = self._lake.publish(gate.sync, files)
                for index, result in zip(indices, results, strict=True):
                    outcomes[index] = result
            self._record([upload for _, upload in arrived], outcomes)
        return outcomes

    def _record(self, uploads: Sequence[Upload], outcomes: Sequence[LakeError | None]) -> None:
        rows = []
        for upload, error in zip(uploads, outcomes, strict=True):
            failure = None if error is None else error.message
            if error is not None:
                upload.incoming.discard()
            if upload.is_shown:
                upload.record(failure)
            else:
                rows.append(upload.row(failure))
        self._catalog.add_finished_uploads(rows)

    def make_durable(self, uploads: Sequence[Upload]) -> Sequence[LakeError | None]:
        """Part of a batch, while the rest of it is still arriving."""
        errors: list[LakeError | None] = []
        outcomes = self._lake.make_durable([upload.incoming for upload in uploads])
        for upload, outcome in zip(uploads, outcomes, strict=True):
            if isinstance(outcome, LakeError):
                errors.append(outcome)
            else:
                upload.received = outcome
                errors.append(None)
        return errors

    def commit_batch(
        self, gate: SyncGate, uploads: Sequence[Upload], failed: Sequence[tuple[Upload, LakeError]]
    ) -> Sequence[LakeError | None]:
        """Publishes durable files, each on its own merit, under one catalog transaction.

        `failed` are attempts of the same batch that are over already; their rows go with it.
        Raises `SyncAlreadyEnded` (then nothing is in), or what the catalog says.
        """
        for upload, _ in failed:
            upload.incoming.discard()
        rows = [upload.row(error.message) for upload, error in failed]
        with gate.committing():
            outcomes = self._lake.publish(
                gate.sync,
                [(_whole(upload), upload.where) for upload in uploads],
            )
            for upload, error in zip(uploads, outcomes, strict=True):
                if error is not None:
                    upload.incoming.discard()
                rows.append(upload.row(None if error is None else error.message))
            self._catalog.add_finished_uploads(rows)
        return outcomes


def _whole(upload: Upload) -> ReceivedFile:
    assert upload.received is not None, "arrived() comes before commit()"
    return upload.received

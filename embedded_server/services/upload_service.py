"""Takes files into a sync: one at a time, or many that share their waits for the disk.

A file's way: `begin` → `write`… → `arrived` → `commit`. Until `commit` has answered nothing of it
is in sight; whatever goes wrong, the temporary file is removed. An attempt that began and failed is
a Failed row of the history; a request that is refused before it begins leaves no row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack

from embedded_server.contract import SyncStatus
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import LakeError, Refused
from embedded_server.domain.lake_path import LakePath, checked_name
from embedded_server.domain.ports import Catalog, Clock, Lake
from embedded_server.domain.upload import Destination, Published, ReceivedFile, UploadRow
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
    def history_id(self) -> int | None:
        """Of its row, where the history shows it on its way already."""
        return self._history_id

    @property
    def is_kept(self) -> bool:
        """Whether it is in memory alone, for `Lake.publish` to take along."""
        return self.received is not None and self.received.kept is not None

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

    def find_sync_now(self, sync_id: int, caller: Caller = OWNER) -> SyncGate | None:
        """As `find_sync`; None where the catalog would have to be asked."""
        gate = self._open_syncs.find_now(sync_id)
        if gate is not None:
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
        waiting = [upload for _, upload in arrived if not upload.is_kept]
        errors = dict(zip(waiting, self.make_durable(waiting, may_wait=True), strict=True))
        outcomes: list[Published | LakeError | None] = [errors.get(it) for _, it in arrived]
        rows: dict[int, UploadRow] = {}
        of_gate: dict[SyncGate, list[int]] = {}
        for index, (gate, upload) in enumerate(arrived):
            if outcomes[index] is None:
                rows[index] = upload.row(None)
                of_gate.setdefault(gate, []).append(index)
        with ExitStack() as inside:
            for gate, indices in of_gate.items():
                results: Sequence[Published | LakeError]
                try:
                    inside.enter_context(gate.committing())
                except LakeError as ended:
                    results = [ended] * len(indices)
                else:
                    uploads = [arrived[index][1] for index in indices]
                    files = [(_whole(upload), upload.where) for upload in uploads]
                    results = self._lake.publish(gate.sync, files, [rows[i] for i in indices])
                for index, result in zip(indices, results, strict=True):
                    outcomes[index] = result
            self._record([upload for _, upload in arrived], outcomes, rows)
        return [it if isinstance(it, LakeError) else None for it in outcomes]

    def commit_soon(
        self, gate: SyncGate, uploads: Sequence[Upload]
    ) -> Awaitable[Sequence[LakeError | None]] | None:
        """As `commit`, begun already, of small files of one sync; for an event loop.

        None where that would have to wait: then it is `commit`'s. However often it is cancelled, it
        comes to its end.
        """
        # What an incremental sync brings is synced before it comes into sight: always a wait.
        if not gate.sync.is_full or any(upload.history_id is not None for upload in uploads):
            return None
        if not self._lake.takes_along([upload.incoming for upload in uploads]):
            return None
        self.make_durable(uploads, may_wait=True)
        with ExitStack() as inside:
            try:
                inside.enter_context(gate.committing())
            except LakeError:
                return None
            rows = [upload.row(None) for upload in uploads]
            files = [(_whole(upload), upload.where) for upload in uploads]
            begun = self._lake.publish_soon(gate.sync, files, rows)
            if begun is None:
                return None
            return self._commit_soon(uploads, rows, begun, inside.pop_all())

    async def _commit_soon(
        self,
        uploads: Sequence[Upload],
        rows: Sequence[UploadRow],
        begun: Awaitable[Sequence[Published | LakeError]],
        inside: ExitStack,
    ) -> Sequence[LakeError | None]:
        with inside:
            outcomes = await begun
            new_rows, durable = self._rows_of(uploads, outcomes, dict(enumerate(rows)))
            await self._catalog.add_finished_uploads_soon(list(new_rows.values()), durable)
        return [it if isinstance(it, LakeError) else None for it in outcomes]

    def _record(
        self,
        uploads: Sequence[Upload],
        outcomes: Sequence[Published | LakeError | None],
        rows: Mapping[int, UploadRow],
    ) -> None:
        told, durable = self._rows_of(uploads, outcomes, rows)
        for index, upload in enumerate(uploads):
            if upload.history_id is not None:
                self._catalog.finish_upload(upload.history_id, told.pop(index))
        self._catalog.add_finished_uploads(list(told.values()), durable)

    def _rows_of(
        self,
        uploads: Sequence[Upload],
        outcomes: Sequence[Published | LakeError | None],
        rows: Mapping[int, UploadRow],
    ) -> tuple[dict[int, UploadRow], Callable[[], bool]]:
        """The row of each, and what tells whether they must be durable by themselves."""
        told: dict[int, UploadRow] = {}
        held: list[Callable[[], bool]] = []
        for index, (upload, outcome) in enumerate(zip(uploads, outcomes, strict=True)):
            assert outcome is not None, "published, or failed"
            if isinstance(outcome, LakeError):
                upload.incoming.discard()
                told[index] = upload.row(outcome.message)
                held.append(_not_held)
            else:
                told[index] = rows[index]._replace(mtime_ns=outcome.mtime_ns)
                held.append(outcome.is_held)
        return told, lambda: not all(it() for it in held)

    def make_durable(
        self, uploads: Sequence[Upload], *, may_wait: bool = False
    ) -> Sequence[LakeError | None]:
        """Part of a batch, while the rest of it is still arriving; the last part `may_wait`."""
        errors: list[LakeError | None] = []
        incoming = [upload.incoming for upload in uploads]
        outcomes = self._lake.make_durable(incoming, may_wait=may_wait)
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
        rows = {index: upload.row(None) for index, upload in enumerate(uploads)}
        with gate.committing():
            outcomes = self._lake.publish(
                gate.sync,
                [(_whole(upload), upload.where) for upload in uploads],
                list(rows.values()),
            )
            self._record(
                [*(upload for upload, _ in failed), *uploads],
                [*(error for _, error in failed), *outcomes],
                {len(failed) + index: row for index, row in rows.items()},
            )
        return [it if isinstance(it, LakeError) else None for it in outcomes]


def _not_held() -> bool:
    return False


def _whole(upload: Upload) -> ReceivedFile:
    assert upload.received is not None, "arrived() comes before commit()"
    return upload.received

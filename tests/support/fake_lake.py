"""A lake in memory that is its own gateway: what the engine's tests run against.

It passes the same conformance suite as the HTTP gateway. By default it is a LakeDrop server with
every extension; `plain=True` makes it the public backend as `embedded_server/contract.py` and the
README describe it, traps included (staging by path, trash by last name, no digests).

Faults are told beforehand: `fail` (an error before or after the work was done), `corrupt` (other
bytes are stored than were sent) and `hold` (a call waits until the test lets it go).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain.errors import (
    FileRefused,
    InvalidApiKey,
    LakeDropError,
    LakeRefused,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
    SyncNotFound,
)
from app.domain.ports import FileContent, OnSent, SmallFile, UploadReceipt
from app.domain.resumable import HowFar
from embedded_server import contract
from embedded_server.contract import (
    Capabilities,
    LakeUsage,
    SyncJob,
    SyncStatus,
    SyncType,
    UploadRecord,
)
from embedded_server.contract_extensions import EXTENSION_BROWSE, LakeEntries
from tests.support.fake_resumable import take
from tests.support.fake_store import FakeStore, below
from tests.support.fault_plan import Call, Gate

FAKE_KEY = "cccccccc-14a1-4eb1-8964-000000000000"
ALL_EXTENSIONS = frozenset(
    {
        contract.EXTENSION_ABORT,
        contract.EXTENSION_BATCH,
        EXTENSION_BROWSE,
        contract.EXTENSION_DIGEST,
        contract.EXTENSION_IDEMPOTENCY,
        contract.EXTENSION_TUS,
        contract.EXTENSION_USAGE,
    }
)


class FakeLake:
    """Implements `LakeGateway`. Paths are lake paths such as `/data/x/part-1.csv`."""

    def __init__(
        self,
        *,
        plain: bool = False,
        extensions: frozenset[str] | None = None,
        key: str = FAKE_KEY,
        batch_max_files: int = 128,
        batch_max_bytes: int = 16 * 1024 * 1024,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self.extensions = (
            frozenset() if plain else ALL_EXTENSIONS if extensions is None else extensions
        )
        self.is_plain = plain
        self.closed = False
        self._batch_max_files = batch_max_files
        self._batch_max_bytes = batch_max_bytes
        self._now_ms = now_ms
        self._key = key
        self._store = FakeStore(key)

    def with_key(self, key: str) -> FakeLake:
        """The same lake, asked with another key."""
        other = FakeLake(
            plain=self.is_plain,
            extensions=self.extensions,
            key=key,
            batch_max_files=self._batch_max_files,
            batch_max_bytes=self._batch_max_bytes,
            now_ms=self._now_ms,
        )
        other._store = self._store
        return other

    # What a test looks at.

    @property
    def published(self) -> dict[str, bytes]:
        """What a reader sees: lake path → bytes."""
        with self._store.lock:
            return dict(self._store.published)

    @property
    def staged(self) -> dict[str, bytes]:
        with self._store.lock:
            return {
                path: data for stage in self._store.staged.values() for path, data in stage.items()
            }

    @property
    def trash(self) -> dict[str, bytes]:
        """Trash path → bytes; on a plain server only the last folder name survives."""
        with self._store.lock:
            return dict(self._store.trash)

    @property
    def calls(self) -> list[Call]:
        return self._store.plan.calls

    def calls_of(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def names_sent(self) -> list[str]:
        """The base names of all uploads and batch parts, in the order they came."""
        return [name for call in self.calls for _, name in call.files]

    def job(self, sync_id: int) -> SyncJob:
        with self._store.lock:
            return next(job for job in self._store.jobs if job.sync_id == sync_id)

    def seed(
        self,
        *,
        published: dict[str, bytes] | None = None,
        jobs: Sequence[SyncJob] = (),
        history: Sequence[UploadRecord] = (),
    ) -> None:
        """Puts data there without any call."""
        with self._store.lock:
            self._store.published.update(published or {})
            self._store.jobs.extend(jobs)
            self._store.history.extend(history)

    def change_behind(self, path: str, data: bytes) -> None:
        """As somebody does who writes into the lake's folder beside its server."""
        with self._store.lock:
            self._store.published[path] = data

    # What a test makes go wrong.

    def expire(self, sync_id: int) -> None:
        """As a server does with a sync that nobody feeds."""
        with self._store.lock:
            self._give_up(self._running_job(sync_id), SyncExpired)

    def fail(
        self,
        call: str,
        error: LakeDropError,
        *,
        times: int = 1,
        file_name: str | None = None,
        after: bool = False,
    ) -> None:
        """The next `times` calls raise `error`; with `after`, once all was done (a lost answer).

        With `file_name`, only uploads of that base name. What is told for `upload` also meets the
        parts of a batch, as that part's own outcome.
        """
        self._store.plan.fail(call, error, times, file_name, after=after)

    def corrupt(self, file_name: str, times: int = 1) -> None:
        """Stores other bytes than were sent; a server that tells digests tells the wrong one."""
        with self._store.lock:
            self._store.corrupt[file_name] = times

    def hold(self, call: str) -> Gate:
        """Every such call waits, before it does anything, until the gate is released."""
        return self._store.plan.hold(call)

    # The gateway.

    def capabilities(self) -> Capabilities | None:
        self._store.plan.begin(Call("capabilities"))
        if not self.extensions:
            return None
        return Capabilities(
            contract.VERSION, self.extensions, self._batch_max_files, self._batch_max_bytes
        )

    def start_sync(self, name: str, path: str, sync_type: SyncType, once: str | None = None) -> int:
        self._store.plan.begin(Call("start_sync", path=path))
        self._check_key()
        if contract.EXTENSION_IDEMPOTENCY not in self.extensions:
            once = None
        with self._store.lock:
            known = None if once is None else self._store.begun_once.get(once)
            sync_id = known or (self._store.jobs[-1].sync_id + 1 if self._store.jobs else 1)
            if known is None:
                self._store.jobs.append(
                    SyncJob(
                        0, sync_id, name, path, sync_type, SyncStatus.SYNCING, self._tick(), 0, 0, 0
                    )
                )
            if once is not None:
                self._store.begun_once[once] = sync_id
        self._store.plan.finish("start_sync")
        return sync_id

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        self._store.plan.begin(Call("upload", sync_id, ((folder, name),)), name)
        row = self._begin_upload(sync_id, folder, name)
        whole = bytearray()
        try:
            take(whole, content, content.size_bytes, on_sent)
        except BaseException:
            self._fail_upload(row, "the upload was cut")
            raise
        receipt = self._keep(row, folder, name, bytes(whole))
        self._store.plan.finish("upload", name)
        return receipt

    def begin_upload(self, sync_id: int, folder: str, name: str, size_bytes: int) -> str:
        self._store.plan.begin(Call("begin_upload", sync_id, ((folder, name),)), name)
        row = self._begin_upload(sync_id, folder, name)
        return self._store.resumable.add(row, folder, name, size_bytes)

    def how_far(self, upload_id: str) -> HowFar | None:
        self._store.plan.begin(Call("how_far"))
        with self._store.lock:
            return self._store.resumable.how_far(upload_id, self._running_job)

    def go_on_upload(
        self, upload_id: str, offset_bytes: int, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        resumable = self._store.resumable
        name = resumable.name_of(upload_id)
        self._store.plan.begin(Call("go_on_upload", files=((str(offset_bytes), name),)), name)
        receipt = resumable.go_on(upload_id, offset_bytes, content, on_sent, self._keep)
        self._store.plan.finish("go_on_upload", name)
        return receipt

    def give_up_upload(self, upload_id: str) -> None:
        self._store.plan.begin(Call("give_up_upload"))
        self._store.resumable.forget(upload_id)

    def upload_batch(
        self, sync_id: int, files: Sequence[SmallFile], on_sent: OnSent
    ) -> list[UploadReceipt | LakeDropError]:
        self._store.plan.begin(
            Call("upload_batch", sync_id, tuple((file.folder, file.name) for file in files))
        )
        if contract.EXTENSION_BATCH not in self.extensions:
            raise LakeRefused("This server takes no batches.")
        outcomes: list[UploadReceipt | LakeDropError] = []
        for file in files:
            on_sent(len(file.content))
            try:
                self._store.plan.raise_fault("upload", file.name, after=False)
                row = self._begin_upload(sync_id, file.folder, file.name)
                if hashlib.sha256(file.content).hexdigest() != file.sha256:
                    self._fail_upload(row, "other bytes than the digest says")
                    raise FileRefused("The bytes are not those that the digest names.")
                outcomes.append(self._keep(row, file.folder, file.name, file.content))
            except FileRefused as refusal:
                outcomes.append(refusal)
            except LakeRefused:
                raise  # the sync itself is refused, so is the whole batch
            except LakeDropError as failure:
                outcomes.append(failure)
        self._store.plan.finish("upload_batch")
        return outcomes

    def end_sync(self, sync_id: int) -> None:
        self._store.plan.begin(Call("end_sync", sync_id))
        self._check_key()
        with self._store.lock:
            job = self._running_job(sync_id)
            if job.sync_type is SyncType.FULL:
                self._swap(job)
            self._store.jobs[self._store.jobs.index(job)] = replace(
                job, sync_status=SyncStatus.FINISHED, end_time=self._tick()
            )
        self._store.plan.finish("end_sync")

    def abort_sync(self, sync_id: int) -> bool:
        self._store.plan.begin(Call("abort_sync", sync_id))
        if contract.EXTENSION_ABORT not in self.extensions:
            return False
        self._check_key()
        with self._store.lock:
            if self._store.given_up.get(sync_id) is not SyncAborted:
                self._give_up(self._running_job(sync_id), SyncAborted)
        self._store.plan.finish("abort_sync")
        return True

    def sync_jobs(self, offset: int, limit: int) -> list[SyncJob]:
        self._store.plan.begin(Call("sync_jobs"))
        self._check_page(offset, limit)
        with self._store.lock:
            return self._store.jobs[offset : offset + limit]

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        self._store.plan.begin(Call("history"))
        self._check_page(offset, limit)
        with self._store.lock:
            return self._store.history[offset : offset + limit]

    def usage(self, path: str) -> LakeUsage | None:
        self._store.plan.begin(Call("usage", path=path))
        if contract.EXTENSION_USAGE not in self.extensions:
            return None
        with self._store.lock:
            sizes = [len(data) for _, data in below(self._store.published, path)]
        return LakeUsage(path, len(sizes), sum(sizes))

    def entries(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        self._store.plan.begin(Call("entries", path=folder))
        if EXTENSION_BROWSE not in self.extensions:
            return None
        self._check_page(offset, limit)
        with self._store.lock:
            rows = self._store.listed(folder)
        self._store.plan.finish("entries")
        return LakeEntries(len(rows), tuple(rows[offset : offset + limit]))

    def check(self) -> None:
        self._store.plan.begin(Call("check"))
        self._check_key()

    def close(self) -> None:
        self.closed = True

    def _check_key(self) -> None:
        if self._key != self._store.key:
            raise InvalidApiKey("The server does not accept this API key.")

    @staticmethod
    def _check_page(offset: int, limit: int) -> None:
        if offset < 0 or not 0 <= limit <= contract.MAX_PAGE_SIZE:
            raise LakeRefused("from and size must be whole numbers, size at most 1000")

    def _tick(self) -> int:
        """Milliseconds since 1970; without a clock of the test's own each look is one later."""
        self._store.moment_ms += 1
        return self._store.moment_ms if self._now_ms is None else self._now_ms()

    def _give_up(self, job: SyncJob, told: type[LakeRefused]) -> None:
        self._store.given_up[job.sync_id] = told
        self._store.staged.pop(str(job.sync_id), None)
        self._store.jobs[self._store.jobs.index(job)] = replace(
            job, sync_status=SyncStatus.FAILED, end_time=self._tick()
        )

    def _running_job(self, sync_id: int) -> SyncJob:
        if sync_id in self._store.given_up:
            raise self._store.given_up[sync_id]("The server gave the sync up.")
        for job in self._store.jobs:
            if job.sync_id == sync_id:
                if job.sync_status is not SyncStatus.SYNCING:
                    raise SyncAlreadyEnded("The sync has ended.")
                return job
        raise SyncNotFound(f"The server does not know the sync {sync_id}.")

    def _begin_upload(self, sync_id: int, folder: str, name: str) -> UploadRecord:
        with self._store.lock:
            job = self._running_job(sync_id)
            if not f"{folder}/".startswith(f"{job.path}/") or "/../" in f"{folder}/":
                raise FileRefused(f"{folder} does not lie below {job.path}.")
            if name in ("", ".", "..") or "/" in name or "\0" in name:
                raise FileRefused(f"{name!r} is no good as a file name.")
            number = self._store.history[-1].history_id + 1 if self._store.history else 1
            row = UploadRecord(0, number, sync_id, name, self._tick(), 0, SyncStatus.SYNCING, "")
            self._store.history.append(row)
            return row

    def _fail_upload(self, row: UploadRecord, message: str) -> None:
        with self._store.lock:
            self._store.record(row, SyncStatus.FAILED, message, self._tick())

    def _keep(self, row: UploadRecord, folder: str, name: str, data: bytes) -> UploadReceipt:
        with self._store.lock:
            if self._store.corrupt.get(name, 0) > 0:
                self._store.corrupt[name] -= 1
                data = b"\xff" + data[1:] if data[:1] != b"\xff" else b"\x00" + data[1:]
            job = self._running_job(row.sync_id)
            path = f"{folder}/{name}"
            if job.sync_type is SyncType.FULL:
                self._store.staged.setdefault(self._stage_of(job), {})[path] = data
            else:
                if path in self._store.published and not self.is_plain:
                    self._store.trash[f"{job.sync_id}{path}"] = self._store.published[path]
                self._store.published[path] = data
                self._store.known[path] = hashlib.sha256(data).hexdigest()
            self._store.record(row, SyncStatus.FINISHED, "", self._tick())
        if contract.EXTENSION_DIGEST not in self.extensions:
            return UploadReceipt(None, None)
        return UploadReceipt(hashlib.sha256(data).hexdigest(), len(data))

    def _stage_of(self, job: SyncJob) -> str:
        # The public backend stages by path: an abandoned sync's files go out with the next one.
        return job.path if self.is_plain else str(job.sync_id)

    def _swap(self, job: SyncJob) -> None:
        old = list(below(self._store.published, job.path))
        trashed_as = job.path.rsplit("/", 1)[-1] if self.is_plain else f"{job.sync_id}{job.path}"
        if old:
            for path, _ in list(below(self._store.trash, trashed_as)):
                del self._store.trash[path]
        for path, data in old:
            self._store.trash[trashed_as + path.removeprefix(job.path)] = data
            del self._store.published[path]
            self._store.known.pop(path, None)
        staged = self._store.staged.pop(self._stage_of(job), {})
        self._store.published.update(staged)
        for path, data in staged.items():
            self._store.known[path] = hashlib.sha256(data).hexdigest()

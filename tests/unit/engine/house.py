"""A whole engine on a real journal and real files, with a lake in memory behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.domain.connections import LOCAL_LAKE, Connection
from app.domain.ports import Gateways, Journal, LakeGateway, Receipts, SourceFiles
from app.domain.queue_item import ItemState, QueueItem
from app.domain.retry_policy import RetryPolicy
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import Consents, JobState, Source, UploadJob
from app.engine.run_ports import RunPorts, RunSettings
from app.engine.transfer_engine import TransferEngine
from app.infra.receipt_files import ReceiptFiles
from app.infra.source_files import LocalSourceFiles
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType
from tests.support.fake_gateways import FakeGateways
from tests.support.fake_lake import FakeLake

WITHIN_S = 30.0
DESTINATION = "/data/x"
AT_ONCE = RetryPolicy(attempts=3, base_s=0.0, cap_s=0.0)
IN_A_YEAR = RetryPolicy(attempts=3, base_s=3e7, cap_s=3e7)
"""Nobody waits for it: what must happen during a back-off has all the time it needs."""
RESTS = (
    JobState.FINISHED,
    JobState.NEEDS_ATTENTION,
    JobState.FAILED,
    JobState.CANCELLED,
)
THREE = {"a": b"1", "b": b"22", "deep__c": b"333"}
ONE_BY_ONE = RunSettings(workers=1, batch_files=1, retry=AT_ONCE)


class Sighting:
    """Waits for what the engine tells, never for time."""

    def __init__(self) -> None:
        self._told = threading.Condition()

    def notify(self) -> None:
        with self._told:
            self._told.notify_all()

    def wait_for(self, what: Callable[[], bool], text: str) -> None:
        with self._told:
            # In slices: counters change without a word, states with one.
            for _ in range(int(WITHIN_S / 0.02)):
                if what():
                    return
                self._told.wait(0.02)
        raise AssertionError(f"it never came to this: {text}")


class House:
    """`home` keeps the journal, so that a second house on it is the engine after this one."""

    def __init__(
        self,
        home: Path,
        lake: LakeGateway | None = None,
        *,
        retry: RetryPolicy = AT_ONCE,
        settings: RunSettings | None = None,
        sources: SourceFiles | None = None,
        journal: Journal | None = None,
        key_of: Callable[[UploadJob], str | None] = lambda _: "key",
        gateways: Gateways | None = None,
        receipts: Receipts | None = None,
        recover: bool = True,
    ) -> None:
        self.home = home
        self.on_change: Callable[[int], None] = lambda _: None
        self.lake = FakeLake() if lake is None else lake
        self.gateways = FakeGateways(self.lake)
        self.sighting = Sighting()
        self.journal = SqliteJournal(home / "journal.db") if journal is None else journal
        self.engine = TransferEngine(
            RunPorts(
                self.journal,
                self.gateways if gateways is None else gateways,
                LocalSourceFiles() if sources is None else sources,
                SystemClock(),
                key_of,
                ReceiptFiles(home / "receipts") if receipts is None else receipts,
            ),
            RunSettings(retry=retry) if settings is None else settings,
            self._changed,
        )
        if recover:
            self.engine.recover()

    def _changed(self, job_id: int) -> None:
        self.on_change(job_id)
        self.sighting.notify()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.engine.close()
        self.journal.close()

    def add(
        self,
        *paths: Path,
        mode: SyncType = SyncType.INCREMENTAL,
        connection: Connection = LOCAL_LAKE,
    ) -> int:
        """A draft of these files and of the contents of these folders, all of them found."""
        sources = tuple(Source(str(path), contents_only=path.is_dir()) for path in paths)
        job_id = self.engine.add_job(connection, DESTINATION, mode, "nightly", sources)
        self.engine.wait_intake(job_id)
        return job_id

    def start(
        self,
        *paths: Path,
        mode: SyncType = SyncType.INCREMENTAL,
        consents: Consents | None = None,
        connection: Connection = LOCAL_LAKE,
    ) -> int:
        job_id = self.add(*paths, mode=mode, connection=connection)
        self.engine.start_job(job_id, Consents() if consents is None else consents)
        return job_id

    def wait(self, job_id: int, *states: JobState) -> JobSnapshot:
        self.sighting.wait_for(
            lambda: self.engine.snapshot(job_id).state in states,
            f"job {job_id} in {states}, but it is {self.engine.snapshot(job_id)}",
        )
        return self.engine.snapshot(job_id)

    def wait_idle(self) -> None:
        self.sighting.wait_for(lambda: not self.engine.is_busy, "an engine at rest")

    def items(self, job_id: int) -> dict[str, QueueItem]:
        """By lake path below the destination."""
        rows = self.journal.items(job_id, None, 0, 100_000)
        return {item.lake_path.removeprefix(DESTINATION + "/"): item for item in rows}

    def states(self, job_id: int) -> dict[str, ItemState]:
        return {name: item.state for name, item in self.items(job_id).items()}


def write_files(folder: Path, **contents: bytes) -> Path:
    """`a__b` is the file `a/b`; each gets the ending `.csv`."""
    for name, content in contents.items():
        path = folder / (name.replace("__", "/") + ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def in_lake(**contents: bytes) -> dict[str, bytes]:
    """What `write_files` gave, as the lake shows it."""
    return {f"{DESTINATION}/{name.replace('__', '/')}.csv": data for name, data in contents.items()}

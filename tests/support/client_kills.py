"""One job whose engine is killed at instants of chance, again and again, until it has come through.

The lake's server is sound and lives on. What a user asked for is asked again only where no answer
came; from the answer to *start* on nobody does anything but start the next engine.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.link.engine_client import EngineClient, JobWatch
from app.link.engine_errors import EngineGone
from embedded_server.contract import SyncType
from tests.support.broken_engines import SOUND
from tests.support.forked_engine import CONNECTION, ForkedEngine, connect_to
from tests.support.forked_process import HUNG_S, Zygote
from tests.support.forked_server import ForkedServer
from tests.support.home import Home
from tests.support.lake_connection import LakeConnection
from tests.support.lake_oracle import left_behind, published
from tests.support.uploaders import lake_file

DESTINATION = "/data/team"
_RESTS = ENDED | {JobState.NEEDS_ATTENTION, JobState.PAUSED}
_OLD = lake_file(f"{DESTINATION}/old.bin")


@dataclass(slots=True)
class Outcome:
    """`kills`: those that met a job that had not ended; `took_s`: of the last engine."""

    complaints: list[str] = field(default_factory=list)
    kills: int = 0
    took_s: float = 0.0


class ClientRound:
    """`shape` is what is uploaded: file name below a folder → size in bytes; names are unique."""

    def __init__(
        self,
        engines: Zygote,
        server: ForkedServer,
        folder: Path,
        shape: Mapping[str, int],
        mode: SyncType,
        seed: int,
        build: str = SOUND,
    ) -> None:
        self._engines = engines
        self._server = server
        self._home = Home(folder / "home")
        self._mode = mode
        self._build = build
        self._chance = random.Random(seed)
        self._is_kept = self._chance.random() < 0.5  # as a window's draft
        self._started_id: int | None = None
        self._last: JobSnapshot
        self._outcome = Outcome()
        self._dataset = folder / "dataset"
        self._expected: dict[str, bytes] = {}
        for path, size_bytes in shape.items():
            data = random.Random(f"{seed} {path}").randbytes(size_bytes)
            (self._dataset / path).parent.mkdir(parents=True, exist_ok=True)
            (self._dataset / path).write_bytes(data)
            self._expected[f"{DESTINATION}/{path}"] = data

    def run(self, kills: int, within_s: float) -> Outcome:
        """`kills` at most, each at an instant within so long of its engine's start."""
        connect_to(self._home, self._server.address)
        with LakeConnection(self._server.port) as lake:  # what a full sync is to replace
            sync_id = lake.started(DESTINATION, self._mode.value)
            assert lake.upload(sync_id, _OLD).is_success
            assert lake.end(sync_id).is_success
        while True:
            delay_s = self._chance.uniform(0, within_s) if self._outcome.kills < kills else None
            engine = ForkedEngine(self._engines, self._home, self._build)
            ready = time.monotonic()
            with _Killer(engine, delay_s) as killer:
                try:
                    with engine.screen() as client:
                        self._see_through(client)
                    self._outcome.took_s = time.monotonic() - ready
                    break
                except EngineGone:
                    assert killer.has_struck.wait(HUNG_S), "the engine ended by itself"
                    self._outcome.kills += 1
            self._look_between()
        self._look_at_the_end()
        return self._outcome

    def _see_through(self, client: EngineClient) -> None:
        """Returns when the job has come to rest, however."""
        watch = self._watched(client)
        self._compare_with_the_server(watch.now)
        if watch.now.state is JobState.DRAFT:
            if self._started_id is not None:
                self._complain("a job that was started is a draft again")
            client.request("wait_intake", job_id=watch.now.job_id)
            client.request("start_job", job_id=watch.now.job_id, consents={})
            self._started_id = watch.now.job_id
            watch = client.watch(watch.now.job_id)
        while watch.now.state not in _RESTS:
            assert watch.wait(HUNG_S), f"nothing moves: {watch.now}"
            self._look_at(watch.now)
        self._look_at(watch.now)
        self._last = watch.now

    def _watched(self, client: EngineClient) -> JobWatch:
        """The one job that there is; added where there is none, or it was told to be over."""
        jobs = client.request("watch_jobs")["jobs"]
        for job in map(JobSnapshot.from_wire, jobs):
            if job.state is not JobState.CANCELLED:
                return client.watch(job.job_id)
            if job.job_id == self._started_id:
                self._complain(f"a job that was started is cancelled: {job.message}")
        if self._started_id is not None:
            self._complain("a job that was started is not known any more")
        asked: dict[str, Any] = {
            "connection": {"name": CONNECTION},
            "key": None,
            "destination": DESTINATION,
            "mode": self._mode.value,
            "name": "",
            "sources": [[str(self._dataset), True]],
            "kept": self._is_kept,
        }
        return client.watch(int(client.request("add_job", **asked)["job_id"]))

    # -- what must hold ----------------------------------------------------------------------

    def _look_at(self, job: JobSnapshot) -> None:
        if self._started_id is not None and job.files != len(self._expected):
            self._complain(f"{job.files} files are planned, of {len(self._expected)}")
        if job.state is JobState.FINISHED and self._in_sight() != self._wanted():
            self._complain("all is told to be done, and the lake has not all of it")

    def _compare_with_the_server(self, job: JobSnapshot) -> None:
        """What an engine reads in its journal at its start was acknowledged before."""
        with LakeConnection(self._server.port) as lake:
            rows = [row for row in lake.history() if row["sync_status"] == "Finished"]
        there = {row["file_name"] for row in rows} - {_OLD.name}
        if job.files_arrived > len(there):
            self._complain(f"{job.files_arrived} files are told to be done, of {len(there)}")
        self._look_at(job)

    def _in_sight(self) -> dict[str, bytes]:
        return published(self._server.lake)

    def _wanted(self) -> dict[str, bytes]:
        if self._mode is SyncType.FULL:
            return self._expected
        return {**self._expected, _OLD.path: _OLD.data}

    def _look_between(self) -> None:
        """A full sync's folder may be swapped at this very moment: looked at in the end alone."""
        if self._mode is SyncType.INCREMENTAL:
            wrong = self._in_sight().items() - self._wanted().items()
            self._outcome.complaints += [f"{path} has wrong bytes" for path, _ in wrong]

    def _look_at_the_end(self) -> None:
        if self._last.state is not JobState.FINISHED:
            self._complain(f"the job has not come to its end: {self._last}")
            return
        if self._last.files_verified != len(self._expected):
            self._complain(f"{self._last.files_verified} files are verified")
        if self._in_sight() != self._wanted():
            self._complain("the lake does not hold exactly what was uploaded")
        trash = [path.name for path in self._server.trash.rglob("*") if path.is_file()]
        if trash != ([_OLD.name] if self._mode is SyncType.FULL else []):
            self._complain(f"in the trash there is {trash[:9]}")
        with LakeConnection(self._server.port) as lake:
            states = [job["sync_status"] for job in lake.jobs()]
            rows = Counter(row["file_name"] for row in lake.history())
        if states != ["Finished", "Finished"]:
            self._complain(f"one sync came before, and now there are {states}")
        for path in self._expected:
            times = rows[path.rpartition("/")[2]]
            if not 1 <= times <= 1 + self._outcome.kills:
                self._complain(f"{path} was sent {times} times, of {self._outcome.kills} kills")
        self._outcome.complaints += left_behind(self._server.lake)

    def _complain(self, text: str) -> None:
        self._outcome.complaints.append(text)


class _Killer:
    """Kills the engine after a while, unless it is left before that."""

    def __init__(self, engine: ForkedEngine, after_s: float | None) -> None:
        self.has_struck = threading.Event()
        self._is_left = threading.Event()
        self._engine = engine
        self._after_s = after_s
        self._thread = threading.Thread(target=self._strike)

    def _strike(self) -> None:
        if self._after_s is not None and not self._is_left.wait(self._after_s):
            self._engine.kill()
            self.has_struck.set()

    def __enter__(self) -> _Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left.set()
        self._thread.join()
        self._engine.kill()

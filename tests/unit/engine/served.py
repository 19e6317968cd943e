"""The engine's socket served to tests, with jobs that they change as they like."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

from app.domain.errors import WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.engine.engine_service import EngineService
from app.link.engine_client import EngineClient
from app.link.protocol import RuntimeFile
from tests.support.fake_engine import snapshot

WITHIN_S = 30.0
KEY = b"the engine's key"


class Jobs:
    """What the service shows: one job, changed by the test."""

    def __init__(self) -> None:
        self.now = snapshot(JobState.UPLOADING)
        self.moment = 1
        self.busy = False
        self.looks = 0

    def version(self, job_id: int) -> int:
        if job_id != 1:
            raise WrongUse(f"There is no job {job_id}.")
        return self.moment

    def snapshot(self, job_id: int) -> JobSnapshot:
        self.looks += 1
        return self.now

    def shown(self) -> list[int]:
        return [1]

    def is_busy(self) -> bool:
        return self.busy

    def change(self, state: JobState = JobState.UPLOADING, **changes: Any) -> None:
        self.now = replace(self.now, state=state, **changes)
        self.moment += 1


class Served:
    def __init__(self, service: EngineService, address: str, jobs: Jobs) -> None:
        self.service = service
        self.jobs = jobs
        self.address = address
        self.thread = threading.Thread(target=service.serve, name="serve")
        self.thread.start()

    def runtime(self, key: bytes = KEY) -> RuntimeFile:
        return RuntimeFile(self.address, key.hex(), os.getpid())

    def screen(self) -> EngineClient:
        return EngineClient.connect(self.runtime(), timeout_s=WITHIN_S)

    def ended(self) -> bool:
        self.thread.join(WITHIN_S)
        return not self.thread.is_alive()


@contextmanager
def served(
    commands: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] | None = None,
    *,
    linger_s: float = 3_600.0,
    jobs: Jobs | None = None,
) -> Iterator[Served]:
    jobs = jobs or Jobs()
    with ExitStack() as closing:
        folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="lakedrop-test-"))
        address = str(Path(folder) / "s")
        service = EngineService(
            Listener(address, "AF_UNIX", backlog=16),
            KEY,
            {"echo": dict, **(commands or {})},
            jobs.snapshot,
            jobs.version,
            jobs.shown,
            jobs.is_busy,
            linger_s,
        )
        engine = Served(service, address, jobs)
        try:
            yield engine
        finally:
            service.stop()
            assert engine.ended()

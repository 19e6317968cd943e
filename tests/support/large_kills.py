"""One large file on its way through a proxy that counts, and one kill in the middle of it.

Engine or server: whoever is killed, the next one goes on, and nobody asks it to.
"""

from __future__ import annotations

import hashlib
import random
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.link.engine_client import EngineClient
from tests.support.broken_engines import SOUND
from tests.support.fault_proxy import FaultProxy
from tests.support.forked_engine import CONNECTION, ForkedEngine, connect_to
from tests.support.forked_process import HUNG_S, Zygote
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.home import Home
from tests.support.lake_connection import LakeConnection
from tests.support.lake_oracle import left_behind

MIB = 1024 * 1024
DESTINATION = "/data/large"
_MOST_SENT_AGAIN_BYTES = 64 * MIB
_HEADS_BYTES = MIB  # far more than those of all requests
_RESTS = ENDED | {JobState.NEEDS_ATTENTION, JobState.PAUSED}


class Victim(Enum):
    ENGINE = "engine"
    SERVER = "server"


class LargeFileRound:
    """`engines` are of `build`; used as a context manager."""

    def __init__(
        self,
        engines: Zygote,
        servers: ForkedServers,
        proxy: FaultProxy,
        folder: Path,
        size_bytes: int,
        build: str = SOUND,
    ) -> None:
        self._engines = engines
        self._servers = servers
        self._proxy = proxy
        self._lake = folder / "lake"
        self._build = build
        self._size_bytes = size_bytes
        self._source = folder / "large.bin"
        self._source.write_bytes(random.Random(size_bytes).randbytes(MIB) * (size_bytes // MIB))
        self._home = Home(folder / "home")
        self._server = self._served()
        connect_to(self._home, proxy.address)
        self._engine = ForkedEngine(engines, self._home, build)

    def __enter__(self) -> LargeFileRound:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._engine.kill()
        self._server.kill()
        for path in (self._source, self._stored):
            path.unlink(missing_ok=True)

    def run(self, victim: Victim, at_byte: int) -> list[str]:
        """What went wrong, in words; nothing when every promise held."""
        with self._engine.screen() as client:
            job_id = self._started(client)
        self._proxy.wait_for_sent_bytes(at_byte)
        if victim is Victim.ENGINE:
            self._engine.kill()
            self._engine = ForkedEngine(self._engines, self._home, self._build)
        else:
            self._server.kill()
            self._server = self._served()
        with self._engine.screen() as client:
            return self._found_wrong(_at_rest(client, job_id))

    @property
    def _stored(self) -> Path:
        return self._lake / "files" / DESTINATION.strip("/") / self._source.name

    def _served(self) -> ForkedServer:
        # The first name is the one that it tells.
        names = ["--name", "127.0.0.1", "--name", f"127.0.0.1:{self._proxy.port}"]
        server = ForkedServer(self._servers, self._lake, flags=names)
        self._proxy.lead_to(server.port)
        return server

    def _started(self, client: EngineClient) -> int:
        asked: dict[str, Any] = {
            "connection": {"name": CONNECTION},
            "key": None,
            "destination": DESTINATION,
            "mode": "FullSync",
            "name": "",
            "sources": [[str(self._source), False]],
            "kept": True,
        }
        job_id = int(client.request("add_job", **asked)["job_id"])
        client.request("wait_intake", job_id=job_id)
        client.request("start_job", job_id=job_id, consents={})
        return job_id

    def _found_wrong(self, job: JobSnapshot) -> list[str]:
        wrong: list[str] = []
        if job.state is not JobState.FINISHED or job.files_verified != 1:
            wrong.append(f"the job has not come to its end: {job}")
        most_bytes = self._size_bytes + _MOST_SENT_AGAIN_BYTES + _HEADS_BYTES
        if self._proxy.sent_bytes > most_bytes:
            wrong.append(
                f"{self._proxy.sent_bytes // MIB} MiB were sent for {self._size_bytes // MIB} MiB"
            )
        if not self._stored.is_file() or _digest(self._stored) != _digest(self._source):
            wrong.append("the lake does not hold exactly the file")
        if [path for path in self._server.files.rglob("*") if path.is_file()] != [self._stored]:
            wrong.append("the lake holds other files")
        with LakeConnection(self._server.port) as lake:
            states = [row["sync_status"] for row in lake.jobs()]
        if states != ["Finished"]:
            wrong.append(f"one sync was to be made, and there are {states}")
        assert self._server.stop() == 0
        return wrong + left_behind(self._lake)


def _at_rest(client: EngineClient, job_id: int) -> JobSnapshot:
    watch = client.watch(job_id)
    while watch.now.state not in _RESTS:
        assert watch.wait(HUNG_S), f"nothing moves: {watch.now}"
    return watch.now


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

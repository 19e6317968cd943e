"""What a lake in memory holds, and how a folder of it is listed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from app.domain.errors import LakeRefused
from embedded_server.contract import SyncJob, SyncStatus, UploadRecord
from embedded_server.contract_extensions import LakeEntry
from tests.support.fake_resumable import FakeResumable
from tests.support.fault_plan import FaultPlan

_FIRST_MOMENT_MS = 1_700_000_000_000


@dataclass(slots=True)
class FakeStore:
    """What all views of one lake share; `lock` guards everything in it."""

    key: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    published: dict[str, bytes] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # digests of what came by uploads
    staged: dict[str, dict[str, bytes]] = field(default_factory=dict)
    trash: dict[str, bytes] = field(default_factory=dict)
    jobs: list[SyncJob] = field(default_factory=list)
    history: list[UploadRecord] = field(default_factory=list)
    plan: FaultPlan = field(default_factory=FaultPlan)
    corrupt: dict[str, int] = field(default_factory=dict)
    begun_once: dict[str, int] = field(default_factory=dict)
    given_up: dict[int, type[LakeRefused]] = field(default_factory=dict)
    resumable: FakeResumable = field(default_factory=FakeResumable)
    moment_ms: int = _FIRST_MOMENT_MS

    def record(self, row: UploadRecord, status: SyncStatus, message: str, now_ms: int) -> None:
        self.history[self.history.index(row)] = replace(
            row, sync_status=status, end_time=now_ms, message=message
        )
        for place, job in enumerate(self.jobs):
            if job.sync_id == row.sync_id:
                self.jobs[place] = replace(
                    job,
                    total_files=job.total_files + 1,
                    num_failed=job.num_failed + (status is SyncStatus.FAILED),
                )

    def listed(self, folder: str) -> list[LakeEntry]:
        """By name. Of a file that is not what an upload brought, the upload's digest is told."""
        found: dict[str, LakeEntry] = {}
        for path, data in below(self.published, folder):
            name, slash, _ = path.removeprefix(folder + "/").partition("/")
            sha256 = "" if slash else self.known.get(path, "")
            found[name] = LakeEntry(
                name,
                "folder" if slash else "file",
                0 if slash else len(data),
                _FIRST_MOMENT_MS,
                1 if sha256 else None,
                sha256,
                changed=not slash and sha256 != hashlib.sha256(data).hexdigest(),
            )
        return [found[name] for name in sorted(found)]


def below(files: dict[str, bytes], path: str) -> Iterator[tuple[str, bytes]]:
    for name, data in files.items():
        if name.startswith(path + "/"):
            yield name, data

"""Files that other programs write or lock while they are uploaded, on a lake in memory and ours."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.ports import FileContent, LakeGateway, OnSent, UploadReceipt
from app.domain.queue_item import Assurance, ItemState
from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import JobState
from app.engine.run_ports import RunSettings
from app.infra.http_gateway import HttpGateway
from embedded_server.contract import SyncType
from tests.support.fake_lake import FAKE_KEY, FakeLake
from tests.support.locked_file import LockedFile
from tests.support.real_server import RealServer
from tests.unit.engine.house import DESTINATION, RESTS, House, in_lake, write_files

LARGE = 3 * 1024 * 1024  # more than a batch takes: three pieces
OLD, NEW = b"o" * LARGE, b"n" * LARGE
PATIENT = RetryPolicy(attempts=10_000, base_s=0.01, cap_s=0.01)
MODES = [SyncType.FULL, SyncType.INCREMENTAL]
needs_leases = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


class Meddler:
    """Writes to a.csv after the first piece of an upload of it has left, `times` times."""

    def __init__(self) -> None:
        self.times = 0
        self.write: Callable[[], None] = lambda: None

    def around(self, name: str, on_sent: OnSent) -> OnSent:
        is_first = name == "a.csv"  # b.csv goes beside it, on another thread

        def sent(count: int) -> None:
            nonlocal is_first
            if is_first and self.times:
                self.times -= 1
                self.write()
            is_first = False
            on_sent(count)

        return sent


class MeddledFakeLake(FakeLake):
    def __init__(self, meddler: Meddler) -> None:
        super().__init__()
        self._meddler = meddler

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        return super().upload(sync_id, folder, name, content, self._meddler.around(name, on_sent))


class MeddledGateway(HttpGateway):
    def __init__(self, address: str, meddler: Meddler) -> None:
        super().__init__(address, FAKE_KEY)
        self._meddler = meddler

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        return super().upload(sync_id, folder, name, content, self._meddler.around(name, on_sent))


@dataclass(frozen=True, slots=True)
class Lake:
    gateway: LakeGateway
    meddler: Meddler
    published: Callable[[], dict[str, bytes]]


@contextmanager
def _in_memory(_: Path) -> Iterator[Lake]:
    meddler = Meddler()
    lake = MeddledFakeLake(meddler)
    yield Lake(lake, meddler, lambda: lake.published)


@contextmanager
def _real(root: Path) -> Iterator[Lake]:
    meddler = Meddler()
    with RealServer(root / "lake", api_key=FAKE_KEY) as server:
        gateway = MeddledGateway(server.address, meddler)

        def published() -> dict[str, bytes]:
            return {
                f"/{path.relative_to(server.files).as_posix()}": path.read_bytes()
                for path in server.files.rglob("*")
                if path.is_file()
            }

        try:
            yield Lake(gateway, meddler, published)
        finally:
            gateway.close()


LAKES: dict[str, Callable[[Path], AbstractContextManager[Lake]]] = {
    "in memory": _in_memory,
    "real server": _real,
}


@pytest.fixture(params=LAKES)
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    with LAKES[request.param](tmp_path) as made:
        yield made


def _rewritten(path: Path) -> Callable[[], None]:
    """Same length, so only the times tell: half of the old bytes are on their way already."""

    def write() -> None:
        before = path.stat()
        path.write_bytes(NEW)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))

    return write


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_changes_while_it_is_sent_starts_over(
    tmp_path: Path, lake: Lake, mode: SyncType
) -> None:
    folder = write_files(tmp_path / "in", a=OLD, b=b"2")
    lake.meddler.times, lake.meddler.write = 1, _rewritten(folder / "a.csv")
    with House(tmp_path, lake.gateway) as house:
        job_id = house.start(folder, mode=mode)
        done = house.wait(job_id, *RESTS)
        item = house.items(job_id)["a.csv"]

    assert (done.state, done.files_verified, done.bytes_sent) == (
        JobState.FINISHED,
        2,
        LARGE + 1,
    )
    assert (item.tries, item.assurance) == (2, Assurance.VERIFIED)
    assert item.sha256 == hashlib.sha256(NEW).hexdigest()
    assert lake.published() == in_lake(a=NEW, b=b"2")


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_changes_at_every_try_fails_and_is_never_in_the_lake_mixed(
    tmp_path: Path, lake: Lake, mode: SyncType
) -> None:
    folder = write_files(tmp_path / "in", a=OLD, b=b"2")
    lake.meddler.times, lake.meddler.write = 1_000, _rewritten(folder / "a.csv")
    with House(tmp_path, lake.gateway) as house:
        job_id = house.start(folder, mode=mode)
        rests = house.wait(job_id, *RESTS)
        items = house.items(job_id)

    failed = items["a.csv"]
    assert (rests.state, rests.files_failed) == (JobState.NEEDS_ATTENTION, 1)
    assert (failed.state, failed.problem, failed.tries) == (ItemState.FAILED, "SourceChanged", 3)
    assert (failed.assurance, failed.sha256) == (Assurance.NONE, "")
    assert "changed while it was read" in failed.message
    assert items["b.csv"].state is ItemState.UPLOADED
    assert f"{DESTINATION}/a.csv" not in lake.published()


@needs_leases
@pytest.mark.parametrize("size", [5, LARGE], ids=["small", "large"])
def test_a_locked_file_waits_until_it_is_free(tmp_path: Path, lake: Lake, size: int) -> None:
    folder = write_files(tmp_path / "in", a=b"x" * size, b=b"2")
    settings = RunSettings(retry=PATIENT)
    with (
        LockedFile(folder / "a.csv") as lock,
        House(tmp_path, lake.gateway, settings=settings) as house,
    ):
        job_id = house.start(folder)
        house.sighting.wait_for(
            lambda: any("locked" in why for _, why in house.engine.snapshot(job_id).waiting),
            "a file that waits, and why",
        )
        assert f"{DESTINATION}/a.csv" not in lake.published()
        lock.release()
        done = house.wait(job_id, *RESTS)
        item = house.items(job_id)["a.csv"]

    assert (done.state, done.files_verified) == (JobState.FINISHED, 2)
    assert item.tries > 1
    assert lake.published() == in_lake(a=b"x" * size, b=b"2")


@needs_leases
def test_a_file_that_stays_locked_fails_with_that_reason_and_alone(
    tmp_path: Path, lake: Lake
) -> None:
    folder = write_files(tmp_path / "in", a=b"1", b=b"2")
    with LockedFile(folder / "a.csv") as lock, House(tmp_path, lake.gateway) as house:
        job_id = house.start(folder)
        rests = house.wait(job_id, *RESTS)
        failed = house.items(job_id)["a.csv"]
        lock.release()
        house.engine.retry_job(job_id)
        done = house.wait(job_id, *RESTS)

    assert (rests.state, rests.files_arrived) == (JobState.NEEDS_ATTENTION, 1)
    assert (failed.state, failed.problem, failed.tries) == (ItemState.FAILED, "SourceLocked", 3)
    assert "Another program has locked the file" in failed.message
    assert done.state is JobState.FINISHED

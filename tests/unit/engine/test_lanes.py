"""How many of a run's requests are under way at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import LakeBusy, LakeDropError, LakeUnreachable
from app.domain.ports import FileContent, OnSent, UploadReceipt
from app.domain.queue_item import FoundFile
from app.domain.upload_job import UploadJob
from app.engine.claims import BatchLimits, Claims
from app.engine.lanes import MOST, Adaptation, Lanes
from app.engine.pacing import Pacing
from app.engine.progress_ledger import ProgressLedger
from app.engine.run_ports import RunSettings
from app.engine.upload_task import UploadTask
from app.infra.source_files import LocalSourceFiles
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import AT_ONCE, DESTINATION, RESTS, House, write_files

MIB = 1024 * 1024


def _settled(speed_of: Callable[[int], float], start: int = 4, seconds: int = 300) -> list[int]:
    """The counts of each second, where so many workers bring that many bytes a second."""
    adaptation, sent, counts = Adaptation(start, 0.0), 0.0, []
    for second in range(1, seconds):
        sent += speed_of(adaptation.count)
        adaptation.look(float(second), round(sent))
        counts.append(adaptation.count)
    return counts


def test_more_are_taken_as_long_as_they_bring_more() -> None:
    counts = _settled(lambda count: min(count, 9) * MIB)
    assert max(counts) == 10  # tried, and found to bring nothing
    assert counts.count(9) > counts.count(10)
    assert counts[-1] in (9, 10)


def test_where_more_bring_nothing_it_stays_with_what_there_is() -> None:
    counts = _settled(lambda _: MIB)
    assert set(counts) == {4, 5}
    assert counts.count(4) > 4 * counts.count(5)


def test_there_is_a_most() -> None:
    assert max(_settled(lambda count: count * MIB)) == MOST


def test_while_nothing_moves_nothing_is_learned() -> None:
    assert set(_settled(lambda _: 0.0)) == {4}


def test_a_busy_server_is_left_half_of_them_once_for_all_that_are_told() -> None:
    adaptation = Adaptation(12, 100.0)
    for _ in range(12):
        adaptation.held_up(100.0, 0)
    assert adaptation.count == 6
    for later_s, left in ((103.0, 3), (106.0, 1), (109.0, 1)):
        adaptation.held_up(later_s, 0)
        assert adaptation.count == left


def test_after_that_more_are_tried_again() -> None:
    adaptation, sent = Adaptation(8, 0.0), 0
    adaptation.held_up(0.0, 0)
    for second in range(1, 60):
        sent += adaptation.count * MIB
        adaptation.look(float(second), sent)
    assert adaptation.count > 4


class ToldLanes(Lanes):
    """Remembers what it was told."""

    def __init__(self, ledger: ProgressLedger) -> None:
        super().__init__(1, lambda: 0, SystemClock(), lambda: ledger.sent_ever_bytes, adaptive=True)
        self.told: list[str] = []

    def moved(self) -> None:
        self.told.append("moved")
        super().moved()

    def held_up(self) -> None:
        self.told.append("held up")
        super().held_up()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LakeBusy("429"), ["held up", "moved"]),
        (LakeUnreachable("cut"), ["moved"]),
    ],
)
@pytest.mark.parametrize("batch_files", [1, 8])
def test_an_upload_tells_what_moved_and_that_the_server_is_busy(
    tmp_path: Path, error: LakeDropError, told: list[str], batch_files: int
) -> None:
    lake, clock = FakeLake(), SystemClock()
    lake.fail("upload" if batch_files == 1 else "upload_batch", error)
    sync_id = lake.start_sync("s", DESTINATION, SyncType.FULL)
    journal = SqliteJournal(tmp_path / "journal.db")
    job = journal.add_job(UploadJob(0, LOCAL_LAKE, DESTINATION, SyncType.FULL, "n"))
    sources = [tmp_path / "a", tmp_path / "b"][: 1 if batch_files == 1 else 2]
    for path in sources:
        path.write_bytes(b"12345")
    found = [FoundFile(str(path), "", path.name, 5, 0) for path in sources]
    journal.add_items(job.job_id, found, [])
    ledger = ProgressLedger(clock)
    claims = Claims(journal, job.job_id, BatchLimits(batch_files, 100, 100), clock)
    lanes = ToldLanes(ledger)
    task = UploadTask(
        sync_id,
        lambda: lake,
        LocalSourceFiles(),
        journal,
        ledger,
        claims,
        AT_ONCE,
        lambda: False,
        Pacing(clock),
        lanes,
    )
    while (unit := claims.next()) is not None:
        task.run(unit)
    journal.close()
    assert list(dict.fromkeys(lanes.told)) == told


class CountedLake(FakeLake):
    """Uploads wait until `go`; `most` were under way at once, `most_late` of those after `go`."""

    def __init__(self) -> None:
        super().__init__(extensions=frozenset())
        self.go = threading.Event()
        self.under_way = self.most = self.late = self.most_late = 0
        self._counting = threading.Lock()

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        is_late = self.go.is_set()
        with self._counting:
            self.late += is_late
            self.most_late = max(self.most_late, self.late)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        assert self.go.wait(30)
        try:
            return super().upload(sync_id, folder, name, content, on_sent)
        finally:
            with self._counting:
                self.under_way -= 1
                self.late -= is_late


@pytest.mark.parametrize("adaptive", [False, True])
def test_as_many_as_the_user_wants_and_more_while_it_runs(tmp_path: Path, adaptive: bool) -> None:
    lake = CountedLake()
    files = {f"f{number}": b"x" for number in range(40)}
    settings = RunSettings(workers=2, adaptive=adaptive)
    with House(tmp_path, lake, settings=settings) as house:
        house.engine.pacing.parallel = 3
        job_id = house.start(write_files(tmp_path / "in", **files))
        house.sighting.wait_for(lambda: lake.under_way == 3, "three at once")
        house.engine.pacing.parallel = 7
        house.sighting.wait_for(lambda: lake.under_way == 7, "seven at once")
        lake.go.set()
        assert house.wait(job_id, *RESTS).files_arrived == 40
    assert lake.most == 7


def test_fewer_while_it_runs(tmp_path: Path) -> None:
    lake = CountedLake()
    files = {f"f{number}": b"x" for number in range(40)}
    with House(tmp_path, lake, settings=RunSettings(workers=6)) as house:
        job_id = house.start(write_files(tmp_path / "in", **files))
        house.sighting.wait_for(lambda: lake.under_way == 6, "six at once")
        house.engine.pacing.parallel = 1
        lake.go.set()
        assert house.wait(job_id, *RESTS).files_arrived == 40
    assert lake.most_late == 1

"""The limit that all uploads share, on a clock that tests move."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.bandwidth import UNLIMITED, timetable_of
from app.domain.errors import Cancelled, WrongUse
from app.domain.upload_job import JobState
from app.engine.pace_commands import PaceCommands, take_kept_pace
from app.engine.pacing import Pacing
from app.engine.run_ports import RunSettings
from app.infra.source_files import OpenedFile
from app.infra.sqlite_journal import SqliteJournal
from app.infra.system_clock import SystemClock
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import RESTS, House, in_lake, write_files

MIB = 1024 * 1024
JOIN_S = 30.0


class SteppingClock:
    """Each look at it is a little later."""

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.at_s = 1_000.0
        self.wall_ms = round(time.mktime((2026, 3, 2, 7, 59, 0, 0, 0, -1)) * 1000)  # a Monday

    def monotonic_s(self) -> float:
        self.at_s += self.step_s
        return self.at_s

    def now_ms(self) -> int:
        return self.wall_ms


def _go_on() -> None:
    """Nobody has halted it."""


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock(0.05)


def test_no_more_leaves_than_the_limit_lets(clock: SteppingClock) -> None:
    pacing = Pacing(clock)
    pacing.use(timetable_of("1M"))
    step = pacing.step_bytes
    assert step is not None
    began_s, sent = clock.at_s, 0
    while sent < MIB:
        pacing.spend(step, _go_on)
        sent += step
    passed_s = clock.at_s - began_s
    assert sent <= passed_s * MIB + step + 0.1 * MIB
    assert sent >= passed_s * MIB * 0.8


def test_an_idle_time_is_no_credit_for_later() -> None:
    clock = SteppingClock(0.01)
    pacing = Pacing(clock)
    pacing.use(timetable_of("1M"))
    clock.at_s += 3_600
    began_s = clock.at_s
    for _ in range(8):
        pacing.spend(MIB // 20, _go_on)
    assert clock.at_s - began_s >= (7 * MIB // 20 - 0.1 * MIB) / MIB


def _waiting(pacing: Pacing, raise_if_halted: Callable[[], None]) -> threading.Thread:
    """Somebody who waits for ever, as the clock stands still."""
    pacing.use(timetable_of("1M"))
    pacing.spend(100 * MIB, _go_on)
    thread = threading.Thread(target=pacing.spend, args=(1, raise_if_halted))
    thread.start()
    return thread


def test_whoever_waits_hears_of_a_new_limit() -> None:
    clock = SteppingClock(0.0)
    pacing = Pacing(clock)
    asked = threading.Event()
    waiting = _waiting(pacing, asked.set)
    assert asked.wait(JOIN_S)
    pacing.use(UNLIMITED)
    waiting.join(JOIN_S)
    assert not waiting.is_alive()


def test_whoever_waits_hears_of_the_next_line_of_the_timetable() -> None:
    clock = SteppingClock(0.0)
    pacing = Pacing(clock)
    pacing.use(timetable_of("08:00,off 18:00,1M"))
    asked = threading.Event()
    pacing.spend(100 * MIB, _go_on)
    thread = threading.Thread(target=pacing.spend, args=(1, asked.set))
    thread.start()
    assert asked.wait(JOIN_S)
    assert pacing.limit_bytes_s == MIB
    clock.wall_ms += 60_000
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert pacing.limit_bytes_s is None


def test_whoever_waits_hears_that_the_job_is_halted() -> None:
    pacing = Pacing(SteppingClock(0.0))
    pacing.use(timetable_of("1M"))
    pacing.spend(100 * MIB, _go_on)

    def halted() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        pacing.spend(1, halted)


def test_a_file_leaves_in_small_steps_and_whole(tmp_path: Path, clock: SteppingClock) -> None:
    data = bytes(range(256)) * 800
    (tmp_path / "a").write_bytes(data)
    pacing = Pacing(clock)
    pacing.use(timetable_of("1M"))
    with OpenedFile(str(tmp_path / "a"), _go_on) as opened:
        content = pacing.paced(opened, _go_on)
        pieces = list(content.chunks())
        assert content.sha256 == opened.sha256
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= MIB // 20


def test_batches_are_as_small_as_the_limit_and_all_arrives(tmp_path: Path) -> None:
    lake = FakeLake()
    files = {f"f{number}": bytes(100_000) for number in range(12)}
    with House(tmp_path, lake) as house:
        house.engine.pacing.use(timetable_of("1M"))
        began_s = SystemClock().monotonic_s()
        job_id = house.start(write_files(tmp_path / "in", **files))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
        passed_s = SystemClock().monotonic_s() - began_s
    batches = [len(call.files) for call in lake.calls_of("upload_batch")]
    assert max(batches) <= MIB // 100_000
    # From below, which no slow machine breaks: all but the last request were paid for.
    assert passed_s >= (12 - batches[-1]) * 100_000 / MIB - 0.1
    assert lake.published == in_lake(**files)


def test_a_limit_is_changed_while_a_file_is_on_its_way(tmp_path: Path) -> None:
    """At the first one it would take hours."""
    content = bytes(3 * MIB)
    settings = RunSettings(batch_files=1)
    with House(tmp_path, settings=settings) as house:
        house.engine.pacing.use(timetable_of("16K"))
        job_id = house.start(write_files(tmp_path / "in", a=content * 20))
        house.sighting.wait_for(
            lambda: house.engine.snapshot(job_id).bytes_sent > 0, "a file on its way"
        )
        assert house.engine.snapshot(job_id).limit_bytes_s == 16 * 1024
        house.engine.pacing.use(UNLIMITED)
        assert house.wait(job_id, *RESTS).files_verified == 1
        assert house.engine.snapshot(job_id).limit_bytes_s == 0


def test_a_job_that_waits_for_its_bytes_is_paused_at_once(tmp_path: Path) -> None:
    files = {"a": bytes(200_000), "b": bytes(200_000)}
    with House(tmp_path, settings=RunSettings(workers=1, batch_bytes=200_000)) as house:
        house.engine.pacing.use(timetable_of("16K"))
        house.engine.pacing.spend(10_000 * MIB, _go_on)  # for the next days
        job_id = house.start(write_files(tmp_path / "in", **files))
        house.sighting.wait_for(
            lambda: bool(house.engine.snapshot(job_id).active), "a batch that waits"
        )
        house.engine.pause_job(job_id)
        house.wait(job_id, JobState.PAUSED)
        house.wait_idle()
        house.engine.pacing.use(UNLIMITED)
        house.engine.resume_job(job_id)
        assert house.wait(job_id, *RESTS).files_verified == 2


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "journal.db")
    yield made
    made.close()


def test_the_pace_is_told_and_kept_for_the_next_engine(
    journal: SqliteJournal, clock: SteppingClock
) -> None:
    told: list[int] = []
    pacing = Pacing(clock)
    table = PaceCommands(pacing, journal, lambda: told.append(1)).table()
    assert table["pace"]({}) == {"limit": "off", "limit_bytes_s": None, "parallel": 0}
    set_to = {"limit": "08:00,512K 18:00,2M", "limit_bytes_s": 2 * MIB, "parallel": 3}
    assert table["set_pace"]({"limit": "08:00,512K 18:00,2M", "parallel": 3}) == set_to
    assert told == [1]
    next_one = Pacing(clock)
    take_kept_pace(journal, next_one)
    assert PaceCommands(next_one, journal, lambda: None).table()["pace"]({}) == set_to
    table["set_pace"]({"limit": "off"})
    assert table["pace"]({}) == {"limit": "off", "limit_bytes_s": None, "parallel": 3}


def test_an_engine_begins_with_the_pace_that_the_last_one_had(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.journal.keep_setting("limit", "5M")
        house.journal.keep_setting("parallel", "7")
    with House(tmp_path) as house:
        assert (house.engine.pacing.limit_bytes_s, house.engine.pacing.parallel) == (5 * MIB, 7)


@pytest.mark.parametrize(
    "wrong",
    [{"limit": "fast"}, {"parallel": 17}, {"parallel": -1}, {"limit": "1M", "parallel": 99}],
)
def test_a_pace_that_makes_no_sense_changes_nothing(
    journal: SqliteJournal, clock: SteppingClock, wrong: dict[str, object]
) -> None:
    pacing = Pacing(clock)
    with pytest.raises(WrongUse):
        PaceCommands(pacing, journal, lambda: None).table()["set_pace"](wrong)
    assert (pacing.timetable, pacing.parallel) == (UNLIMITED, 0)
    assert (journal.setting("limit"), journal.setting("parallel")) == ("", "")

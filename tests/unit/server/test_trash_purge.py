"""The trash is purged by itself: by an age that no clock can make up, and by a cap on its size."""

from __future__ import annotations

import errno
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server.catalog.sql_origins import SqlOrigins
from embedded_server.contract import SyncType
from embedded_server.domain.caller import OWNER
from embedded_server.domain.trash import TrashAges, TrashLimits, Version
from embedded_server.services.expiry import DAY_MS
from embedded_server.services.trash_purge import TrashPurge
from embedded_server.services.trash_service import TrashService
from embedded_server.storage.disk import Disk
from embedded_server.storage.trash_ages import AgesFile
from tests.support.observed_disk import ObservedDisk, PowerCut, tree
from tests.unit.server.conftest import Rooms
from tests.unit.server.test_expiry import HOUR_MS, YEAR_MS, Time

LIMIT_MS = 30 * DAY_MS
BY_AGE = TrashLimits(LIMIT_MS)


class Run:
    """A server's run with its purge, on clocks that the test moves."""

    def __init__(
        self, root: Path, time: Time, limits: TrashLimits = BY_AGE, disk: Disk | None = None
    ) -> None:
        self.time = time
        self.limits = limits
        self.rooms = Rooms(root, disk, clock=lambda: time.wall_ms)
        self.ages = AgesFile(self.rooms.layout, self.rooms.disk)
        self.purge = TrashPurge(
            self.rooms.lake.trashed,
            self.ages,
            self.rooms.catalog,
            lambda: time.wall_ms,
            lambda: time.monotonic_ms,
            limits,
        )

    def goes_on(self, ms: int) -> None:
        """Lets that much time pass, with a look every ten minutes, or a day where it is long."""
        while ms > 0:
            step = HOUR_MS // 6 if ms <= DAY_MS else DAY_MS
            self.time.pass_by(min(ms, step))
            self.purge.look()
            ms -= step

    def again(self, off_ms: int = 0, limits: TrashLimits | None = None) -> Run:
        """The server ends, and starts again that much later."""
        self.rooms.close()
        self.time.wall_ms += off_ms
        self.time.monotonic_ms = 0
        made = Run(self.rooms.root, self.time, limits or self.limits)
        made.purge.look()
        return made

    def replace(self, data: bytes, folder: str = "/data/x") -> int:
        """By a full sync of one file."""
        sync_id = self.rooms.start(folder, SyncType.FULL)
        self.rooms.send(sync_id, "a.csv", data, folder)
        self.rooms.syncs.end(sync_id)
        return sync_id

    @property
    def trash(self) -> TrashService:
        rooms = self.rooms
        return TrashService(
            *(rooms.lake.trashed, rooms.lake.putting_back, rooms.catalog),
            *(SqlOrigins(rooms.catalog), rooms.clock, self.purge.purge_at_ms),
        )

    def lying(self) -> list[int]:
        return sorted(it.sync_id for it in self.rooms.lake.trashed.versions())


@pytest.fixture
def run(lake_root: Path) -> Iterator[Run]:
    made = Run(lake_root, Time())
    made.replace(b"old")
    made.purge.look()
    yield made
    made.rooms.close()


def test_what_has_lain_there_for_long_goes_and_nothing_else(run: Run) -> None:
    first = run.replace(b"new")
    run.goes_on(HOUR_MS)
    assert run.lying() == [first]
    run.goes_on(LIMIT_MS // 2)
    second = run.replace(b"newer")
    run.goes_on(LIMIT_MS // 2 - DAY_MS)
    assert run.lying() == [first, second]
    run.goes_on(2 * DAY_MS)
    assert run.lying() == [second]
    assert tree(run.rooms.files) == {"data/x/a.csv": b"newer"}
    assert tree(Path(run.rooms.layout.incoming)) == {}
    run.goes_on(LIMIT_MS)
    assert run.lying() == []
    assert list(run.rooms.trash.iterdir()) == []


def test_ages_are_written_where_they_changed_and_once_a_day(run: Run) -> None:
    """Each writing makes another file, and waits for the disk."""
    seen = []

    def goes_on(ms: int) -> None:
        run.goes_on(ms)
        seen.append(Path(run.rooms.layout.trash_ages).stat().st_mtime_ns)

    run.replace(b"new")
    goes_on(HOUR_MS)
    goes_on(20 * HOUR_MS)
    run.replace(b"newer")
    goes_on(HOUR_MS)
    goes_on(HOUR_MS)
    goes_on(DAY_MS)
    assert [one != other for one, other in itertools.pairwise(seen)] == [
        *(False, True, False, True)
    ]


def test_what_was_counted_since_the_last_writing_is_not_lost_with_the_run(run: Run) -> None:
    run.replace(b"new")
    run.goes_on(HOUR_MS)
    run.goes_on(20 * HOUR_MS)
    [version] = run.rooms.lake.trashed.versions()
    before_ms = run.purge.purge_at_ms(version)
    after_ms = run.again(HOUR_MS).purge.purge_at_ms(version)
    assert before_ms is not None
    assert after_ms is not None
    assert abs(after_ms - before_ms) <= HOUR_MS


@pytest.mark.parametrize("jump_ms", [40 * DAY_MS, 100 * YEAR_MS, -40 * DAY_MS, -YEAR_MS])
@pytest.mark.parametrize("while_it_runs", [True, False])
def test_a_jump_of_the_clock_purges_nothing_and_keeps_nothing_for_ever(
    run: Run, jump_ms: int, while_it_runs: bool
) -> None:
    sync_id = run.replace(b"new")
    run.goes_on(HOUR_MS)
    if while_it_runs:
        run.time.wall_ms += jump_ms
        run.goes_on(2 * HOUR_MS)
    after = run.again(0 if while_it_runs else jump_ms)
    after.goes_on(LIMIT_MS // 2)
    assert after.lying() == [sync_id]
    after.goes_on(LIMIT_MS // 2)
    assert after.lying() == []


def test_a_server_that_is_off_most_of_the_time_purges_all_the_same(run: Run) -> None:
    sync_id = run.replace(b"new")
    run.goes_on(HOUR_MS)
    for _ in range(14):
        run = run.again(off_ms=2 * DAY_MS)
    assert run.lying() == [sync_id]
    run = run.again(off_ms=2 * DAY_MS).again(off_ms=2 * DAY_MS)
    assert run.lying() == []


def test_what_was_put_back_and_lies_there_in_turn_is_young(run: Run) -> None:
    sync_id = run.replace(b"new")
    run.goes_on(LIMIT_MS - DAY_MS)
    undo = run.trash.restore(OWNER, Version(sync_id, 1), None).undo
    assert undo == Version(sync_id, 1)  # the same place, and something else in it
    run.goes_on(LIMIT_MS - DAY_MS)
    assert run.lying() == [sync_id]
    run.goes_on(2 * DAY_MS)
    assert run.lying() == []


def test_nothing_goes_that_came_after_the_look(run: Run) -> None:
    sync_id = run.replace(b"new")
    [seen] = run.rooms.lake.trashed.everything()
    run.trash.restore(OWNER, Version(sync_id, 1), None)
    assert not run.rooms.lake.trashed.remove_marked(seen)
    assert run.lying() == [sync_id]
    [now] = run.rooms.lake.trashed.everything()
    assert run.rooms.lake.trashed.remove_marked(now)
    assert not run.rooms.lake.trashed.remove_marked(now)


def test_above_the_cap_the_oldest_go_until_the_rest_fits(run: Run) -> None:
    syncs = [run.replace(b"x" * 100 * number) for number in (1, 2, 3, 4)]
    run.goes_on(HOUR_MS)  # 3, 100, 200, 300 bytes lie there
    assert run.lying() == syncs
    run = run.again(limits=TrashLimits(None, 500))
    assert run.lying() == syncs[2:]
    (run.rooms.trash / "staged-9").mkdir()
    (run.rooms.trash / "staged-9" / "b.csv").write_bytes(b"x" * 300)
    run.goes_on(2 * HOUR_MS)  # what was set aside counts, and came last
    assert run.lying() == []
    assert [it.name for it in run.rooms.trash.iterdir()] == ["staged-9"]
    run = run.again(limits=TrashLimits(None, 0))
    assert list(run.rooms.trash.iterdir()) == []


def test_however_often_it_is_told_it_looks_once_an_hour(run: Run) -> None:
    run = run.again(limits=TrashLimits(None, 0))
    sync_id = run.replace(b"new")
    run.goes_on(HOUR_MS - HOUR_MS // 6)
    assert run.lying() == [sync_id]
    run.goes_on(HOUR_MS // 6)
    assert run.lying() == []


def test_a_server_that_stops_begins_no_more_removals(run: Run) -> None:
    sync_id = run.replace(b"new")
    run.purge.stop()
    run.goes_on(LIMIT_MS + DAY_MS)
    assert run.lying() == [sync_id]


def test_what_a_running_sync_replaces_stays_until_it_is_over(run: Run) -> None:
    running = run.rooms.start("/data/x")
    run.rooms.send(running, "a.csv", b"new", "/data/x")
    run = run.again(limits=TrashLimits(LIMIT_MS, 0))
    run.goes_on(2 * LIMIT_MS)
    assert run.lying() == [running]
    run.rooms.syncs.end(running)
    run.goes_on(2 * HOUR_MS)
    assert run.lying() == []


def test_without_limits_all_of_it_stays(run: Run) -> None:
    sync_id = run.replace(b"new")
    run = run.again(limits=TrashLimits(None))
    run.goes_on(2 * LIMIT_MS)
    assert run.lying() == [sync_id]
    assert run.trash.list(OWNER, 0, 10)[1][0].purge_at_ms is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "\0" * 100, '{"counted_ms": 1}'),
        '{"counted_ms": 1, "seen_at_ms": "x", "seen": {}}',
        '{"counted_ms": 1, "seen_at_ms": 1, "seen": {"1/1": 3}}',
    ],
)
def test_ages_that_are_lost_make_all_of_it_young(run: Run, text: str) -> None:
    sync_id = run.replace(b"new")
    run.goes_on(LIMIT_MS - DAY_MS)
    Path(run.rooms.layout.trash_ages).write_text(text)
    run = run.again()
    run.goes_on(LIMIT_MS - DAY_MS)
    assert run.lying() == [sync_id]
    run.goes_on(2 * DAY_MS)
    assert run.lying() == []
    assert run.ages.load() != TrashAges()


def test_the_list_tells_when_age_will_remove_a_version(run: Run) -> None:
    run.replace(b"new")
    assert run.trash.list(OWNER, 0, 10)[1][0].purge_at_ms == run.time.wall_ms + LIMIT_MS
    run.goes_on(HOUR_MS)
    run.goes_on(DAY_MS)
    [row] = run.trash.list(OWNER, 0, 10)[1]
    assert row.purge_at_ms is not None
    assert abs(row.purge_at_ms - (run.time.wall_ms + LIMIT_MS - DAY_MS)) <= HOUR_MS
    run = run.again(off_ms=-YEAR_MS)  # it is told on the clock that people read
    [row] = run.trash.list(OWNER, 0, 10)[1]
    assert row.purge_at_ms is not None
    assert abs(row.purge_at_ms - (run.time.wall_ms + LIMIT_MS - DAY_MS)) <= 2 * HOUR_MS


class _FullDisk(Disk):
    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        raise OSError(errno.ENOSPC, "full")


def test_a_full_disk_is_purged_all_the_same_and_nothing_is_left_behind(run: Run) -> None:
    run.replace(b"new")
    run.goes_on(LIMIT_MS - DAY_MS)
    run.rooms.close()
    full = Run(run.rooms.root, run.time, TrashLimits(LIMIT_MS, 0), _FullDisk())
    before = sorted((run.rooms.root / ".lakedrop").iterdir())
    full.purge.look()
    assert full.lying() == []
    assert sorted((run.rooms.root / ".lakedrop").iterdir()) == before
    full.rooms.close()


class _CutAt(ObservedDisk):
    """At its nth step from when it is armed."""

    def __init__(self, number: int) -> None:
        super().__init__(self._count)
        self._left = number
        self.is_armed = False

    def _count(self, _: object) -> None:
        if self.is_armed:
            self._left -= 1
            if self._left <= 0:
                raise PowerCut


def test_a_purge_that_is_cut_leaves_each_version_whole_or_gone(run: Run, tmp_path: Path) -> None:
    syncs = [run.replace(data) for data in (b"1", b"22", b"333")]
    run.goes_on(HOUR_MS)
    run.rooms.close()
    limits = TrashLimits(LIMIT_MS, 0)
    whole = tree(run.rooms.trash)
    outcomes = set()
    for cut_at in range(1, 40):
        copy = shutil.copytree(run.rooms.root, tmp_path / f"cut-{cut_at}")
        disk = _CutAt(cut_at)
        cut = Run(copy, run.time, limits, disk)
        disk.is_armed = True
        try:
            cut.purge.look()
            is_done = True
        except PowerCut:
            is_done = False
        disk.is_armed = False
        cut.rooms.close()
        started = Run(copy, run.time, limits)
        left = tree(started.rooms.trash)
        assert left.items() <= whole.items(), cut_at
        assert tree(started.rooms.files) == {"data/x/a.csv": b"333"}
        assert tree(Path(started.rooms.layout.incoming)) == {}
        outcomes.add(len(left))
        started.purge.look()
        assert started.lying() == []
        started.rooms.close()
        shutil.rmtree(copy)
        if is_done:
            break
    assert outcomes == {0, 1, 2, 3}
    assert len(syncs) == 3

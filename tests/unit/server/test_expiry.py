"""Syncs that nobody feeds or ends expire, and no jump of a clock makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import LakeFull, SyncAlreadyEnded, SyncExpired
from embedded_server.domain.upload import Destination
from embedded_server.opened_lake import now_ms
from embedded_server.services.expiry import DAY_MS, IdleWatch, IdleWatcher
from tests.support.observed_disk import tree
from tests.unit.server.conftest import Rooms

LIMIT_MS = 7 * DAY_MS
HOUR_MS = DAY_MS // 24
YEAR_MS = 365 * DAY_MS


class Time:
    """Two clocks that a test moves: the wall's, and one that cannot be set."""

    def __init__(self) -> None:
        self.wall_ms = now_ms()
        self.monotonic_ms = 0

    def pass_by(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms


class Run:
    """A server's run with its idle watch, on clocks that the test moves."""

    def __init__(self, root: Path, time: Time) -> None:
        self.time = time
        self.rooms = Rooms(root, clock=lambda: time.wall_ms)
        self.watch = IdleWatch(
            self.rooms.catalog,
            self.rooms.syncs,
            lambda: time.wall_ms,
            lambda: time.monotonic_ms,
            LIMIT_MS,
        )
        self.watch.look()  # a server does at its start

    def goes_on(self, ms: int) -> list[int]:
        """Lets that much time pass, with a look every hour; says what has expired."""
        expired: list[int] = []
        while ms > 0:
            self.time.pass_by(min(ms, HOUR_MS))
            expired += self.watch.look()
            ms -= HOUR_MS
        return expired

    def status(self, sync_id: int) -> SyncStatus:
        sync = self.rooms.catalog.find_sync(sync_id)
        assert sync is not None
        return sync.status


@pytest.fixture
def run(lake_root: Path) -> Iterator[Run]:
    made = Run(lake_root, Time())
    yield made
    made.rooms.close()


def _again(run: Run, off_ms: int) -> Run:
    """The server ends, and starts again that much later."""
    run.rooms.close()
    run.time.wall_ms += off_ms
    run.time.monotonic_ms = 0
    return Run(run.rooms.root, run.time)


def test_an_idle_full_sync_expires_and_the_old_data_stays(run: Run) -> None:
    rooms = run.rooms
    rooms.send(rooms.start("/data/x"), "old.csv", b"old")
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "new.csv", b"new")
    assert run.goes_on(LIMIT_MS - HOUR_MS) == []
    assert run.goes_on(2 * HOUR_MS) == [1, sync_id]
    assert tree(rooms.files) == {"data/x/old.csv": b"old"}
    assert tree(rooms.trash) == {}
    assert tree(Path(rooms.layout.all_staging)) == tree(Path(rooms.layout.incoming)) == {}
    sync = rooms.catalog.find_sync(sync_id)
    assert sync is not None
    assert (sync.status, sync.message) == (
        SyncStatus.FAILED,
        "expired: nothing came for 7 days",
    )
    for call in (rooms.syncs.end, rooms.syncs.abort, lambda it: rooms.send(it, "b.csv", b"2")):
        with pytest.raises(SyncExpired, match="Start a new one") as told:
            call(sync_id)
        assert (told.value.status, told.value.reason) == (410, "expired")


def test_a_fed_sync_does_not_expire(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    for number in range(5):
        assert run.goes_on(LIMIT_MS - 2 * HOUR_MS) == []
        run.rooms.send(sync_id, f"{number}.csv", b"1")
    assert run.goes_on(LIMIT_MS + HOUR_MS) == [sync_id]


def test_a_sync_whose_file_is_arriving_does_not_expire(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    where = Destination(run.rooms.uploads.find_sync(sync_id).sync.path, "huge.bin")
    run.rooms.catalog.begin_upload(sync_id, where, run.time.wall_ms)
    assert run.goes_on(3 * LIMIT_MS) == []
    assert run.status(sync_id) is SyncStatus.SYNCING


@pytest.mark.parametrize("jump_ms", [YEAR_MS, 100 * YEAR_MS, -YEAR_MS, 8 * DAY_MS])
def test_a_jump_of_the_clock_expires_nothing(run: Run, jump_ms: int) -> None:
    fed_before = run.rooms.start("/data/x")
    run.goes_on(HOUR_MS)
    run.time.wall_ms += jump_ms
    assert run.goes_on(DAY_MS) == []
    run.time.wall_ms -= jump_ms  # somebody sets it right
    assert run.goes_on(DAY_MS) == []
    assert run.status(fed_before) is SyncStatus.SYNCING
    # And in the end it does, wherever the clock stands.
    assert run.goes_on(LIMIT_MS) == [fed_before]


def test_a_clock_that_was_set_back_for_good_keeps_nothing_alive(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    run.time.wall_ms -= YEAR_MS
    assert run.goes_on(LIMIT_MS - HOUR_MS) == []
    assert run.goes_on(2 * HOUR_MS) == [sync_id]


@pytest.mark.parametrize("off_ms", [30 * DAY_MS, YEAR_MS, -YEAR_MS])
def test_one_long_rest_of_the_server_expires_nothing(run: Run, off_ms: int) -> None:
    sync_id = run.rooms.start("/data/x")
    later = _again(run, off_ms)
    assert later.status(sync_id) is SyncStatus.SYNCING
    assert later.goes_on(5 * DAY_MS) == []
    later.rooms.close()


def test_time_off_is_counted_where_a_server_runs_for_moments_only(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    days = 0
    while run.status(sync_id) is SyncStatus.SYNCING:
        run = _again(run, DAY_MS)
        days += 1
        assert days < 10
    assert days in (7, 8)
    run.rooms.close()


def test_who_feeds_it_at_the_last_moment_keeps_it(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    run.goes_on(LIMIT_MS - HOUR_MS)
    run.time.pass_by(2 * HOUR_MS)
    run.rooms.catalog.add_idle_time(run.time.wall_ms, 2 * HOUR_MS, 2 * HOUR_MS)
    assert run.rooms.catalog.idle_sync_ids(LIMIT_MS) == [sync_id]
    run.rooms.send(sync_id, "a.csv", b"1")  # after the watch saw it idle, before it acts
    assert not run.rooms.syncs.expire(sync_id, LIMIT_MS)
    run.rooms.send(sync_id, "b.csv", b"2")
    run.rooms.syncs.end(sync_id)
    assert not run.rooms.syncs.expire(sync_id, LIMIT_MS)
    with pytest.raises(SyncAlreadyEnded):
        run.rooms.syncs.end(sync_id)


def test_the_watcher_looks_at_once_and_ends_when_it_is_told(run: Run) -> None:
    sync_id = run.rooms.start("/data/x")
    for _ in range(2):  # the first look only sees when it was fed
        run.rooms.catalog.add_idle_time(run.time.wall_ms, LIMIT_MS, LIMIT_MS)
    watcher = IdleWatcher(run.watch)
    watcher.close()
    assert run.status(sync_id) is SyncStatus.FAILED


def test_a_chore_that_fails_keeps_none_of_the_others_from_being_done(run: Run) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise LakeFull

    watcher = IdleWatcher(run.watch, fail, lambda: done.append("done"))
    watcher.close()
    assert done == ["failed", "done"]

"""Real threads: one name many times at once, syncs on one path, ends beside uploads.

Who came first cannot be known of calls that overlap, so what is asked is what holds in any order:
a call that began after another had answered comes after it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import LakeError, SyncAlreadyEnded
from tests.support.observed_disk import ObservedDisk, Step, tree
from tests.unit.server.conftest import Rooms

ROUNDS = 200 if os.environ.get("LAKEDROP_SOAK") else 3


@dataclass(frozen=True)
class Call:
    """`began` and `answered` are moments of one clock; `error` None is an acknowledgement."""

    name: str
    began: float
    answered: float
    error: LakeError | None


def _timed(name: str, call: Callable[[], object]) -> Call:
    began = time.perf_counter()
    error: LakeError | None = None
    try:
        call()
    except LakeError as told:
        error = told
    return Call(name, began, time.perf_counter(), error)


@pytest.mark.soak
def test_of_one_name_32_times_at_once_the_last_stands_whole(lake_root: Path) -> None:
    for _ in range(ROUNDS):
        _one_name_at_once(lake_root)


def _one_name_at_once(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    sync_id = rooms.start("/data/x")
    versions = {f"v{number:02}": b"v%02d" % number * 50_000 for number in range(32)}
    barrier = threading.Barrier(32)

    def send(name: str) -> Call:
        barrier.wait()
        return _timed(name, lambda: rooms.send(sync_id, "a.csv", versions[name]))

    with ThreadPoolExecutor(32) as pool:
        calls = {call.name: call for call in pool.map(send, versions)}
    assert [call.error for call in calls.values()] == [None] * 32
    seen = (rooms.files / "data/x/a.csv").read_bytes()
    assert seen in versions.values(), "two uploads are mixed in one file"
    stands = calls[seen[:3].decode()]
    assert [it.name for it in calls.values() if it.began > stands.answered] == []
    kept = list(tree(rooms.trash / str(sync_id)).values())
    assert sorted([seen, *kept]) == sorted(versions.values())
    rooms.close()
    (lake_root / "files/data/x/a.csv").unlink()


@pytest.mark.soak
def test_two_full_syncs_and_an_incremental_one_on_one_path(lake_root: Path) -> None:
    for _ in range(ROUNDS):
        _three_syncs_at_once(lake_root)


def _three_syncs_at_once(lake_root: Path) -> None:
    rooms = Rooms(lake_root)
    full = [rooms.start("/data/x", SyncType.FULL) for _ in range(2)]
    for sync_id in full:
        for number in range(5):
            rooms.send(sync_id, f"{number}.csv", b"of %d" % sync_id)
    gradual = rooms.start("/data/x")
    ended = threading.Event()
    calls: list[Call] = []

    def feed(worker: int) -> None:
        number, more = 0, 5
        while more:
            name = f"new-{worker}-{number}.csv"
            calls.append(_timed(name, partial(rooms.send, gradual, name, name.encode())))
            number += 1
            more -= ended.is_set()  # some come after both ends for sure

    with ThreadPoolExecutor(6) as pool:
        feeding = [pool.submit(feed, worker) for worker in range(4)]
        ends = list(pool.map(lambda it: _timed("end", lambda: rooms.syncs.end(it)), full))
        ended.set()
        for done in feeding:
            done.result()
    assert [call.error for call in [*ends, *calls]] == [None] * (2 + len(calls))
    seen, kept = tree(rooms.files / "data/x"), tree(rooms.trash)
    whole = {name: data for name, data in seen.items() if not name.startswith("new")}
    assert len(set(whole.values())) == 1, "two full syncs are mixed"
    assert len(whole) == 5
    in_trash = {Path(place).name for place in kept}
    for call in calls:
        assert (call.name in seen) != (call.name in in_trash), "lost, or there twice"
        if call.answered < max(end.began for end in ends):
            assert call.name in in_trash, "it was there before the last swap"
        if call.began > max(end.answered for end in ends):
            assert call.name in seen, "it came after both"
    rooms.close()
    _empty(lake_root)


@pytest.mark.soak
@pytest.mark.parametrize("sync_type", SyncType)
def test_an_end_beside_uploads_is_a_fence(lake_root: Path, sync_type: SyncType) -> None:
    for _ in range(ROUNDS):
        _ends_beside_uploads(lake_root, sync_type)


def _ends_beside_uploads(lake_root: Path, sync_type: SyncType) -> None:
    rooms = Rooms(lake_root)
    sync_id = rooms.start("/data/x", sync_type)
    calls: list[Call] = []
    some_are_in = threading.Event()

    def feed(worker: int) -> None:
        number = 0
        while not (calls and calls[-1].error):
            name = f"{worker}-{number}.csv"
            calls.append(_timed(name, partial(rooms.send, sync_id, name, name.encode())))
            number += 1
            if number == 3:
                some_are_in.set()

    with ThreadPoolExecutor(12) as pool:
        feeding = [pool.submit(feed, worker) for worker in range(4)]
        some_are_in.wait(30)
        ends = list(pool.map(lambda _: _timed("end", lambda: rooms.syncs.end(sync_id)), range(8)))
        for done in feeding:
            done.result()
    assert sorted(type(end.error).__name__ for end in ends) == sorted(
        ["NoneType", *["SyncAlreadyEnded"] * 7]
    )
    refused = [call for call in calls if call.error is not None]
    assert {type(call.error) for call in refused} == {SyncAlreadyEnded}
    assert tree(rooms.files / "data/x") == {
        call.name: call.name.encode() for call in calls if call.error is None
    }
    assert tree(rooms.trash) == {}
    assert tree(Path(rooms.layout.incoming)) == tree(Path(rooms.layout.all_staging)) == {}
    [job] = rooms.syncs.jobs(sync_id - 1, 1)
    assert job.sync_status is SyncStatus.FINISHED
    rooms.close()
    _empty(lake_root)


@pytest.mark.parametrize("step", ["replace", "link"])
def test_an_end_waits_for_an_upload_that_is_being_committed(lake_root: Path, step: str) -> None:
    with _held_at(step) as held:
        rooms = Rooms(lake_root, held.disk)
        sync_id = rooms.start("/data/x")
        rooms.send(sync_id, "a.csv", b"old")
        held.from_now_on()
        slow = held.pool.submit(rooms.send, sync_id, "a.csv", b"slow")
        held.reached()
        ending = held.pool.submit(rooms.syncs.end, sync_id)
        assert held.still_waiting(ending)
        held.let_go()
        slow.result(30), ending.result(30)
    assert tree(rooms.files) == {"data/x/a.csv": b"slow"}
    rooms.close()


def test_nothing_is_published_and_nothing_swaps_while_a_swap_runs(lake_root: Path) -> None:
    with _held_at("exchange") as held:
        rooms = Rooms(lake_root, held.disk)
        rooms.send(rooms.start("/data/x"), "old.csv", b"old")
        upper, lower = (
            rooms.start("/data/x", SyncType.FULL),
            rooms.start("/data/x/y", SyncType.FULL),
        )
        rooms.send(upper, "new.csv", b"upper")
        rooms.send(lower, "new.csv", b"lower")
        gradual = rooms.start("/data")
        held.from_now_on()
        ending = held.pool.submit(rooms.syncs.end, upper)
        held.reached()
        others: list[Future[Any]] = [
            held.pool.submit(rooms.syncs.end, lower),
            held.pool.submit(rooms.send, gradual, "late.csv", b"late", "/data/x"),
        ]
        assert held.still_waiting(*others)
        held.let_go()
        for done in [ending, *others]:
            done.result(30)
    assert tree(rooms.files / "data/x") == {
        "new.csv": b"upper",
        "y/new.csv": b"lower",
        "late.csv": b"late",
    }
    rooms.close()


class _Held:
    """A disk that waits once at a kind of step until it is let go, and threads to wait there."""

    def __init__(self, step: str, pool: ThreadPoolExecutor) -> None:
        self.disk = ObservedDisk(self._on_step)
        self.pool = pool
        self._step = step
        self._armed, self._reached, self._goes = (threading.Event() for _ in range(3))

    def _on_step(self, step: Step) -> None:
        if step[0] == self._step and self._armed.is_set() and not self._reached.is_set():
            self._reached.set()
            self._goes.wait(30)

    def from_now_on(self) -> None:
        self._armed.set()

    def reached(self) -> None:
        assert self._reached.wait(30)

    def still_waiting(self, *calls: Future[Any]) -> bool:
        """Half a second in which a call that does not wait would have answered."""
        return not wait(calls, timeout=0.5).done

    def let_go(self) -> None:
        self._goes.set()


@contextmanager
def _held_at(step: str) -> Iterator[_Held]:
    with ThreadPoolExecutor(4) as pool:
        held = _Held(step, pool)
        try:
            yield held
        finally:
            held.let_go()


def _empty(lake_root: Path) -> None:
    for path in sorted((lake_root / "files").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for path in sorted((lake_root / ".lakedrop" / "trash").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

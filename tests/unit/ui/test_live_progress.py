"""What moves, by item number: fractions, smoothed speeds, and why an item waits."""

from __future__ import annotations

import pytest

from app.domain.snapshots import ActiveTransfer, JobSnapshot
from app.domain.upload_job import JobState
from app.ui.upload.live_progress import LiveProgress
from tests.support.fake_engine import snapshot


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _job(*active: ActiveTransfer, waiting: tuple[tuple[int, str], ...] = ()) -> JobSnapshot:
    return snapshot(JobState.UPLOADING, active=active, waiting=waiting)


def _sent(*ids: tuple[int, int], sent: int = 0, size: int = 1000) -> ActiveTransfer:
    return ActiveTransfer("/data/x", 1, sent, size, ids, verifying=sent >= size)


def test_every_item_of_a_request_moves_and_none_beside_it(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((40, 42), (50, 50), sent=250), _sent((7, 7), sent=1000)))

    moving = {number: live.of(number) for number in range(60)}

    assert {number for number, found in moving.items() if found} == {7, 40, 41, 42, 50}
    for number in (40, 41, 42, 50):
        found = moving[number]
        assert found is not None
        assert found.fraction == 0.25
        assert not found.verifying
    alone = moving[7]
    assert alone is not None
    assert alone.fraction == 1.0
    assert alone.verifying


def test_what_was_told_before_is_forgotten(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((1, 4)), waiting=((9, "The server is busy."),)))
    live.take(_job(_sent((5, 8))))

    assert live.of(4) is None
    assert live.waits_for(9) is None
    assert live.spans() == [(5, 8)]


def test_an_empty_file_and_more_sent_than_expected_stay_between_0_and_1(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((1, 1), size=0), _sent((2, 2), sent=1200)))

    empty, grown = live.of(1), live.of(2)

    assert empty is not None
    assert empty.fraction == 0.0
    assert grown is not None
    assert grown.fraction == 1.0


def test_a_request_without_items_moves_nothing(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(ActiveTransfer("/data/x", 0, 5, 10)))

    assert live.spans() == []


def test_the_speed_is_measured_then_smoothed(clock: Clock) -> None:
    live = LiveProgress(clock)

    def after_a_second(sent: int) -> float:
        clock.now_s += 1
        live.take(_job(_sent((3, 5), sent=sent)))
        moving = live.of(4)
        assert moving is not None
        return moving.bytes_per_s

    assert after_a_second(0) == 0
    assert after_a_second(100) == 100  # the first one counts whole
    assert 100 < after_a_second(400) < 300  # 300 now, drawn back by the 100 before


def test_two_snapshots_at_nearly_the_same_time_are_no_measurement(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((3, 3), sent=0)))
    clock.now_s += 1
    live.take(_job(_sent((3, 3), sent=100)))
    clock.now_s += 0.001
    live.take(_job(_sent((3, 3), sent=200)))

    moving = live.of(3)

    assert moving is not None
    assert moving.bytes_per_s == 100
    clock.now_s += 0.999
    live.take(_job(_sent((3, 3), sent=200)))  # counted from the last measurement: 100 in 1 s
    moving = live.of(3)
    assert moving is not None
    assert moving.bytes_per_s == 100


def test_a_try_that_begins_again_begins_its_speed_again(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((3, 3), sent=0)))
    clock.now_s += 1
    live.take(_job(_sent((3, 3), sent=500)))
    clock.now_s += 1
    live.take(_job(_sent((3, 3), sent=10)))

    moving = live.of(3)

    assert moving is not None
    assert moving.bytes_per_s == 0


def test_what_waits_says_why_and_looks_other_than_its_row(clock: Clock) -> None:
    live = LiveProgress(clock)
    live.take(_job(_sent((1, 2)), waiting=((8, "The server is busy."), (11, "No network."))))

    assert live.waits_for(8) == "The server is busy."
    assert live.waits_for(9) is None
    assert sorted(live.spans()) == [(1, 2), (8, 8), (11, 11)]

"""What counts as too slow, on a clock of the test's own."""

from __future__ import annotations

import random

from embedded_server.gate.patience import Limits, Patience, Stage, WakingClock

LIMITS = Limits(head_s=20, idle_s=60)


def _over(account: Patience, at_s: float, *, server_reads: bool = True) -> bool:
    return account.is_over_for_sender(at_s, server_reads=server_reads)


def test_a_head_must_be_whole_in_time_however_it_trickles() -> None:
    account = Patience(LIMITS, 100.0)
    for second in range(21):
        account.came += 1
        assert not _over(account, 100.0 + second)
    assert _over(account, 120.1)


def test_a_head_may_not_be_endless() -> None:
    def is_too_long(stage: Stage, came: int) -> bool:
        account = Patience(LIMITS, 0.0)
        account.enter(stage, 0.0)
        account.came = came
        return account.has_too_long_a_head

    assert not is_too_long(Stage.HEAD, LIMITS.head_bytes)
    assert is_too_long(Stage.HEAD, LIMITS.head_bytes + 1)
    assert not is_too_long(Stage.BODY, 1 << 40)


def test_a_large_body_over_a_slow_line_is_never_cut() -> None:
    account = Patience(LIMITS, 0.0)
    account.enter(Stage.BODY, 0.0)
    second = 0.0
    while second < 100_000:  # a day, with pauses of up to a minute
        second += random.Random(second).uniform(0.1, 59.0)
        account.came += 5_000
        assert not _over(account, second)


def test_a_body_that_stands_still_or_trickles_is_cut() -> None:
    for trickle in (0, 1, 60):  # bytes a second
        account = Patience(LIMITS, 0.0)
        account.enter(Stage.BODY, 0.0)
        for second in range(61):
            account.came += trickle
            assert not _over(account, float(second)), trickle
        assert _over(account, 60.5)


def test_time_in_which_the_server_does_not_read_counts_for_nobody() -> None:
    account = Patience(LIMITS, 0.0)
    account.enter(Stage.BODY, 0.0)
    for second in range(600):
        assert not _over(account, float(second), server_reads=False)
    assert not _over(account, 659.0)
    assert _over(account, 659.1)


def test_between_requests_only_the_keep_alive_of_the_server_counts() -> None:
    account = Patience(LIMITS, 0.0)
    account.enter(Stage.IDLE, 0.0)
    assert not _over(account, 1e9)


def test_a_reader_must_take_its_answer() -> None:
    account = Patience(LIMITS, 0.0)
    assert not account.is_over_for_reader(1_000.0, waiting_bytes=0, taken_bytes=0)
    for second in range(61):  # a few bytes now and then are no reading
        at_s = 1_000.0 + second
        assert not account.is_over_for_reader(at_s, waiting_bytes=9_000, taken_bytes=second)
    assert account.is_over_for_reader(1_060.1, waiting_bytes=9_000, taken_bytes=61)
    account = Patience(LIMITS, 0.0)
    for second in range(0, 10_000, 50):
        taken = second * 100
        assert not account.is_over_for_reader(float(second), waiting_bytes=1, taken_bytes=taken)


def test_a_machine_that_slept_does_not_find_everybody_too_slow() -> None:
    clock = WakingClock(tick_s=1.0, now_s=50.0)
    account = Patience(LIMITS, clock.awake_s)
    account.enter(Stage.BODY, clock.awake_s)
    for now_s in (51.0, 52.0, 90_000.0, 90_001.0, 90_000.5):
        clock.tick(now_s)
        assert not _over(account, clock.awake_s)
    assert clock.awake_s == 1.0 + 1.0 + 2.0 + 1.0

"""What a limit or a timetable of limits means."""

from __future__ import annotations

import pytest

from app.domain.bandwidth import UNLIMITED, timetable_of
from app.domain.errors import WrongUse

KIB, MIB = 1024, 1024 * 1024
DAY = 24 * 60


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5M", 5 * MIB), ("512k", 512 * KIB), ("1.5M", 3 * MIB // 2), ("1g", 1024 * MIB)],
)
def test_one_rate_holds_always(text: str, rate: int) -> None:
    for minute in (0, 700, 7 * DAY - 1):
        assert timetable_of(text).rate_at(minute) == rate


@pytest.mark.parametrize("text", ["off", "OFF", "", "0"])
def test_off_is_no_limit(text: str) -> None:
    assert timetable_of(text) == UNLIMITED
    assert UNLIMITED.rate_at(5) is None


def test_each_rate_holds_until_the_next_one_on_every_day() -> None:
    table = timetable_of("08:00,512K 18:30,10M  23:00,off")
    for day in range(7):
        at = day * DAY
        assert table.rate_at(at + 8 * 60 - 1) is None
        assert table.rate_at(at + 8 * 60) == 512 * KIB
        assert table.rate_at(at + 18 * 60 + 29) == 512 * KIB
        assert table.rate_at(at + 18 * 60 + 30) == 10 * MIB
        assert table.rate_at(at + 23 * 60) is None
    assert table.text == "08:00,512K 18:30,10M 23:00,off"


def test_days_of_the_week_may_differ() -> None:
    table = timetable_of("Mon-08:00,1M Fri-18:00,off")
    assert table.rate_at(0) is None  # since Friday
    assert table.rate_at(8 * 60) == MIB
    assert table.rate_at(4 * DAY + 18 * 60 - 1) == MIB
    assert table.rate_at(4 * DAY + 18 * 60) is None
    assert table.rate_at(6 * DAY) is None


@pytest.mark.parametrize(
    "text",
    [
        *("5", "fast", "5MB", "-5M", "5 M", "1K", "0.001K", "8:00", "25:00,1M", "08:60,1M"),
        *("Xyz-08:00,1M", "08:00,1M 08:00,2M", "08:00, 1M", "08:00,1M;09:00,2M", "²M"),
    ],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        timetable_of(text)

"""Numbers, times and names in words."""

from __future__ import annotations

import pytest

from app.cli import words
from app.domain.moments import iso_time


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (9_000_000_000, "9.0 GB"),
        (10**22, "10000.0 EB"),
    ],
)
def test_sizes_are_told_in_powers_of_1000(size_bytes: int, text: str) -> None:
    assert words.size(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0 s"), (0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (7_440, "2 h 04 min")],
)
def test_durations_are_told_as_people_say_them(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize("time_ms", [0, -5, 2**63 - 1])
def test_a_time_that_no_calendar_holds_is_no_time(time_ms: int) -> None:
    assert words.local_time(time_ms) == ""
    assert iso_time(time_ms) is None


def test_iso_times_keep_their_milliseconds() -> None:
    assert iso_time(1638728596890) == "2021-12-05T18:23:16.890+00:00"


def test_how_long_it_took_is_empty_while_it_runs() -> None:
    assert words.took(1_000, 0) == ""
    assert words.took(1_000, 3_500) == "2.5 s"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("đơn hàng 🛒.csv", "đơn hàng 🛒.csv"),
        ("e\u0301.csv", "e\u0301.csv"),
        ("a\x1b[31m\n", "a\\x1b[31m\\n"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("\udce9.csv", "\\udce9.csv"),
    ],
)
def test_names_are_shown_as_they_are_but_cannot_steer_a_terminal(name: str, text: str) -> None:
    assert words.shown(name) == text

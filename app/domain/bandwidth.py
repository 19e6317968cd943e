"""How fast uploads may go, and when: one limit, or a timetable of them.

    5M                                always
    08:00,512K 18:00,10M 23:00,off    by the time of day, each until the next one
    Mon-08:00,1M Fri-18:00,off        by the time of the week

Rates are bytes a second with K, M or G (1,024 of the one before). The form is that of rclone's
`--bwlimit`, but for bare numbers, which one program reads as bytes and another as KiB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.domain.errors import WrongUse

LEAST_BYTES_S = 16 * 1024
OFF = "off"

_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}
_RATE = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)([KMG])", re.IGNORECASE)
_ENTRY = re.compile(r"(?:([a-z]{3})-)?([01]?[0-9]|2[0-3]):([0-5][0-9]),(\S+)", re.IGNORECASE)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Timetable:
    """`entries` are (minute of the week, Monday 00:00 is 0; bytes a second or None), growing."""

    text: str = OFF
    entries: tuple[tuple[int, int | None], ...] = ()

    def rate_at(self, minute_of_week: int) -> int | None:
        """Bytes a second, None where nothing limits. The last entry of a week goes on into it."""
        if not self.entries:
            return None
        past = [rate for minute, rate in self.entries if minute <= minute_of_week]
        return past[-1] if past else self.entries[-1][1]


UNLIMITED = Timetable()


def timetable_of(text: str) -> Timetable:
    """Raises `WrongUse` for what is none."""
    words = text.split()
    if [word.lower() for word in words] in ([], [OFF], ["0"]):
        return UNLIMITED
    if len(words) == 1 and "," not in words[0]:
        return Timetable(text.strip(), ((0, _rate_of(words[0])),))
    entries: dict[int, int | None] = {}
    for word in words:
        found = _ENTRY.fullmatch(word)
        day = found[1].lower() if found and found[1] else ""
        if found is None or (day and day not in _DAYS):
            raise WrongUse(
                f"{word!r} is no entry of a timetable: write 08:00,512K or Mon-08:00,512K, "
                "entries apart by spaces."
            )
        days = [_DAYS.index(day)] if day else range(len(_DAYS))
        rate = _rate_of(found[4])
        for number in days:
            minute = number * _DAY_MINUTES + int(found[2]) * 60 + int(found[3])
            if minute in entries and entries[minute] != rate:
                raise WrongUse(f"The timetable has two rates for {word.partition(',')[0]}.")
            entries[minute] = rate
    return Timetable(" ".join(words), tuple(sorted(entries.items(), key=lambda entry: entry[0])))


def _rate_of(text: str) -> int | None:
    if text.lower() == OFF:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise WrongUse(
            f"{text!r} is no rate: write a number with K, M or G (KiB, MiB, GiB a second), "
            "such as 5M, or off."
        )
    rate = int(float(found[1]) * _UNITS[found[2].upper()])
    if rate < LEAST_BYTES_S:
        raise WrongUse(f"{text} is too slow: servers give up below {LEAST_BYTES_S // 1024}K.")
    return rate

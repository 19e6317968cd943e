"""The colours of the window by role, once for light and once for dark."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """What a colour says; never the only thing that says it (icon and text do as well)."""

    NORMAL = "normal"
    MUTED = "muted"
    ACCENT = "accent"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Tokens(NamedTuple):
    """Colours as `#rrggbb`. `*_soft` are backgrounds that text of the same tone stands on."""

    is_dark: bool
    window: str
    sidebar: str
    surface: str  # cards, tables, fields
    raised: str  # buttons, the chosen one of several
    hover: str
    border: str
    border_strong: str  # fields and buttons: 3:1 against what is around them
    text: str
    muted: str
    accent: str  # text, icons, bars
    accent_fill: str  # the primary button
    accent_fill_hover: str
    on_accent: str
    accent_soft: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    neutral_soft: str
    selection: str
    track: str  # behind a progress bar

    def ink(self, tone: Tone) -> str:
        return {
            Tone.NORMAL: self.text,
            Tone.MUTED: self.muted,
            Tone.ACCENT: self.accent,
            Tone.GOOD: self.good,
            Tone.WARN: self.warn,
            Tone.BAD: self.bad,
        }[tone]

    def soft(self, tone: Tone) -> str:
        return {
            Tone.NORMAL: self.neutral_soft,
            Tone.MUTED: self.neutral_soft,
            Tone.ACCENT: self.accent_soft,
            Tone.GOOD: self.good_soft,
            Tone.WARN: self.warn_soft,
            Tone.BAD: self.bad_soft,
        }[tone]


LIGHT = Tokens(
    is_dark=False,
    window="#f6f7f9",
    sidebar="#eceef2",
    surface="#ffffff",
    raised="#ffffff",
    hover="#f2f5fa",
    border="#dfe3e9",
    border_strong="#858e9d",
    text="#14181f",
    muted="#565f6d",
    accent="#1f4fd8",
    accent_fill="#2457e6",
    accent_fill_hover="#1c48c4",
    on_accent="#ffffff",
    accent_soft="#e3ebfd",
    good="#0b6b34",
    good_soft="#dcf4e5",
    warn="#8a4a00",
    warn_soft="#fdefd3",
    bad="#b3190f",
    bad_soft="#fde5e3",
    neutral_soft="#eceef2",
    selection="#e3ebfd",
    track="#e3e7ed",
)

DARK = Tokens(
    is_dark=True,
    window="#14171c",
    sidebar="#0f1216",
    surface="#1a1e25",
    raised="#262c36",
    hover="#212730",
    border="#2c323c",
    border_strong="#6b7585",
    text="#e9ecf1",
    muted="#a6afbd",
    accent="#86aeff",
    accent_fill="#2f66e0",
    accent_fill_hover="#2a5ccf",
    on_accent="#ffffff",
    accent_soft="#1d2b4a",
    good="#63d890",
    good_soft="#13321f",
    warn="#f3b95c",
    warn_soft="#38290f",
    bad="#ff918b",
    bad_soft="#431b1b",
    neutral_soft="#282e38",
    selection="#20304f",
    track="#2f3641",
)

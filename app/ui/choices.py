"""What the window is started with, and whether there is a screen for it; no Qt needed to know."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import WindowFailed

LANGUAGES = ("en", "vi")


class ThemeChoice(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class WindowChoices:
    """`language` "" takes the system's, English where LakeDrop does not speak it."""

    theme: ThemeChoice = ThemeChoice.SYSTEM
    language: str = ""


def window_choices(arguments: Sequence[str]) -> WindowChoices:
    """Leaves by `SystemExit` for --help and for what it does not know."""
    if not arguments:
        return WindowChoices()
    import argparse  # not needed for the usual start

    grammar = argparse.ArgumentParser("lakedrop window", description="Open LakeDrop's window.")
    grammar.add_argument(
        "--theme",
        choices=[choice.value for choice in ThemeChoice],
        default=ThemeChoice.SYSTEM.value,
        help="light or dark (default: as the system is)",
    )
    grammar.add_argument("--language", choices=LANGUAGES, default="", help="default: the system's")
    chosen = grammar.parse_args(list(arguments))
    return WindowChoices(ThemeChoice(chosen.theme), chosen.language)


def raise_if_no_display(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> None:
    """Raises `WindowFailed` in words: Qt itself would abort the process."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if platform.startswith(("win", "darwin")) or any(environ.get(name) for name in screens):
        return
    raise WindowFailed(
        "There is no display to open a window on. On this machine use the command line: "
        "lakedrop upload --help"
    )

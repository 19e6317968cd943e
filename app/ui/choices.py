"""What the window is started with, and whether there is a screen for it; no Qt needed to know."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from app.domain.errors import WindowFailed

LANGUAGES = ("en", "vi")
_X_WITHIN_S = 2.0


class ThemeChoice(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class WindowChoices(NamedTuple):
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
    if platform.startswith(("win", "darwin")) or environ.get("QT_QPA_PLATFORM", "") not in (
        "",
        "xcb",
        "wayland",
    ):
        return
    display, wayland = environ.get("DISPLAY"), environ.get("WAYLAND_DISPLAY")
    if (display and _x_answers(display)) or (wayland and _wayland_answers(wayland, environ)):
        return
    named = display or wayland
    what = f"The display {named} does not answer" if named else "There is no display here"
    raise WindowFailed(
        f"{what}, so no window can be opened. The command line works without: "
        "lakedrop upload --help"
    )


def _x_answers(display: str) -> bool:
    """Whether somebody listens there; a variable outlives the screen it named (ssh, tmux)."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdecimal():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108
        return _unix_socket_answers(path) or _unix_socket_answers(f"\0{path}")
    try:
        socket.create_connection((host, 6000 + int(number)), timeout=_X_WITHIN_S).close()
    except OSError:
        return False
    return True


def _wayland_answers(name: str, environ: Mapping[str, str]) -> bool:
    return _unix_socket_answers(os.path.join(environ.get("XDG_RUNTIME_DIR", ""), name))  # noqa: PTH118


def _unix_socket_answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(path)
    except OSError:
        return False
    return True

"""What make needs from the system, by system-packages.txt: finds, installs, or says how to.

Standard library only, as set-up is.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The tests need what the program needs, and the benchmarks what the tests do.
PURPOSES: Mapping[str, frozenset[str]] = {
    "run": frozenset({"run"}),
    "test": frozenset({"run", "test"}),
    "bench": frozenset({"run", "test", "bench"}),
}
_LIBRARY, _FONT = "lib:", "font:"
_FONT_FILES = frozenset({".ttf", ".otf", ".ttc"})


class SetupFailed(Exception):
    """Set-up cannot go on; the text says what the person at the terminal can do."""


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """One line of system-packages.txt: what is needed, and the Debian package that brings it.

    `need` is a command (`curl`), a library (`lib:libGL.so.1`) or a font (`font:DejaVu*`, a pattern
    for the names of font files).
    """

    needed_for: str
    need: str
    package: str

    @property
    def name(self) -> str:
        """What a person calls it."""
        if self.need.startswith(_FONT):
            pattern = self.need.removeprefix(_FONT)
            return "a font" if pattern == "*" else f"the font {pattern}"
        return self.need.removeprefix(_LIBRARY)


@dataclass(frozen=True, slots=True)
class Machine:
    """What set-up may ask and do outside its own files; tests give another one.

    `has` answers whether a need of a `SystemPackage` is met.
    """

    run: Callable[[Sequence[str]], int]
    has: Callable[[str], bool]
    is_root: bool
    in_ci: bool
    say: Callable[[str], None]


def system_packages(listing: str, what: str) -> list[SystemPackage]:
    """The lines of system-packages.txt that `what` needs."""
    rows = [line.split("#")[0].split() for line in listing.splitlines()]
    return [SystemPackage(*row) for row in rows if row and row[0] in PURPOSES[what]]


def is_here(need: str) -> bool:
    """Whether this system has a command, a library or a font.

    The list is for Linux. Elsewhere Qt brings what it needs, so nothing is asked for.
    """
    if not sys.platform.startswith("linux"):
        return True
    if need.startswith(_LIBRARY):
        return _loads(need.removeprefix(_LIBRARY))
    if need.startswith(_FONT):
        return has_font(need.removeprefix(_FONT), font_folders(os.environ))
    return shutil.which(need) is not None


def has_font(pattern: str, folders: Sequence[Path]) -> bool:
    """Whether a font file whose name fits lies in the folders, or below."""
    return any(
        Path(name).suffix.lower() in _FONT_FILES
        for folder in folders
        for _, _, names in os.walk(folder)
        for name in fnmatch.filter(names, pattern)
    )


def font_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where fontconfig looks for fonts unless it is told otherwise."""
    home = Path(environ.get("HOME") or "/")
    own = Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "fonts"
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), own, home / ".fonts"]


def missing_packages(machine: Machine, listing: str, what: str) -> list[SystemPackage]:
    """What `what` needs and this machine lacks."""
    return [row for row in system_packages(listing, what) if not machine.has(row.need)]


def apt_command(packages: Sequence[SystemPackage]) -> list[str]:
    """The one command that installs these, as root."""
    names = sorted({package.package for package in packages})
    return ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]


def how_to_install(packages: Sequence[SystemPackage], *, has_apt: bool) -> str:
    """What a person must do who lacks these: the exact command where there is apt."""
    names = ", ".join(package.name for package in packages)
    if has_apt:
        command = " ".join(word for word in apt_command(packages) if word != "-q")
        return (
            f"This system lacks {names}. Install with:\n    sudo apt-get update && sudo {command}"
        )
    debian_names = " ".join(apt_command(packages)[5:])
    return (
        f"This system lacks {names}. Install with its package tool (in Debian they come with: "
        f"{debian_names})."
    )


def look_after_the_system(machine: Machine, listing: str, what: str) -> None:
    """Installs the missing system packages as root on apt systems; says how otherwise.

    What is missing stops nobody but CI, where a test that skips itself guards nothing: without the
    window LakeDrop still does its main job, and the tests that need a tool skip and say so.
    """
    missing = missing_packages(machine, listing, what)
    if not missing:
        return
    must_have_all = machine.in_ci and what != "run"
    has_apt = machine.has("apt-get")
    if machine.is_root and has_apt:
        machine.say(f"Installing {' '.join(apt_command(missing)[5:])} ...")
        updated = machine.run(["apt-get", "update", "-q"])
        if updated == 0 and machine.run(apt_command(missing)) == 0:
            return
        complaint = "apt-get failed: its lines above say why."
        if must_have_all:
            raise SetupFailed(f"{complaint} Mend that, then make again.")
        machine.say(f"{complaint} {_what_stays_away(missing)}")
        return
    advice = how_to_install(missing, has_apt=has_apt)
    if must_have_all:
        raise SetupFailed(advice)
    machine.say(f"{advice}\n{_what_stays_away(missing)}")


def _what_stays_away(missing: Sequence[SystemPackage]) -> str:
    consequences = {
        "run": "LakeDrop's window may not open; everything else works",
        "test": "the tests that need them are skipped",
        "bench": "the benchmarks that need them are left out",
    }
    purposes = {package.needed_for for package in missing}
    told = [text for purpose, text in consequences.items() if purpose in purposes]
    return f"Until then: {'; '.join(told)}."


def _loads(library: str) -> bool:
    """Asks the system's own loader, as Qt will: the library and everything it needs in turn."""
    try:
        import ctypes
    except ImportError:  # a Python built without it cannot ask; a window that fails will tell
        return True
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True

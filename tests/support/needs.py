"""What a test needs from its machine: a missing tool skips loudly here, and fails in CI.

A test that skips itself in CI is a promise nobody keeps, so there a missing tool is a failure of
the set-up. The tools and where they come from stand in `packaging/system-packages.txt`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

_LISTING = Path(__file__).resolve().parents[2] / "packaging" / "system-packages.txt"

_FUSE = Path("/dev/fuse")


def needs_tool(
    command: str, *, environ: Mapping[str, str] = os.environ, listing: Path = _LISTING
) -> str:
    """The full path of a system tool; skips the calling test where it is missing, fails it in CI.

    A tool that `make test` does not know to install fails everywhere: it works on one machine only.
    """
    if command not in _listed_commands(listing):
        pytest.fail(f"{command} is not in {listing.name}, so `make test` cannot install it")
    found = shutil.which(command, path=environ.get("PATH"))
    if found is None:
        _give_up(f"{command} is not installed; `make setup-dev` says how to get it", environ)
    return found


def needs_folder(folder: Path, what: str, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Skips the calling test where set-up could not bring `folder`; fails it in CI."""
    if not folder.is_dir():
        _give_up(f"{what} are not installed; `make setup-dev` says how to get them", environ)
    return folder


def needs_root(*, environ: Mapping[str, str] = os.environ) -> None:
    """Skips the calling test unless it runs as root; fails it in CI."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        _give_up("this test must run as root", environ)


def needs_fuse(*, environ: Mapping[str, str] = os.environ, device: Path = _FUSE) -> None:
    """Skips the calling test where no file system can be mounted by FUSE; fails it in CI."""
    needs_tool("fusermount3", environ=environ)
    if not os.access(device, os.R_OK | os.W_OK):
        _give_up(
            f"{device} cannot be opened: the kernel has no FUSE, or keeps it to others", environ
        )
    try:
        import mfusepy  # noqa: F401 (asked whether it finds libfuse)
    except (ImportError, OSError) as missing:
        _give_up(f"libfuse does not load: {missing}", environ)


def needs_qt(*, environ: Mapping[str, str] = os.environ) -> None:
    """Skips the calling test where Qt does not load, for want of a library; fails it in CI."""
    try:
        import PySide6.QtWidgets  # noqa: F401 (asked whether it loads)
    except ImportError as missing:
        _give_up(f"Qt does not load: {missing}", environ)


def _listed_commands(listing: Path) -> set[str]:
    rows = (line.split("#")[0].split() for line in listing.read_text("utf-8").splitlines())
    return {row[1] for row in rows if row}


def _give_up(reason: str, environ: Mapping[str, str]) -> NoReturn:
    if environ.get("CI"):
        pytest.fail(f"{reason} (and CI runs every test)")
    pytest.skip(reason)

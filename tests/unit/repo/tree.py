"""The project's own files, as its tests about itself see them."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def tracked_files() -> list[Path]:
    """Every file git tracks, as a full path; skips where the tree is no git checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is not a git checkout")
    # Another user's checkout (root's, in a container) is listed too: nothing of it is run.
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True).stdout
    names = [name for name in listed.decode("utf-8").split("\0") if name]
    # A file that is deleted but not yet committed is still listed.
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def project_table() -> dict[str, Any]:
    """pyproject.toml, as it is written."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_texts() -> dict[str, str]:
    """The text of every tracked file that is UTF-8 text, by its path below the root."""
    texts: dict[str, str] = {}
    for file in tracked_files():
        content = file.read_bytes()
        if b"\0" not in content:
            texts[file.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return texts

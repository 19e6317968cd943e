"""Tests that miss a tool skip where a person works, and fail where CI does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.needs import needs_fuse, needs_tool

LISTING = """# for need package
run   lib:libGL.so.1  libgl1        # why
test  there           some-package  # why
"""


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    file = tmp_path / "system-packages.txt"
    file.write_text(LISTING, encoding="utf-8")
    return file


def outcome(command: str, listing: Path, **environ: str) -> str:
    """How the need ends. Both ends are caught here, or a skip would skip the test of it."""
    try:
        return needs_tool(command, environ=environ, listing=listing)
    except pytest.skip.Exception as skipped:
        return f"skipped: {skipped}"
    except pytest.fail.Exception as failed:
        return f"failed: {failed}"


def test_a_missing_tool_skips_where_a_person_works(listing: Path, tmp_path: Path) -> None:
    seen = outcome("there", listing, PATH=str(tmp_path))
    assert seen.startswith("skipped: there is not installed")


def test_a_missing_tool_fails_in_ci(listing: Path, tmp_path: Path) -> None:
    seen = outcome("there", listing, PATH=str(tmp_path), CI="true")
    assert seen.startswith("failed: there is not installed")


def test_a_tool_that_make_cannot_install_fails_everywhere(listing: Path, tmp_path: Path) -> None:
    seen = outcome("elsewhere", listing, PATH=str(tmp_path))
    assert seen.startswith("failed: elsewhere is not in system-packages.txt")


def test_a_tool_that_is_there_is_found_by_its_full_path(listing: Path, tmp_path: Path) -> None:
    tool = tmp_path / "there"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    assert outcome("there", listing, PATH=str(tmp_path)) == str(tool)


def test_a_machine_without_fuse_skips_loudly_and_fails_in_ci(tmp_path: Path) -> None:
    path = {"PATH": os.environ["PATH"]}
    with pytest.raises((pytest.skip.Exception, pytest.fail.Exception)):
        needs_fuse(environ=path, device=tmp_path / "no device")
    with pytest.raises(pytest.fail.Exception, match="CI runs every test"):
        needs_fuse(environ=path | {"CI": "true"}, device=tmp_path / "no device")

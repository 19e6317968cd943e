"""Tests that miss a tool skip where a person works, and fail where CI does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.needs import needs_tool


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    file = tmp_path / "system-packages.txt"
    file.write_text("# for command package\ntest  there  some-package  # why\n", encoding="utf-8")
    return file


def test_a_missing_tool_skips_where_a_person_works(listing: Path, tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="there is not installed"):
        needs_tool("there", environ={"PATH": str(tmp_path)}, listing=listing)


def test_a_missing_tool_fails_in_ci(listing: Path, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="there is not installed"):
        needs_tool("there", environ={"PATH": str(tmp_path), "CI": "true"}, listing=listing)


def test_a_tool_that_make_cannot_install_fails_everywhere(listing: Path, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="elsewhere is not in"):
        needs_tool("elsewhere", environ={"PATH": str(tmp_path)}, listing=listing)


def test_a_tool_that_is_there_is_found_by_its_full_path(listing: Path, tmp_path: Path) -> None:
    tool = tmp_path / "there"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    assert needs_tool("there", environ={"PATH": str(tmp_path)}, listing=listing) == str(tool)

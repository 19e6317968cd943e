"""Where Python is missing or too old, make says so in a sentence, with the command that helps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.repo.tree import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make's set-up is for POSIX shells")

TREE = "cây mã nguồn"
SHELL_TOOLS = ("sh", "dirname")
TOO_OLD = "#!/bin/sh\nexit 1\n"
# Knows its version but not its venv module, as Debian's python3 without python3-venv does.
WITHOUT_VENV = "#!/bin/sh\ncase $3 in *ensurepip*) exit 1 ;; *) exit 0 ;; esac\n"


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A PATH of its own: no Python, and an `id` that says this is an ordinary user."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in SHELL_TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    program(folder / "id", "#!/bin/sh\necho 1000\n")
    return folder


def program(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def set_up(bin_folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the real script in a tree of its own whose path has a space and an accent."""
    tree = bin_folder.parent / TREE
    shutil.copytree(ROOT / "packaging", tree / "packaging", dirs_exist_ok=True)
    return subprocess.run(
        [bin_folder / "sh", tree / "packaging" / "setup.sh", "run"],
        env={"PATH": str(bin_folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "sentence", "command"),
    [
        (
            None,
            "there is no python3 here",
            "install -y --no-install-recommends python3 python3-venv",
        ),
        (WITHOUT_VENV, "lacks here", "install -y --no-install-recommends python3-venv"),
        (TOO_OLD, "older or does not start", "make setup PYTHON=/path/to/python3.11"),
    ],
)
def test_a_python_that_does_not_do_is_told_with_the_command(
    bin_folder: Path, python: str | None, sentence: str, command: str
) -> None:
    program(bin_folder / "apt-get", "#!/bin/sh\necho apt-get was run\n")
    if python is not None:
        program(bin_folder / "python3", python)
    answer = set_up(bin_folder)
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert command in answer.stderr
    assert "apt-get was run" not in answer.stdout


def test_without_apt_no_apt_command_is_told(bin_folder: Path) -> None:
    answer = set_up(bin_folder)
    assert answer.returncode == 1
    assert "apt-get" not in answer.stderr
    assert "make setup PYTHON=" in answer.stderr


def test_a_python_asked_for_by_name_is_not_replaced_by_another(bin_folder: Path) -> None:
    (bin_folder / "python3").symlink_to(sys.executable)
    answer = set_up(bin_folder, PYTHON="python3.99")
    assert answer.returncode == 1
    assert "there is no python3.99 here" in answer.stderr


def test_a_tree_that_is_ready_needs_no_python_of_the_system(bin_folder: Path) -> None:
    python = bin_folder.parent / TREE / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    program(python, "#!/bin/sh\nexit 0\n")
    answer = set_up(bin_folder)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_make_alone_lists_every_target() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.fail("these tests are run by make")
    answer = subprocess.run(
        [make, "--no-print-directory", "-C", ROOT], capture_output=True, text=True, check=True
    )
    listed = {line.split()[1] for line in answer.stdout.splitlines()}
    assert listed >= {"setup", "run", "test", "check", "bench", "soak", "screenshots", "clean"}
    assert "translations" in listed

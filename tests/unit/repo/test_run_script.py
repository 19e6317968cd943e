"""`make run` opens the window where one can be shown; elsewhere it does the main job without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import needs_qt
from tests.unit.repo.tree import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make's scripts are for POSIX shells")
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere no variable names the display"
)

THE_WINDOW, THE_DEMO = "lakedrop\n", "lakedrop demo --folder .demo\n"
NO_X_SERVER = ":987"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A set-up tree whose path has a space; its `lakedrop` only says how it was called."""
    folder = tmp_path / "a tree"
    scripts = folder / ".venv" / "bin"
    scripts.mkdir(parents=True)
    shutil.copytree(ROOT / "packaging", folder / "packaging")
    program(scripts / "lakedrop", 'echo lakedrop ${1+"$@"}')
    program(scripts / "python", f'exec "{sys.executable}" "$@"')
    return folder


def program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    file.chmod(0o755)


def run(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    inherited = {name: value for name, value in os.environ.items() if name not in displays}
    return subprocess.run(
        ["sh", tree / "packaging" / "run.sh"],
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )


def test_where_a_window_can_be_shown_it_is_opened(tree: Path) -> None:
    program(tree / ".venv" / "bin" / "python", "echo xcb")
    answer = run(tree, DISPLAY=":0")
    assert (answer.stdout, answer.stderr) == (THE_WINDOW, "")


@on_linux
def test_without_a_display_no_window_is_tried(tree: Path) -> None:
    program(tree / ".venv" / "bin" / "python", "echo xcb")
    answer = run(tree)
    assert answer.stdout == THE_DEMO
    assert answer.stderr.startswith("There is no display here, so LakeDrop uploads")


@on_linux
def test_a_display_that_is_gone_is_one_sentence_and_no_crash(tree: Path) -> None:
    needs_qt()
    answer = run(tree, DISPLAY=NO_X_SERVER, QT_QPA_PLATFORM="xcb")
    assert answer.stdout == THE_DEMO
    [sentence] = answer.stderr.splitlines()
    assert sentence.startswith(f"The display {NO_X_SERVER} cannot be used, so LakeDrop uploads")


@pytest.mark.parametrize(
    "complaint",
    [
        "ImportError: libEGL.so.1: cannot open shared object file: No such file",
        "qt.qpa.plugin: Could not load the Qt platform plugin xcb",
    ],
)
def test_libraries_that_are_missing_are_one_sentence(tree: Path, complaint: str) -> None:
    program(tree / ".venv" / "bin" / "python", f'echo "{complaint}" >&2; exit 1')
    answer = run(tree, DISPLAY=":0")
    assert answer.stdout == THE_DEMO
    [sentence] = answer.stderr.splitlines()
    assert "libraries are not complete (make setup says what is missing)" in sentence


def test_a_platform_that_shows_nothing_is_no_display(tree: Path) -> None:
    needs_qt()
    answer = run(tree, DISPLAY=":0", QT_QPA_PLATFORM="offscreen")
    assert answer.stdout == THE_DEMO
    assert answer.stderr.startswith("QT_QPA_PLATFORM=offscreen shows no window, so")

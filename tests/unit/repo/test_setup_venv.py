"""Set-up does what is missing and nothing else, and starts over what was interrupted."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import setup_venv
from setup_venv import Tree
from system_needs import SetupFailed
from tests.unit.repo.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make's set-up is for POSIX shells")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a tree"
    (folder / "packaging").mkdir(parents=True)
    (folder / "packaging" / "system-packages.txt").write_text("", encoding="utf-8")
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (folder / name).write_text(f"{name} as it was\n", encoding="utf-8")
    return folder


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_the_first_set_up_makes_everything_and_the_second_nothing(
    root: Path, terminal: Terminal
) -> None:
    tree = Tree(root, terminal.machine())
    assert not tree.is_ready("run")
    tree.prepare("run")
    assert terminal.steps() == ["venv", "run", "helpers", "project"]
    assert tree.is_ready("run")
    tree.prepare("run")
    assert terminal.steps() == []


def test_qts_helpers_are_laid_out_as_files(tmp_path: Path) -> None:
    found = importlib.util.find_spec("shiboken6")
    assert found is not None
    assert found.origin is not None
    copy = tmp_path / "shiboken6"
    shutil.copytree(
        Path(found.origin).parent, copy, ignore=shutil.ignore_patterns("files.dir", "include")
    )

    subprocess.run(
        [sys.executable, "-c", setup_venv.UNPACK_QT_HELPERS],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=True,
        timeout=60,
    )

    assert (copy / "files.dir" / "shibokensupport" / "feature.py").is_file()


def test_bindings_that_do_not_load_do_not_stop_the_set_up(root: Path, terminal: Terminal) -> None:
    terminal.failing = "shiboken6"
    tree = Tree(root, terminal.machine())
    tree.prepare("run")
    assert tree.is_ready("run")


def test_what_the_system_lacks_is_looked_for_every_time(root: Path, terminal: Terminal) -> None:
    (root / "packaging" / "system-packages.txt").write_text("run lib:libGL.so.1 libgl1\n", "utf-8")
    terminal.has = {"lib:libGL.so.1"}
    tree = Tree(root, terminal.machine())
    tree.prepare("run")
    assert tree.is_ready("run")
    terminal.has = set()
    assert not tree.is_ready("run")


def test_the_benchmarks_need_the_tests_packages(root: Path, terminal: Terminal) -> None:
    tree = Tree(root, terminal.machine())
    tree.prepare("test")
    assert tree.is_ready("bench")


def test_packages_are_taken_by_hash_and_never_built_here(root: Path, terminal: Terminal) -> None:
    Tree(root, terminal.machine()).prepare("test")
    [lock] = [line for line in terminal.commands if "requirements" in line]
    assert "--require-hashes" in lock
    assert "--only-binary=:all:" in lock
    assert "--no-build-isolation" in terminal.commands[-1]


def test_the_tests_packages_are_added_once_and_survive_a_run(
    root: Path, terminal: Terminal
) -> None:
    tree = Tree(root, terminal.machine())
    tree.prepare("run")
    terminal.steps()
    tree.prepare("test")
    assert terminal.steps() == ["dev", "helpers", "project"]
    (root / "pyproject.toml").write_text("changed\n", encoding="utf-8")
    tree.prepare("run")
    assert terminal.steps() == ["project"]
    assert tree.is_ready("test")


@pytest.mark.parametrize("failing", [" -m venv ", "requirements.lock", " -e "])
def test_a_set_up_that_failed_half_way_is_started_over(
    root: Path, terminal: Terminal, failing: str
) -> None:
    tree = Tree(root, terminal.machine())
    terminal.failing = failing
    with pytest.raises(SetupFailed, match="run make again"):
        tree.prepare("run")
    terminal.steps()
    terminal.failing = ""
    assert not tree.is_ready("run")
    tree.prepare("run")
    assert terminal.steps() == ["venv", "run", "helpers", "project"]


def test_a_change_that_failed_half_way_is_started_over(root: Path, terminal: Terminal) -> None:
    tree = Tree(root, terminal.machine())
    tree.prepare("run")
    terminal.failing = "requirements-dev.lock"
    with pytest.raises(SetupFailed):
        tree.prepare("test")
    assert not tree.is_ready("run")


def change_lock(root: Path) -> Path:
    (root / "requirements.lock").write_text("changed\n", encoding="utf-8")
    return root


def lose_python(root: Path) -> Path:
    (root / ".venv" / "bin" / "python").unlink()
    return root


def break_python(root: Path) -> Path:
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")
    return root


def tear_stamp(root: Path) -> Path:
    stamp = root / ".venv" / setup_venv.STAMP
    stamp.write_bytes(stamp.read_bytes()[:20])
    return root


def move_tree(root: Path) -> Path:
    return root.rename(root.with_name("moved"))


@pytest.mark.parametrize("happens", [change_lock, lose_python, break_python, tear_stamp, move_tree])
def test_a_venv_that_no_longer_fits_is_made_anew(
    root: Path, terminal: Terminal, happens: Callable[[Path], Path]
) -> None:
    Tree(root, terminal.machine()).prepare("run")
    terminal.steps()
    tree = Tree(happens(root), terminal.machine())
    assert not tree.is_ready("run")
    tree.prepare("run")
    assert terminal.steps() == ["venv", "run", "helpers", "project"]


def test_a_child_that_outlives_its_set_up_keeps_the_next_one_waiting(tmp_path: Path) -> None:
    import fcntl  # not there on Windows

    until_told = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with setup_venv.alone(tmp_path, lambda line: None) as kept:
        child = subprocess.Popen(until_told, stdin=subprocess.PIPE, pass_fds=kept)
    with (tmp_path / ".setup.lock").open("w") as next_one:
        with pytest.raises(BlockingIOError):
            fcntl.flock(next_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.communicate()
        fcntl.flock(next_one, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _ask_for_node_packages(root: Path, lock: str) -> None:
    folder = root / "packaging" / "node-packages"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text("{}", encoding="utf-8")
    (folder / "package-lock.json").write_text(lock, encoding="utf-8")


def test_the_tests_packages_from_npm_come_by_their_lock_and_once(
    root: Path, terminal: Terminal
) -> None:
    _ask_for_node_packages(root, "first")
    terminal.has = {"npm"}
    tree = Tree(root, terminal.machine())
    tree.prepare("run")
    assert not any(line.startswith("npm") for line in terminal.commands)
    tree.prepare("test")
    assert "npm ci --ignore-scripts" in terminal.commands[-1]
    note = root / ".venv" / "node" / "node_modules" / ".package-lock.json"
    note.parent.mkdir()
    note.write_text("{}", encoding="utf-8")
    assert tree.is_ready("test")
    assert tree.is_ready("bench")
    _ask_for_node_packages(root, "second")
    assert tree.is_ready("run")
    assert not tree.is_ready("test")
    tree.prepare("test")
    assert not note.exists()
    assert "npm ci" in terminal.commands[-1]


def test_without_npm_its_packages_are_left_out(root: Path, terminal: Terminal) -> None:
    _ask_for_node_packages(root, "first")
    tree = Tree(root, terminal.machine())
    tree.prepare("test")
    assert tree.is_ready("test")
    assert not any(line.startswith("npm") for line in terminal.commands)


def test_packages_from_npm_that_cannot_be_had_are_told(root: Path, terminal: Terminal) -> None:
    _ask_for_node_packages(root, "first")
    terminal.has, terminal.failing = {"npm"}, "npm ci"
    with pytest.raises(SetupFailed, match="npm"):
        Tree(root, terminal.machine()).prepare("test")
    assert not (root / ".venv" / "node").exists()

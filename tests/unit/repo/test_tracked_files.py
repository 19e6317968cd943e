"""What is committed speaks of the product alone, and each file stays one room."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.unit.repo.tree import ROOT, tracked_files, tracked_texts

MOST_LINES = 420

# Folders that only a machine of somebody's has. A made-up home in a test (/home/a) is none.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|workspace|tmp/v)/[\w.]")
# Where packages come from is a person's own configuration.
REGISTRY_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)\b", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b|except Exception:\s*pass")
UNEXPLAINED = re.compile(r"#\s*(?:type:\s*ignore|no" + r"qa)\s*$", re.MULTILINE)


def places(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """`path:line` of every match."""
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path, text in texts.items()
        for match in pattern.finditer(text)
    ]


def below(folder: Path) -> re.Pattern[str]:
    """Any path that starts in `folder`."""
    return re.compile(rf"(?<![\w.~-]){re.escape(str(folder))}/")


def python_texts() -> dict[str, str]:
    return {path: text for path, text in tracked_texts().items() if path.endswith(".py")}


def test_no_file_names_a_place_of_one_machine() -> None:
    texts = tracked_texts()
    assert places(MACHINE_PATH, texts) == []
    assert places(below(ROOT), texts) == []
    if Path.home() != Path("/"):
        assert places(below(Path.home()), texts) == []


def test_no_file_names_a_package_registry() -> None:
    assert places(REGISTRY_HOST, tracked_texts()) == []


def test_nothing_is_left_unfinished_or_silenced_without_a_reason() -> None:
    assert places(UNFINISHED, python_texts()) == []
    assert places(UNEXPLAINED, python_texts()) == []


def test_no_python_file_outgrows_its_room() -> None:
    lengths = {path: text.count("\n") for path, text in python_texts().items()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_nothing_that_make_makes_is_committed() -> None:
    made = {".venv", ".demo", "build", "dist", "__pycache__", "uv.lock"}
    parts = {part for file in tracked_files() for part in file.relative_to(ROOT).parts}
    assert parts & made == set()


def test_the_folder_packaging_is_no_package() -> None:
    """With an `__init__.py` it would hide the library `packaging`, which others import."""
    assert not (ROOT / "packaging" / "__init__.py").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no executable bits")
def test_continuous_integration_can_run_its_script() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see /" + "root/notes"),
        (below(ROOT), f'open("{ROOT}/notes")'),
        (MACHINE_PATH, '"/' + 'work/main"'),
        (REGISTRY_HOST, "https://pypi" + ".org/simple"),
        (UNFINISHED, "# TO" + "DO later"),
        (UNEXPLAINED, "x = y  # type: " + "ignore\n"),
    ],
)
def test_each_rule_sees_what_it_is_there_for(pattern: re.Pattern[str], text: str) -> None:
    assert places(pattern, {"file": text}) != []

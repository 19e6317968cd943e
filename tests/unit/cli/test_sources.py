"""`DIR` keeps its name, `DIR/` means its contents."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.sources import sources_of
from app.domain.errors import WrongUse
from app.domain.upload_job import Source


@pytest.fixture
def sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sales"
    (folder / "north").mkdir(parents=True)
    (folder / "a.csv").write_text("1")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("typed", "path", "contents_only"),
    [
        ("sales", "sales", False),
        ("./sales", "sales", False),
        ("sales/", "sales", True),
        ("sales//", "sales", True),
        ("sales/.", "sales", True),
        ("sales/north/..", "sales", True),
        (".", "", True),
        ("sales/a.csv", "sales/a.csv", False),
    ],
)
def test_the_way_a_path_is_typed_says_what_is_meant(
    typed: str, path: str, contents_only: bool, sales: Path
) -> None:
    assert sources_of([typed]) == (Source(str(sales.parent / path), contents_only),)


def test_the_contents_of_a_linked_folder_are_those_it_points_at(sales: Path) -> None:
    link = sales.parent / "link"
    link.symlink_to(sales)

    assert sources_of(["link/"]) == (Source(str(sales), contents_only=True),)
    assert sources_of(["link"]) == (Source(str(link)),)


@pytest.mark.parametrize("typed", ["nothing.csv", "", "sales/a.csv/"])
def test_what_does_not_exist_is_told_by_name(typed: str, sales: Path) -> None:
    with pytest.raises(WrongUse, match=typed or "''"):
        sources_of([str(sales), typed])


def test_of_many_missing_paths_a_few_are_named(sales: Path) -> None:
    with pytest.raises(WrongUse, match="nothing-4 and 7 more"):
        sources_of([f"nothing-{number}" for number in range(12)])

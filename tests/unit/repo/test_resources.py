"""What LakeDrop reads of `resources` is there in a checkout, and goes into the package."""

from __future__ import annotations

from app.composition import resources_folder
from tests.unit.repo.tree import ROOT, project_table, tracked_files

FOR_THE_README = {"screenshots"}


def resource_folders() -> set[str]:
    """The folders directly below `resources` that hold a tracked file of the program."""
    parts = [file.relative_to(ROOT).parts for file in tracked_files()]
    folders = {path[1] for path in parts if path[0] == "resources" and len(path) > 2}
    return folders - FOR_THE_README


def test_every_folder_of_resources_goes_into_the_package_to_where_the_program_looks() -> None:
    included = project_table()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {f"resources/{name}": f"app/resources/{name}" for name in resource_folders()}


def test_the_program_finds_them_in_a_checkout() -> None:
    assert {name for name in resource_folders() if (resources_folder() / name).is_dir()} >= {
        "icons",
        "samples",
        "styles",
        "translations",
    }

"""Patterns of an upload: the rules of .gitignore, below the dropped folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import WrongUse
from app.domain.picking import TAKE_ALL, Picking
from app.domain.upload_job import JobState, Source
from app.engine.picker import Picker
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType
from tests.unit.engine.house import DESTINATION, House

FILES = (
    "a.csv",
    "a.log",
    "build/x.csv",
    "deep/build/y.csv",
    "deep/a.log",
    "deep/keep.log",
    "deep/old/b.csv",
    "_delta_log/0.json",
    ".DS_Store",
    "deep/Thumbs.db",
    "deep/c.csv.part",
    ".Trashes/501/gone.csv",
)
JUNK = {".DS_Store", "deep/Thumbs.db", "deep/c.csv.part", ".Trashes/501/gone.csv"}
DATA = set(FILES) - JUNK


def tree_at(folder: Path) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def taken(tmp_path: Path, picking: Picking, *, contents_only: bool = True) -> set[str]:
    """What a job of the tree plans, told below the dropped folder."""
    top = tree_at(tmp_path / "in")
    with House(tmp_path) as house:
        job_id = house.engine.drafts.add(
            LOCAL_LAKE,
            DESTINATION,
            SyncType.FULL,
            "",
            [Source(str(top), contents_only)],
            picking=picking,
        )
        house.engine.wait_intake(job_id)
        return {name.removeprefix("in/") for name in house.items(job_id)}


def test_junk_is_left_out_and_told_and_everything_else_stays(tmp_path: Path) -> None:
    assert taken(tmp_path, Picking()) == DATA
    journal = SqliteJournal(tmp_path / "journal.db")
    told = {Path(entry.source).name: entry.reason for entry in journal.left_out(1, 100)}
    journal.close()
    assert told == {
        ".DS_Store": "a file that macOS keeps for itself",
        "Thumbs.db": "a file that Windows keeps for itself",
        "c.csv.part": "an unfinished download",
        ".Trashes": "a folder that macOS keeps for itself",  # and nothing below it is looked at
    }


def test_junk_is_taken_along_by_whoever_wants_it(tmp_path: Path) -> None:
    assert taken(tmp_path, Picking(keep_junk=True)) == set(FILES)


def test_junk_that_is_dropped_alone_is_left_out_too(tmp_path: Path) -> None:
    """Whoever drops all that is in a folder does not mean it either."""
    top = tree_at(tmp_path / "in")
    with House(tmp_path) as house:
        job_id = house.add(top / ".DS_Store", top / "a.csv")
        assert set(house.items(job_id)) == {"a.csv"}
        assert house.engine.snapshot(job_id).files_left_out == 1


@pytest.mark.parametrize(
    ("exclude", "gone"),
    [
        (["*.log"], {"a.log", "deep/a.log", "deep/keep.log"}),
        (["build/"], {"build/x.csv", "deep/build/y.csv"}),
        (["/build"], {"build/x.csv"}),
        (["deep/**/b.csv"], {"deep/old/b.csv"}),
        (["*.log", "!keep.log"], {"a.log", "deep/a.log"}),
        (["deep/", "!deep/a.log"], {name for name in DATA if name.startswith("deep/")}),
        (["a.???"], {"a.csv", "a.log", "deep/a.log"}),
    ],
)
@pytest.mark.parametrize("contents_only", [True, False])
def test_what_matches_an_exclude_is_left_out(
    tmp_path: Path, exclude: list[str], gone: set[str], contents_only: bool
) -> None:
    """The same with and without the folder's own name: patterns look below it."""
    picking = Picking(exclude=tuple(exclude))
    assert taken(tmp_path, picking, contents_only=contents_only) == DATA - gone


def test_only_what_matches_an_include_is_taken_and_excludes_take_away_from_it(
    tmp_path: Path,
) -> None:
    assert taken(tmp_path, Picking(include=("*.csv", "_delta_log/"), exclude=("old",))) == {
        "a.csv",
        "build/x.csv",
        "deep/build/y.csv",
        "_delta_log/0.json",
    }


def test_whatever_a_pattern_leaves_out_is_told(tmp_path: Path) -> None:
    taken(tmp_path, Picking(include=("*.csv",), exclude=("build/",)))
    journal = SqliteJournal(tmp_path / "journal.db")
    told = {entry.source: entry.reason for entry in journal.left_out(1, 100)}
    journal.close()
    top = tmp_path / "in"
    assert told[str(top / "build")] == "excluded by a pattern of this upload"
    assert told[str(top / "a.log")] == "matches no pattern that this upload includes"
    assert str(top / "build" / "x.csv") not in told


def test_an_excluded_folder_is_not_looked_into(tmp_path: Path) -> None:
    """A folder that cannot be listed would fail the job; excluded, it is nobody's business."""
    picker = Picker(Picking(exclude=("build/",)))
    assert picker.reason_against("deep/build", "build", is_folder=True)
    assert not picker.reason_against("deep/build", "build", is_folder=False)


@pytest.mark.parametrize("pattern", ["", "  ", "#notes", "!", "/", "a[", "a\\"])
@pytest.mark.parametrize("kind", ["include", "exclude"])
def test_a_pattern_that_matches_nothing_is_refused_before_there_is_a_job(
    tmp_path: Path, pattern: str, kind: str
) -> None:
    picking = Picking.from_wire({kind: ["*.csv", pattern]})
    with House(tmp_path) as house:
        with pytest.raises(WrongUse, match=f"--{kind}"):
            house.engine.drafts.add(
                LOCAL_LAKE, DESTINATION, SyncType.FULL, "", [Source("/in")], picking=picking
            )
        assert not house.journal.jobs()


def test_a_pattern_may_begin_with_a_number_sign_or_an_exclamation_mark() -> None:
    picker = Picker(Picking(exclude=("\\#recycle", "\\!x")))
    assert picker.reason_against("#recycle", "#recycle", is_folder=False)
    assert picker.reason_against("a/!x", "!x", is_folder=False)


def test_the_next_engine_takes_in_by_the_same_patterns(tmp_path: Path) -> None:
    top = tree_at(tmp_path / "in")
    picking = Picking(include=("*.csv", "*.log"), exclude=("Tháng/", "deep/"), keep_junk=True)
    with House(tmp_path) as house:
        job_id = house.engine.drafts.add(
            LOCAL_LAKE, DESTINATION, SyncType.FULL, "", [], kept=True, picking=picking
        )
        house.journal.add_sources(job_id, [Source(str(top), contents_only=True)])
        # As an engine leaves it that died at this moment.
    with House(tmp_path) as house:
        house.engine.wait_intake(job_id)
        assert house.journal.jobs()[0].picking == picking
        assert set(house.items(job_id)) == {
            "a.csv",
            "a.log",
            "build/x.csv",
            ".Trashes/501/gone.csv",
        }
        assert house.engine.snapshot(job_id).state is JobState.DRAFT


def test_what_takes_all_takes_all(tmp_path: Path) -> None:
    assert taken(tmp_path, TAKE_ALL) == set(FILES)

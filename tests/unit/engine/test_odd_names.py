"""Names that somebody should look at are told before the start, each with its reason."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.impact import Impact
from app.domain.odd_names import refusal
from app.domain.queue_item import FoundFile
from app.domain.upload_job import JobState
from app.engine.drafts import DraftChange
from app.infra.sqlite_journal import SqliteJournal
from embedded_server.contract import SyncType
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import LakePath, checked_name
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import DESTINATION, RESTS, House, write_files

NFC = unicodedata.normalize("NFC", "đơn hàng é")
NFD = unicodedata.normalize("NFD", NFC)


def impact_of(
    house: House, *places: tuple[str, str], mode: SyncType = SyncType.INCREMENTAL
) -> Impact:
    """Of a job with a file at each (folder below the destination, name)."""
    job_id = house.engine.drafts.add(LOCAL_LAKE, DESTINATION, mode, "", [], kept=True)
    found = [FoundFile(f"/in{f}/{n}", f, n, 1, 0, top=f[:2]) for f, n in places]
    house.journal.add_items(job_id, found, [])
    return house.engine.impact(job_id)


def test_names_that_a_lake_refuses_are_told_with_the_reason(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        odd = impact_of(
            house, ("/a", "ok.csv"), ("/a", "NUL.txt"), ("/a/b:c", "x.csv"), ("", "dot.")
        ).odd_names
    assert odd.refused_count == 3
    told = dict(odd.refused)
    assert "Windows device" in told[f"{DESTINATION}/a/NUL.txt"]
    assert "the folder name 'b:c' holds the character :" in told[f"{DESTINATION}/a/b:c/x.csv"]
    assert "ends with a dot" in told[f"{DESTINATION}/dot."]
    assert odd.twins == ()


def test_many_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        odd = impact_of(house, *((f"/{n % 7}", f"{n}?.csv") for n in range(1000))).odd_names
    assert odd.refused_count == 1000
    assert len(odd.refused) == 5


def test_folders_that_are_too_deep_or_too_long_by_the_destination_are_told(
    tmp_path: Path,
) -> None:
    with House(tmp_path) as house:
        job_id = house.engine.drafts.add(
            LOCAL_LAKE, DESTINATION, SyncType.INCREMENTAL, "", [], kept=True
        )
        deep = "/d" * 60
        house.journal.add_items(job_id, [FoundFile("/in/a", deep, "a", 1, 0, top="/d")], [])
        assert house.engine.impact(job_id).odd_names.refused_count == 0
        house.engine.drafts.edit(job_id, DraftChange(destination="/1/2/3/4/5"))
        assert "deeper than 64" in house.engine.impact(job_id).odd_names.refused[0][1]
        house.engine.drafts.edit(job_id, DraftChange(contents_only=True, destination="/1/2/3/4/5"))
        assert house.engine.impact(job_id).odd_names.refused_count == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("/a", "Data.csv"), ("/a", "data.csv")),
        (("/a", "STRASSE.csv"), ("/a", "straße.csv")),
        (("/a", f"{NFC}.csv"), ("/a", f"{NFD}.csv")),
        (("/a", f"{NFC.upper()}.csv"), ("/a", f"{NFD}.csv")),
        (("/a", "x.csv"), ("/A", "x.csv")),
    ],
)
def test_twins_are_told_as_a_pair(
    tmp_path: Path, one: tuple[str, str], other: tuple[str, str]
) -> None:
    with House(tmp_path) as house:
        odd = impact_of(house, one, other, ("/a", "third.csv")).odd_names
    assert len(odd.twins) == 1
    assert odd.twins[0][0] != odd.twins[0][1]
    assert odd.refused_count == 0


def test_folders_are_twins_wherever_they_stand_and_told_once(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        odd = impact_of(
            house,
            ("/x/Data/jan", "a.csv"),
            ("/x/data/feb", "b.csv"),
            ("/x/data/jan", "a.csv"),
            ("/x/DATA/jan", "A.csv"),
        ).odd_names
    assert odd.twins == ((f"{DESTINATION}/x/Data", f"{DESTINATION}/x/data"),)


def test_names_that_are_alike_only_to_the_eye_are_no_twins(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        odd = impact_of(
            house,
            ("/a", "a.csv"),
            ("/b", "a.csv"),
            ("/a", "a_csv"),
            ("/a", "ａ.csv"),
            ("", "a.csv"),
        ).odd_names
    assert not odd


def test_a_name_that_failed_already_is_not_told_twice(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.engine.drafts.add(LOCAL_LAKE, DESTINATION, SyncType.FULL, "", [], kept=True)
        bad = FoundFile("/in/\udcff", "", "\udcff", 1, 0, "no Unicode")
        house.journal.add_items(job_id, [bad], [])
        assert not house.engine.impact(job_id).odd_names


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("mode", list(SyncType))
def test_only_a_full_sync_to_a_server_with_these_rules_cannot_end(
    tmp_path: Path, plain: bool, mode: SyncType
) -> None:
    with House(tmp_path, FakeLake(plain=plain)) as house:
        impact = impact_of(house, ("", "NUL"), mode=mode)
        assert impact.cannot_end is (mode is SyncType.FULL and not plain)
        assert not impact_of(house, ("", "fine"), mode=mode).cannot_end


NAMES = (
    *(
        "a",
        "ok.csv",
        "%2e",
        "ts=10%3A00",
        "_delta_log",
        "CON",
        "con.txt",
        "COM¹",
        "a:b",
        "x.",
        "x ",
    ),
    *("\x01", "a\\b", "\u202ea", "\u200e", "é" * 127, "é" * 128, "a" * 255, "a" * 256, "nul .x"),
    *(
        "x ",
        "CONIN$",
        "lpt9.tar.gz",
        "COM0",
        "CONSOLE",
        "?",
        "|",
        "\ufeff",
        "\u2028",
        "~",
        "đ",
        ".",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_before_is_what_the_server_says(name: str) -> None:
    """As file and as folder, by the server's own doors."""
    assert bool(refusal("/data", name)) is _refuses(lambda: checked_name(name))
    assert bool(refusal(f"/data/{name}", "a")) is _refuses(lambda: LakePath.parse(f"/data/{name}"))


def _refuses(door: object) -> bool:
    assert callable(door)
    try:
        door()
    except InvalidParam:
        return True
    return False


def test_the_pass_leaves_nothing_behind_in_the_journal(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.close()
    with House(tmp_path) as house:
        first = impact_of(house, ("", "NUL"), ("", "a"), ("", "A")).odd_names
        again = house.journal.odd_names(1, 5)
        assert first == again
        assert again.refused_count == 1
        assert not house.journal.odd_names(2, 5)


def test_the_engine_itself_begins_no_full_sync_that_cannot_end(tmp_path: Path) -> None:
    """A script may ask for the start without having looked at the impact."""
    folder = write_files(tmp_path / "in", ok=b"1")
    (folder / "aux.txt").write_bytes(b"2")
    for lake, state in (
        (FakeLake(), JobState.FAILED),
        (FakeLake(plain=True), JobState.FINISHED),  # whose rules nobody knows
    ):
        with House(tmp_path, lake) as house:
            job_id = house.start(folder, mode=SyncType.FULL)
            done = house.wait(job_id, *RESTS)
            assert done.state is state
            if state is JobState.FAILED:
                assert f"{DESTINATION}/aux.txt" in done.message
                assert "Windows device" in done.message
                assert lake.calls_of("start_sync") == []
                # One that only adds goes without it: the server tells of that file alone.
                done = house.wait(house.start(folder), *RESTS)
                assert len(lake.calls_of("start_sync")) == 1

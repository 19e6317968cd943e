"""What is deleted by hand is in the trash, whenever it is cut off; and whose keys may do what."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from embedded_server.catalog.sql_origins import SqlOrigins
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import NotAllowed
from embedded_server.domain.lake_path import LakePath
from embedded_server.services.browse_service import BrowseService
from tests.support.observed_disk import ObservedDisk, PowerCut, Step, tree
from tests.unit.server.conftest import Rooms

_PATH = LakePath.parse("/data/x")


def _browse(rooms: Rooms) -> BrowseService:
    lake = rooms.lake
    origins = SqlOrigins(rooms.catalog)
    return BrowseService(lake, lake.browsing, lake.arranging, origins, rooms.clock)


@pytest.fixture
def with_file(lake_root: Path) -> Path:
    rooms = Rooms(lake_root)
    rooms.send(rooms.start("/data/x"), "a.csv", b"a")
    rooms.close()
    return lake_root


def test_a_delete_cut_at_any_step_is_done_or_not_begun(with_file: Path, tmp_path: Path) -> None:
    cut_at = 0
    outcomes = []
    while True:
        cut_at += 1
        copy = shutil.copytree(with_file, tmp_path / f"cut-{cut_at}")
        left = [cut_at]

        def count(_: Step, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise PowerCut

        rooms = Rooms(copy, disk := ObservedDisk(count), recovered=False)
        try:
            _browse(rooms).delete(OWNER, _PATH)
        except PowerCut:
            pass
        else:
            break
        finally:
            rooms.close()
        published = set(tree(copy / "files").values())
        trashed = set(tree(copy / ".lakedrop/trash").values())
        assert sorted([*published, *trashed]) == [b"a"]
        outcomes.append(bool(published))
    assert set(outcomes) == {True, False}
    last_synced = {path for what, path in disk.steps[-2:] if what == "fsync folder"}
    assert str(copy / "files/data") in last_synced
    assert len(last_synced) == 2


def test_keys_stay_at_their_path(with_file: Path) -> None:
    rooms = Rooms(with_file)
    browse = _browse(rooms)
    elsewhere = Caller("b", LakePath.parse("/data/y"))
    reader = Caller("r", _PATH, is_read_only=True)
    file = LakePath.parse("/data/x/a.csv")
    assert [it.entry.name for it in browse.entries(reader, _PATH, 0, 10)[1]] == ["a.csv"]
    for ask in (
        lambda: browse.entries(elsewhere, _PATH, 0, 10),
        lambda: browse.entries(elsewhere, None, 0, 10),
        lambda: browse.entry(elsewhere, file),
        lambda: browse.open(elsewhere, file),
        lambda: browse.zipped(elsewhere, _PATH),
        lambda: browse.make_folder(elsewhere, _PATH),
        lambda: browse.delete(elsewhere, file),
        lambda: browse.make_folder(reader, LakePath.parse("/data/x/y")),
        lambda: browse.delete(reader, file),
    ):
        with pytest.raises(NotAllowed):
            ask()
    assert tree(rooms.files) == {"data/x/a.csv": b"a"}
    rooms.close()

"""Small uploads that go through the lake together: what each is told, and the order of writes."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from embedded_server.contract import SyncType, UploadAnswer
from embedded_server.domain.errors import InvalidParam, LakeFault, LakeFull, SyncAlreadyEnded
from embedded_server.domain.undisturbed import all_undisturbed
from embedded_server.routes.upload_form import UploadForm
from embedded_server.routes.upload_groups import UploadGroups
from tests.support.observed_disk import DiskWithoutFsync, ObservedDisk, PowerCut, Step, tree
from tests.support.soon_files import SoonFiles
from tests.unit.server.conftest import Rooms
from tests.unit.server.test_write_order import complaints

_BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
_FILES = {f"f{number}.csv": b"%d" % number * 100 for number in range(6)}

Outcome = UploadAnswer | BaseException

# How a lake makes small files durable; the third puts them for an event loop that does not wait.
_LAKES: Mapping[str, Mapping[str, Any]] = {
    "one by one": {},
    "by the log": {"has_log": True},
    "by the log, soon": {"has_log": True, "small_files": SoonFiles},
}


@pytest.fixture(params=_LAKES)
def rooms(lake_root: Path, request: pytest.FixtureRequest) -> Iterator[Rooms]:
    opened = Rooms(lake_root, **_LAKES[request.param])
    yield opened
    opened.close()


def _send_together(
    rooms: Rooms, files: Mapping[str, bytes], sync_ids: Sequence[int], folder: str | None = None
) -> dict[str, Outcome]:
    """The first ones go by themselves, the others are the groups after them."""

    async def send(pool: ThreadPoolExecutor) -> list[Outcome]:
        groups = UploadGroups(rooms.uploads, pool)
        calls = [
            groups.join(
                UploadForm(b"b", rooms.uploads, sync_ids[number % len(sync_ids)], folder),
                _BODY % (name.encode(), data) if data else b"no form at all",
            )
            for number, (name, data) in enumerate(files.items())
        ]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(files, asyncio.run(send(pool)), strict=True))


def _acknowledged(outcomes: Mapping[str, Outcome]) -> set[str]:
    return {name for name, outcome in outcomes.items() if isinstance(outcome, UploadAnswer)}


def test_each_member_is_answered_for_its_own_file(rooms: Rooms) -> None:
    one, other = rooms.start("/data/x"), rooms.start("/data/y")
    outcomes = _send_together(rooms, _FILES, [one, other])
    assert _acknowledged(outcomes) == set(_FILES)
    for name, data in _FILES.items():
        outcome = outcomes[name]
        assert isinstance(outcome, UploadAnswer)
        assert outcome.size == len(data)
    places = {f"data/{'xy'[number % 2]}/{name}": _FILES[name] for number, name in enumerate(_FILES)}
    assert tree(rooms.files) == places
    assert [job.total_files for job in rooms.syncs.jobs(0, 10)] == [3, 3]


def test_one_bad_member_harms_no_other(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    outcomes = _send_together(rooms, {**_FILES, "f4.csv": b""}, [sync_id])
    assert _acknowledged(outcomes) == set(_FILES) - {"f4.csv"}
    assert isinstance(outcomes["f4.csv"], InvalidParam)
    assert sorted(tree(rooms.files)) == sorted(f"data/x/{name}" for name in _acknowledged(outcomes))


def test_a_sync_that_has_ended_harms_no_other(rooms: Rooms) -> None:
    one, other = rooms.start("/data/x"), rooms.start("/data/y")
    # Closed and not yet over: what *end* has begun, the forms still find.
    rooms.uploads.find_sync(other).close()
    outcomes = _send_together(rooms, _FILES, [one, other])
    refused = {name for name in _FILES if isinstance(outcomes[name], SyncAlreadyEnded)}
    assert refused == {"f1.csv", "f3.csv", "f5.csv"}
    assert sorted(tree(rooms.files)) == ["data/x/f0.csv", "data/x/f2.csv", "data/x/f4.csv"]
    assert list(Path(rooms.layout.incoming).iterdir()) == []
    [_, job] = rooms.syncs.jobs(0, 10)
    assert (job.total_files, job.num_failed) == (3, 3)


def test_one_name_many_times_in_a_group_loses_no_version(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    versions = [b"version %d" % number for number in range(6)]

    async def send(pool: ThreadPoolExecutor) -> None:
        groups = UploadGroups(rooms.uploads, pool)
        await asyncio.gather(
            *(
                groups.join(
                    UploadForm(b"b", rooms.uploads, sync_id, None), _BODY % (b"a.csv", data)
                )
                for data in versions
            )
        )

    with ThreadPoolExecutor(4) as pool:
        asyncio.run(send(pool))
    seen = [*tree(rooms.files).values(), *tree(rooms.trash).values()]
    assert sorted(seen) == versions


def _steps_of_groups(root: Path, disk: ObservedDisk) -> ObservedDisk:
    """Some are new, in a new nested folder; some replace an older file."""
    rooms = Rooms(root, disk)
    sync_id = rooms.start("/data/x")
    for name in ("f3.csv", "f5.csv"):
        rooms.send(sync_id, name, b"old", "/data/x")
    disk.forget_steps()
    _send_together(rooms, _FILES, [sync_id])
    _send_together(rooms, _FILES, [sync_id], "/data/x/new/deep")
    rooms.close()
    return disk


def test_every_acknowledged_member_survives_a_power_cut(lake_root: Path) -> None:
    disk = _steps_of_groups(lake_root, ObservedDisk())
    assert complaints(disk, lake_root / "files") == []


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: DiskWithoutFsync(folders=False), "before its bytes were synced"),
        (lambda: DiskWithoutFsync(files=False), "was never synced"),
    ],
    ids=["without fsync of files", "without fsync of folders"],
)
def test_of_the_test_a_missing_fsync_is_noticed(
    lake_root: Path, broken: Callable[[], ObservedDisk], complaint: str
) -> None:
    disk = _steps_of_groups(lake_root, broken())
    assert any(complaint in it for it in complaints(disk, lake_root / "files"))


@pytest.mark.parametrize("failing", ["create", "write", "fsync", "replace", "fsync folder"])
@pytest.mark.parametrize(("error", "kind"), [(28, LakeFull), (5, LakeFault)])
@pytest.mark.parametrize("how", _LAKES)
def test_a_disk_that_fails_in_a_group_is_never_an_acknowledgement(
    lake_root: Path, failing: str, error: int, kind: type[Exception], how: str
) -> None:
    # In the middle of a group, where there are as many: the log is fsynced once.
    left = 1 if failing == "fsync" and _LAKES[how] else 3

    def on_step(step: Step) -> None:
        nonlocal left
        if armed and step[0] == failing:
            left -= 1
            if left <= 0:
                raise OSError(error, os.strerror(error))

    armed = False
    rooms = Rooms(lake_root, ObservedDisk(on_step), **_LAKES[how])
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "f4.csv", b"old")
    armed = True
    outcomes = _send_together(rooms, _FILES, [sync_id])
    armed = False
    failed = set(_FILES) - _acknowledged(outcomes)
    assert failed
    assert all(isinstance(outcomes[name], kind) for name in failed)
    seen = tree(rooms.files)
    for name in _acknowledged(outcomes):
        assert seen[f"data/x/{name}"] == _FILES[name]
    assert list(Path(rooms.layout.incoming).iterdir()) == []
    assert all(
        isinstance(outcome, UploadAnswer)
        for outcome in _send_together(rooms, _FILES, [sync_id]).values()
    )
    assert tree(rooms.files) == {f"data/x/{name}": data for name, data in _FILES.items()}
    rooms.close()


@pytest.mark.parametrize("failing", ["create", "write", "fsync", "replace"])
@pytest.mark.parametrize(("error", "kind"), [(28, LakeFull), (5, LakeFault)])
@pytest.mark.parametrize("how", [how for how in _LAKES if _LAKES[how]])
def test_a_disk_that_fails_under_a_full_sync_is_never_an_acknowledgement(
    lake_root: Path, failing: str, error: int, kind: type[Exception], how: str
) -> None:
    left = 2 if failing != "fsync" else 1
    armed = False

    def on_step(step: Step) -> None:
        nonlocal left
        if armed and step[0] == failing:
            left -= 1
            if left <= 0:
                raise OSError(error, os.strerror(error))

    rooms = Rooms(lake_root, ObservedDisk(on_step), **_LAKES[how])
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "first.csv", b"1")  # its folder is known then
    armed = True
    outcomes = _send_together(rooms, _FILES, [sync_id])
    armed = False
    failed = set(_FILES) - _acknowledged(outcomes)
    assert failed
    assert all(isinstance(outcomes[name], kind) for name in failed)
    assert list(Path(rooms.layout.incoming).iterdir()) == []
    staged = {Path(path).name: data for path, data in tree(Path(rooms.layout.all_staging)).items()}
    assert staged == {"first.csv": b"1"} | {it: _FILES[it] for it in _acknowledged(outcomes)}
    again = _send_together(rooms, {name: _FILES[name] for name in failed}, [sync_id])
    assert _acknowledged(again) == failed
    rooms.syncs.end(sync_id)
    whole = {f"data/x/{name}": data for name, data in (_FILES | {"first.csv": b"1"}).items()}
    assert tree(rooms.files) == whole
    rooms.close()


class _CutAt:
    """Cuts the power at the step of that number, and at every later one."""

    def __init__(self, number: int) -> None:
        self.is_armed = False
        self._left = number

    def __call__(self, _: Step) -> None:
        if self.is_armed:
            self._left -= 1
            if self._left < 0:
                raise PowerCut


@pytest.mark.parametrize("how", ["one by one", "by the log"])
def test_a_server_that_dies_at_any_step_of_a_group_keeps_what_it_acknowledged(
    empty_lake: Path, tmp_path: Path, how: str
) -> None:
    # The answers of a group come after its last step: a cut at any step leaves none of them.
    died = 0
    for number in range(200):
        root = Path(shutil.copytree(empty_lake, tmp_path / f"lake-{number}"))
        cut = _CutAt(number)
        rooms = Rooms(root, ObservedDisk(cut), **_LAKES[how])
        sync_id = rooms.start("/data/x")
        rooms.send(sync_id, "f4.csv", b"old")
        cut.is_armed = True
        outcomes = _send_together(rooms, _FILES, [sync_id])
        with suppress(PowerCut):
            rooms.close()
        rooms.stop()

        again = Rooms(root)
        seen, kept = tree(again.files), tree(again.trash)
        for name in _acknowledged(outcomes):
            assert seen[f"data/x/{name}"] == _FILES[name]
        for path, data in seen.items():
            assert data in (_FILES[Path(path).name], b"old"), "a partial file is in sight"
        assert b"old" in [*seen.values(), *kept.values()], "a replaced version is lost"
        finished = {
            record.file_name
            for record in again.syncs.history(1, 100)
            if record.sync_status == "Finished"
        }
        assert finished <= {Path(path).name for path in seen}
        assert list(Path(again.layout.incoming).iterdir()) == []
        again.close()
        if _acknowledged(outcomes) == set(_FILES):
            break
        died += 1
    assert 20 < died < 200


def test_a_catalog_that_fails_is_told_to_all_and_acknowledges_none(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x")
    rooms.uploads.find_sync(sync_id)
    rooms.catalog.close()
    outcomes = _send_together(rooms, _FILES, [sync_id])
    assert all(isinstance(outcome, LakeFault) for outcome in outcomes.values())


def test_a_full_sync_takes_groups_too(rooms: Rooms) -> None:
    sync_id = rooms.start("/data/x", SyncType.FULL)
    assert _acknowledged(_send_together(rooms, _FILES, [sync_id])) == set(_FILES)
    assert tree(rooms.files) == {}
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {f"data/x/{name}": data for name, data in _FILES.items()}


def _folder_fsyncs(root: Path, clients: int, files_each: int, gathering_s: float) -> int:
    """How often the folder is fsynced while clients send one file after the other."""
    disk = ObservedDisk()
    rooms = Rooms(root, disk)
    sync_id = rooms.start("/data/x")
    rooms.send(sync_id, "first.csv", b"1")
    disk.forget_steps()

    async def client(groups: UploadGroups, number: int) -> None:
        for file in range(files_each):
            form = UploadForm(b"b", rooms.uploads, sync_id, None)
            await groups.join(form, _BODY % (b"%d-%d.csv" % (number, file), b"x"))

    async def send(pool: ThreadPoolExecutor) -> None:
        groups = UploadGroups(rooms.uploads, pool, gathering_s=gathering_s)
        await asyncio.gather(*(client(groups, number) for number in range(clients)))

    with ThreadPoolExecutor(4) as pool:
        asyncio.run(send(pool))
    rooms.close()
    assert len(tree(rooms.files)) == clients * files_each + 1
    return disk.steps.count(("fsync folder", str(rooms.files / "data/x")))


def test_clients_that_were_answered_together_are_expected_together(lake_root: Path) -> None:
    # One goes by itself, then four together twice, then the three that are left.
    assert _folder_fsyncs(lake_root, clients=4, files_each=3, gathering_s=1) == 4


def test_who_is_expected_and_does_not_come_holds_nobody_up_for_good(lake_root: Path) -> None:
    assert _folder_fsyncs(lake_root, clients=4, files_each=3, gathering_s=0) >= 4


def test_a_group_whose_callers_are_cancelled_comes_to_its_end(lake_root: Path) -> None:
    """As at the end of a server: nothing is left half done, and nobody's place stays taken."""
    rooms = Rooms(lake_root, has_log=True, small_files=SoonFiles)
    assert isinstance(rooms.small_files, SoonFiles)
    soon_files = rooms.small_files
    sync_id = rooms.start("/data/x", SyncType.FULL)
    rooms.send(sync_id, "first.csv", b"1")  # its folder is known then

    async def send_and_cancel(pool: ThreadPoolExecutor) -> None:
        groups = UploadGroups(rooms.uploads, pool)
        form = UploadForm(b"b", rooms.uploads, sync_id, None)
        call = asyncio.ensure_future(groups.join(form, _BODY % (b"a.csv", b"data")))
        while not soon_files.begun:  # one that is put, and then whatever waits is cancelled
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # as when a server's loop ends, once all that began has gone on
        for _ in range(3):
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await call
        await all_undisturbed()

    with ThreadPoolExecutor(4) as pool:
        asyncio.run(send_and_cancel(pool))
    assert [it.file_name for it in rooms.syncs.history(0, 9)] == ["first.csv", "a.csv"]
    rooms.send(sync_id, "b.csv", b"more")
    rooms.syncs.end(sync_id)
    assert tree(rooms.files) == {
        "data/x/a.csv": b"data",
        "data/x/b.csv": b"more",
        "data/x/first.csv": b"1",
    }
    rooms.close()

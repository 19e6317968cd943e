"""Incremental jobs send only what the lake has not, on a lake in memory and on ours."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import InvalidApiKey, LakeDropError, LakeRefused, LakeUnreachable
from app.domain.lake_folders import LakeFolders
from app.domain.ports import FileContent, LakeGateway, OnSent, SmallFile, UploadReceipt
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import Consents, JobState, Source
from app.infra.http_gateway import HttpGateway
from app.infra.source_files import LocalSourceFiles, OpenedFile
from embedded_server.contract import SyncType
from embedded_server.contract_extensions import EXTENSION_BROWSE
from tests.support.contents import ignore_sent, small_file
from tests.support.counts import seeds
from tests.support.fake_lake import ALL_EXTENSIONS, FAKE_KEY, FakeLake
from tests.support.real_server import RealServer
from tests.unit.engine.house import (
    DESTINATION,
    ONE_BY_ONE,
    RESTS,
    THREE,
    House,
    in_lake,
    write_files,
)

LARGE = 300 * 1024  # more than goes into a batch
MIXED = {"Bán hàng__Tháng mười": b"10", "a": b"1", "b": b"22", "large": b"l" * LARGE}
IN_LAKE, UPLOADED = ItemState.ALREADY_IN_LAKE, ItemState.UPLOADED


class Sources(LocalSourceFiles):
    """Counts readings. Its clock is ten seconds on: no file was written to a moment ago."""

    def __init__(self, ahead_s: int = 10) -> None:
        super().__init__(lambda: time.time_ns() + ahead_s * 1_000_000_000)
        self.read: list[str] = []

    def open(self, item: QueueItem, raise_if_cancelled: Callable[[], None]) -> OpenedFile:
        self.read.append(item.name)
        return super().open(item, raise_if_cancelled)

    def read_small(self, item: QueueItem, most_bytes: int) -> SmallFile | None:
        self.read.append(item.name)
        return super().read_small(item, most_bytes)


class RealLake(HttpGateway):
    def __init__(self, address: str) -> None:
        super().__init__(address, FAKE_KEY)
        self.sent: list[str] = []

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        self.sent.append(name)
        return super().upload(sync_id, folder, name, content, on_sent)

    def upload_batch(
        self, sync_id: int, files: Sequence[SmallFile], on_sent: OnSent
    ) -> list[UploadReceipt | LakeDropError]:
        self.sent.extend(file.name for file in files)
        return super().upload_batch(sync_id, files, on_sent)


@dataclass(frozen=True, slots=True)
class Lake:
    gateway: LakeGateway
    published: Callable[[], dict[str, bytes]]
    names_sent: Callable[[], list[str]]
    change_behind: Callable[[str, bytes], object]


@contextmanager
def _in_memory(_: Path) -> Iterator[Lake]:
    lake = FakeLake()
    yield Lake(lake, lambda: lake.published, lake.names_sent, lake.change_behind)


@contextmanager
def _real(root: Path) -> Iterator[Lake]:
    with RealServer(root / "lake", api_key=FAKE_KEY) as server:
        gateway = RealLake(server.address)

        def published() -> dict[str, bytes]:
            return {
                f"/{path.relative_to(server.files).as_posix()}": path.read_bytes()
                for path in server.files.rglob("*")
                if path.is_file()
            }

        def change_behind(path: str, data: bytes) -> None:
            (server.files / path[1:]).write_bytes(data)

        try:
            yield Lake(gateway, published, lambda: list(gateway.sent), change_behind)
        finally:
            gateway.close()


LAKES: dict[str, Callable[[Path], AbstractContextManager[Lake]]] = {
    "in memory": _in_memory,
    "real server": _real,
}


@pytest.fixture(params=LAKES)
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    with LAKES[request.param](tmp_path) as made:
        yield made


def _run(house: House, folder: Path, *, send_all: bool = False) -> JobSnapshot:
    source = Source(str(folder), contents_only=True)
    job_id = house.engine.drafts.add(
        LOCAL_LAKE, DESTINATION, SyncType.INCREMENTAL, "n", [source], send_all=send_all
    )
    house.engine.wait_intake(job_id)
    house.engine.start_job(job_id, Consents())
    done = house.wait(job_id, *RESTS)
    assert done.state is JobState.FINISHED, done
    return done


def _change(path: Path, data: bytes) -> None:
    """Other bytes; the time that programs set is set back, the inode's own time moves on."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # in a tick of the file system's clock
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_the_lake_has_is_not_sent_again(lake: Lake, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **MIXED)
    with House(tmp_path, lake.gateway) as house:
        first = _run(house, folder)
        assert (first.files_already_in_lake, len(lake.names_sent())) == (0, len(MIXED))
        write_files(folder, new=b"n")
        again = _run(house, folder)

        assert lake.names_sent()[len(MIXED) :] == ["new.csv"]
        assert lake.published() == in_lake(**MIXED, new=b"n")
        assert (again.files, again.files_arrived, again.files_verified) == (5, 5, 5)
        assert (again.files_already_in_lake, again.bytes_sent) == (4, again.bytes)
        items = house.items(again.job_id)
        assert {name: item.state for name, item in items.items()} == {
            **{name.removeprefix(f"{DESTINATION}/"): IN_LAKE for name in in_lake(**MIXED)},
            "new.csv": UPLOADED,
        }
        assert {item.assurance for item in items.values()} == {Assurance.VERIFIED}
        assert all(len(item.sha256) == 64 for item in items.values())


def test_a_file_that_was_read_before_and_stands_as_it_was_is_not_read_again(
    lake: Lake, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "in", **MIXED)
    sources = Sources()
    with House(tmp_path, lake.gateway, sources=sources) as house:
        _run(house, folder)
        assert len(sources.read) == len(MIXED)
    sources.read.clear()
    with House(tmp_path, lake.gateway, sources=sources) as house:  # the journal has kept it
        assert _run(house, folder).files_already_in_lake == len(MIXED)
        assert sources.read == []


def test_a_file_that_was_written_to_a_moment_before_is_read_again(
    lake: Lake, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "in", **MIXED)
    sources = Sources(ahead_s=0)
    with House(tmp_path, lake.gateway, sources=sources) as house:
        _run(house, folder)
        sources.read.clear()
        assert _run(house, folder).files_already_in_lake == len(MIXED)
        assert len(sources.read) == len(MIXED)


@pytest.mark.parametrize("name", ["a", "large"])
def test_a_file_that_changed_since_its_digest_is_sent_though_size_and_time_are_the_same(
    lake: Lake, tmp_path: Path, name: str
) -> None:
    folder = write_files(tmp_path / "in", **MIXED)
    with House(tmp_path, lake.gateway, sources=Sources()) as house:
        _run(house, folder)
        other = b"x" * len(MIXED[name])
        _change(folder / f"{name}.csv", other)
        assert _run(house, folder).files_already_in_lake == len(MIXED) - 1
    assert lake.published() == in_lake(**{**MIXED, name: other})


@pytest.mark.parametrize("name", ["a", "large"])
def test_a_file_that_somebody_changed_in_the_lake_beside_the_server_is_sent(
    lake: Lake, tmp_path: Path, name: str
) -> None:
    folder = write_files(tmp_path / "in", **MIXED)
    with House(tmp_path, lake.gateway, sources=Sources()) as house:
        _run(house, folder)
        lake.change_behind(f"{DESTINATION}/{name}.csv", b"x" * len(MIXED[name]))
        assert _run(house, folder).files_already_in_lake == len(MIXED) - 1
    assert lake.published() == in_lake(**MIXED)


def test_all_is_sent_where_that_is_wished_or_the_sync_needs_it(lake: Lake, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path, lake.gateway) as house:
        _run(house, folder)
        assert _run(house, folder, send_all=True).files_already_in_lake == 0
        assert len(lake.names_sent()) == 6
        full = house.wait(house.start(folder, mode=SyncType.FULL), *RESTS)
        assert (full.state, full.files_already_in_lake) == (JobState.FINISHED, 0)
        assert lake.published() == in_lake(**THREE)
        assert len(lake.names_sent()) == 9


@pytest.mark.parametrize("seed", seeds(6, 200))
def test_the_lake_holds_what_it_would_hold_if_all_were_sent(tmp_path: Path, seed: int) -> None:
    """Whatever happens to sources and lake between jobs; each job starts where the last ended."""
    chance = random.Random(seed)
    lake = FakeLake()
    folder = tmp_path / "in"
    names = [f"{chance.choice(['', 'd/', 'd/e/'])}f{number}.csv" for number in range(8)]
    sources = Sources()
    skipped = 0
    for _ in range(6):
        for name in chance.sample(names, 3):
            path = folder / name
            data = bytes(chance.choices(b"ab", k=2)) * chance.choice([1, 1, LARGE])
            place = f"{DESTINATION}/{name}"
            match chance.choice(["write", "write", "behind", "remove", "other", "touch"]):
                case "write" if path.exists() and path.stat().st_size == len(data):
                    _change(path, data)
                case "write":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
                case "behind":
                    lake.change_behind(place, data)
                case "remove" if path.exists():
                    path.unlink()
                case "other":  # another client's upload, of perhaps the same bytes
                    head, _, last = place.rpartition("/")
                    sync_id = lake.start_sync("o", head, SyncType.INCREMENTAL)
                    file = small_file(head, last, data)
                    lake.upload_batch(sync_id, [file], ignore_sent)
                    lake.end_sync(sync_id)
                case "touch" if path.exists():
                    path.touch()
        with House(tmp_path, lake, sources=sources) as house:
            (folder / "always.csv").parent.mkdir(parents=True, exist_ok=True)
            (folder / "always.csv").write_bytes(b"1")
            expected = lake.published | {
                f"{DESTINATION}/{path.relative_to(folder).as_posix()}": path.read_bytes()
                for path in folder.rglob("*.csv")
            }
            skipped += _run(house, folder).files_already_in_lake
        assert lake.published == expected, f"seed {seed}"
    assert skipped, f"seed {seed} tests nothing"


class LostAnswer(FakeLake):
    """The first upload is stored, its answer lost; before it is tried again the file changes."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], None] = lambda: None

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        receipt = super().upload(sync_id, folder, name, content, on_sent)
        then, self.then = self.then, lambda: None
        then()
        return receipt


def test_a_listing_from_before_a_try_says_nothing_of_what_the_try_left(tmp_path: Path) -> None:
    """The lake has X. Y is sent, its answer lost; meanwhile the file is X again."""
    lake = LostAnswer()
    folder = write_files(tmp_path / "in", a=b"X")
    with House(tmp_path, lake, settings=ONE_BY_ONE, sources=Sources()) as house:
        _run(house, folder)
        (folder / "a.csv").write_bytes(b"Y")

        def back_to_x() -> None:
            _change(folder / "a.csv", b"X")
            raise LakeUnreachable("the answer was lost")

        lake.then = back_to_x
        _run(house, folder)
    assert lake.published == in_lake(a=b"X")


@pytest.mark.parametrize(
    "error", [LakeUnreachable("cut"), LakeRefused("no"), InvalidApiKey("no")], ids=type
)
def test_where_the_lake_does_not_say_what_it_has_all_is_sent(
    tmp_path: Path, error: LakeDropError
) -> None:
    lake = FakeLake()
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path, lake) as house:
        _run(house, folder)
        lake.fail("entries", error, times=99)
        assert _run(house, folder).files_already_in_lake == 0
    assert len(lake.names_sent()) == 6


@pytest.mark.parametrize(
    "lake",
    [FakeLake(plain=True), FakeLake(extensions=ALL_EXTENSIONS - {EXTENSION_BROWSE})],
    ids=["plain", "no browsing"],
)
def test_a_server_that_cannot_be_asked_is_not_asked(lake: FakeLake, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    with House(tmp_path, lake) as house:
        _run(house, folder)
        _run(house, folder)
    assert len(lake.names_sent()) == 6
    assert lake.calls_of("entries") == []


def test_folders_are_asked_for_and_never_files(tmp_path: Path) -> None:
    lake = FakeLake()
    files = {f"d{number % 3}__f{number}": b"x" for number in range(300)}
    folder = write_files(tmp_path / "in", **files)
    with House(tmp_path, lake) as house:
        _run(house, folder)
        asked = len(lake.calls_of("entries"))
        assert asked <= 2  # nothing is there: not asked folder by folder
        assert _run(house, folder).files_already_in_lake == 300
    assert len(lake.calls_of("entries")) - asked == 3


def test_a_huge_folder_is_not_read_for_a_few_small_files(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", a=b"1", b=b"2")
        _run(house, folder)
        lake.seed(published={f"{DESTINATION}/old{number}.csv": b"" for number in range(3_000)})
        asked = len(lake.calls_of("entries"))
        assert _run(house, folder).files_already_in_lake == 0
        assert len(lake.calls_of("entries")) == asked + 1


def test_a_listing_grows_old(tmp_path: Path) -> None:
    lake = FakeLake()
    now_s = 0.0
    folders = LakeFolders(lake.entries, max_age_s=30.0, now_s=lambda: now_s)
    assert folders.folder(DESTINATION) == {}
    lake.seed(published={f"{DESTINATION}/a.csv": b"1"})
    now_s = 30.0
    assert folders.folder(DESTINATION) == {}
    now_s = 31.0
    assert list(folders.folder(DESTINATION) or ()) == ["a.csv"]

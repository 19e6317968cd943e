"""What a resumable upload may claim at each step, and what is left of it after a bad moment."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.tus_rows import TusRows
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import LakeFault, LakeFull, PathConflict
from embedded_server.domain.tus_upload import TusState, TusUpload, UploadBusy, UploadGone
from embedded_server.domain.upload import UploadRow
from embedded_server.opened_lake import now_ms
from embedded_server.routes.tus_body import KEPT_EVERY_BYTES, TusBody
from embedded_server.services.open_syncs import OpenSyncs
from embedded_server.services.tus_service import REMEMBERED_MS, TusService
from embedded_server.storage.disk import Disk
from embedded_server.storage.partial_files import PartialFiles
from tests.support.observed_disk import ObservedDisk, PowerCut, Step, tree
from tests.unit.server.conftest import Rooms


class _ToldRows(TusRows):
    """Tells each write, before it is made or after it, so that a test can cut the run there."""

    def __init__(self, catalog: SqlCatalog) -> None:
        super().__init__(catalog)
        self.before_offset: Callable[[int], None] = lambda _: None
        self.after_state: Callable[[TusUpload], None] = lambda _: None
        self.before_finish: Callable[[], None] = lambda: None

    def save_offset(self, upload: TusUpload, offset_bytes: int, now_ms: int) -> TusUpload:
        self.before_offset(offset_bytes)
        return super().save_offset(upload, offset_bytes, now_ms)

    def save_state(self, upload: TusUpload, now_ms: int) -> None:
        super().save_state(upload, now_ms)
        self.after_state(upload)

    def finish(self, upload: TusUpload, row: UploadRow, now_ms: int) -> None:
        self.before_finish()
        super().finish(upload, row, now_ms)


class House:
    """One run of a server's rooms with resumable uploads in it."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.rooms = Rooms(root, disk)
        self.now_ms = 0
        self.records = _ToldRows(self.rooms.catalog)
        self.open_syncs = OpenSyncs(self.rooms.catalog)
        self.service = TusService(
            self.rooms.lake,
            PartialFiles(self.rooms.layout, self.rooms.disk),
            self.records,
            self.open_syncs,
            lambda: self.now_ms or now_ms(),
            7 * 24 * 3_600_000,
        )
        self.service.recover()

    def create(self, sync_id: int, length_bytes: int, name: str = "a") -> TusUpload:
        return self.service.create(sync_id, None, name, length_bytes, "", "")

    def send(self, upload: TusUpload, offset_bytes: int, *pieces: bytes) -> TusUpload:
        body = TusBody(self.service, upload.upload_id, offset_bytes, None)
        try:
            body.open()
            for piece in pieces:
                body.feed(piece)
            return body.finish()
        except Exception as error:
            body.abort(str(error))
            raise

    def cut_off(self, upload: TusUpload, offset_bytes: int, *pieces: bytes) -> None:
        body = TusBody(self.service, upload.upload_id, offset_bytes, None)
        body.open()
        for piece in pieces:
            body.feed(piece)
        body.abort("the connection ended")

    @property
    def partial(self) -> Path:
        return self.rooms.root / ".lakedrop" / "partial"

    def close(self) -> None:
        self.service.close()
        self.rooms.close()


@pytest.fixture
def house(lake_root: Path) -> Iterator[House]:
    opened = House(lake_root)
    yield opened
    opened.close()


def _steps_of(disk: ObservedDisk, upload: TusUpload) -> list[str]:
    return [what for what, path in disk.steps if upload.upload_id in path or "partial" in path[-8:]]


def test_an_offset_is_told_after_the_bytes_and_their_name_were_synced(lake_root: Path) -> None:
    disk = ObservedDisk()
    house = House(lake_root, disk)
    upload = house.create(house.rooms.start("/data/x"), 4)
    seen: list[tuple[int, list[str]]] = []
    house.records.before_offset = lambda offset: seen.append((offset, _steps_of(disk, upload)))
    house.send(upload, 0, b"01")
    assert seen == [(2, ["create", "write", "fsync", "fsync folder"])]
    house.close()


def test_the_last_bytes_are_synced_before_the_file_is_in_sight(lake_root: Path) -> None:
    disk = ObservedDisk()
    house = House(lake_root, disk)
    upload = house.create(house.rooms.start("/data/x"), 4)
    disk.steps.clear()
    house.send(upload, 0, b"0123")
    what = [step for step, _ in disk.steps]
    assert what.index("fsync") < what.index("replace")
    assert what[-1] == "fsync folder"
    house.close()


def test_bytes_of_a_long_request_are_kept_while_it_runs(house: House) -> None:
    upload = house.create(house.rooms.start("/data/x"), 3 * KEPT_EVERY_BYTES)
    body = TusBody(house.service, upload.upload_id, 0, None)
    body.open()
    for _ in range(KEPT_EVERY_BYTES >> 20):
        body.feed(bytes(1 << 20))
    known = house.records.find(upload.upload_id)
    assert known is not None
    assert known.offset_bytes == KEPT_EVERY_BYTES
    body.abort("the connection ended")


def test_only_one_request_writes(house: House) -> None:
    upload = house.create(house.rooms.start("/data/x"), 4)
    with house.service.writing(upload.upload_id):
        with pytest.raises(UploadBusy):
            house.send(upload, 0, b"01")
        with pytest.raises(UploadBusy):
            house.service.look(upload.upload_id)
    house.cut_off(upload, 0, b"01")
    assert house.send(upload, 2, b"23").state is TusState.FINISHED


class _FailingDisk(ObservedDisk):
    """Fails at one kind of step on a partial file, once it is told to."""

    def __init__(self) -> None:
        super().__init__(self._fail_at)
        self.fails: dict[str, int] = {}

    def _fail_at(self, step: Step) -> None:
        if step[0] in self.fails and ("partial" in step[1] or step[0] == "replace"):
            code = self.fails[step[0]]
            raise OSError(code, "told to fail", step[1])

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        if "write" in self.fails:  # a disk that fills up takes a part of it first
            Disk.write(self, descriptor, data[: len(data) // 2])
        super().write(descriptor, data)


@pytest.mark.parametrize(
    ("step", "code", "error"),
    [
        ("write", errno.ENOSPC, LakeFull),
        ("fsync", errno.EIO, LakeFault),
        ("fsync", errno.ENOSPC, LakeFull),
        ("fsync folder", errno.EIO, LakeFault),
        ("create", errno.EIO, LakeFault),
    ],
)
def test_a_disk_that_fails_costs_only_what_was_not_durable(
    lake_root: Path, step: str, code: int, error: type[Exception]
) -> None:
    disk = _FailingDisk()
    house = House(lake_root, disk)
    upload = house.create(house.rooms.start("/data/x"), 6)
    if step not in ("create", "fsync folder"):  # those come with the first bytes alone
        house.send(upload, 0, b"01")
    kept = house.service.look(upload.upload_id).offset_bytes
    disk.fails = {step: code}
    with pytest.raises(error):
        house.send(upload, kept, b"wrong"[: 6 - kept])
    disk.fails = {}
    assert house.service.look(upload.upload_id).offset_bytes == kept
    disk.steps.clear()
    assert house.send(upload, kept, b"012345"[kept:]).state is TusState.FINISHED
    assert tree(house.rooms.files) == {"data/x/a": b"012345"}
    # Never again on the descriptor that failed: the kernel may hold its pages for clean.
    assert _steps_of(disk, upload)[0] == ("create" if step == "create" else "reopen")
    house.close()


def test_a_file_that_arrived_and_finds_no_room_waits_for_it(lake_root: Path) -> None:
    disk = _FailingDisk()
    house = House(lake_root, disk)
    upload = house.create(house.rooms.start("/data/x"), 4)
    disk.fails = {"replace": errno.ENOSPC}
    with pytest.raises(LakeFull):
        house.send(upload, 0, b"0123")
    with pytest.raises(LakeFull):  # never the whole length: a client would take it for done
        house.service.look(upload.upload_id)
    disk.fails = {}
    assert house.service.look(upload.upload_id).state is TusState.FINISHED
    assert tree(house.rooms.files) == {"data/x/a": b"0123"}
    house.close()


@pytest.mark.parametrize("cut_at", ["replace", "fsync folder", "nothing"])
def test_a_run_that_ends_while_the_file_is_moved_is_taken_further(
    lake_root: Path, cut_at: str
) -> None:
    arrived = False

    def cut(step: Step) -> None:
        if arrived and step[0] == cut_at:
            raise PowerCut

    house = House(lake_root, ObservedDisk(cut))
    sync_id = house.rooms.start("/data/x")
    upload = house.create(sync_id, 4)

    def saved(it: TusUpload) -> None:
        nonlocal arrived
        arrived = it.state is TusState.ARRIVED

    def cut_before_the_commit() -> None:
        if cut_at == "nothing":
            raise PowerCut

    house.records.after_state = saved
    house.records.before_finish = cut_before_the_commit
    with pytest.raises(PowerCut):
        house.send(upload, 0, b"0123")
    house.close()

    again = House(lake_root)  # already its start puts it in place
    assert tree(again.rooms.files) == {"data/x/a": b"0123"}
    assert tree(again.partial) == {}
    [row] = again.rooms.catalog.upload_records(0, 10)
    assert row.sync_status is SyncStatus.FINISHED
    assert again.service.look(upload.upload_id).state is TusState.FINISHED
    again.close()


def test_a_place_that_is_taken_fails_the_upload_for_good(house: House) -> None:
    sync_id = house.rooms.start("/data/x")
    house.rooms.send(sync_id, "file", b"x", "/data/x/a")  # a is a folder now
    upload = house.create(sync_id, 4)
    with pytest.raises(PathConflict):
        house.send(upload, 0, b"0123")
    with pytest.raises(UploadGone):
        house.service.look(upload.upload_id)
    assert tree(house.partial) == {}


def test_an_upload_lives_as_long_as_its_sync_and_does_not_keep_it_alive(house: House) -> None:
    sync_id = house.rooms.start("/data/x", SyncType.INCREMENTAL)
    upload = house.create(sync_id, 4)
    catalog, now = house.rooms.catalog, upload.created_at_ms
    catalog.add_idle_time(now + 5_000, 1_000, 1_000)
    assert catalog.idle_sync_ids(1_000) == [sync_id]
    upload = house.send(upload, 0, b"01")  # feeds the sync
    assert catalog.idle_sync_ids(1_000) == []
    catalog.fail_sync(sync_id, now, "expired: nothing came for 7 days")
    house.open_syncs.forget(sync_id)
    with pytest.raises(UploadGone, match="sync was over"):
        house.service.look(upload.upload_id)
    assert tree(house.partial) == {}
    house.now_ms = now + REMEMBERED_MS // 2
    house.service.forget_old()
    assert house.records.find(upload.upload_id) is not None
    house.now_ms = now_ms() + 2 * REMEMBERED_MS
    house.service.forget_old()
    assert house.records.find(upload.upload_id) is None


def test_many_open_uploads_hold_few_files_open(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded_server.services.tus_service._OPEN_FILES", 3)
    sync_id = house.rooms.start("/data/x")
    uploads = [house.create(sync_id, 4, f"f{number}") for number in range(8)]
    for upload in uploads:
        house.cut_off(upload, 0, b"01")
    assert len(house.service._files) == 3
    for upload in uploads:
        house.send(upload, 2, b"23")
    assert len(tree(house.rooms.files)) == 8
    assert set(tree(house.rooms.files).values()) == {b"0123"}

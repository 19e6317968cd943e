"""Large files, broken off in every way, go on where they were; on a lake in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import LakeDropError, LakeUnreachable
from app.domain.ports import FileContent, OnSent, UploadReceipt
from app.domain.queue_item import Assurance
from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import JobState
from app.engine.run_ports import RunSettings
from embedded_server import contract
from embedded_server.contract import SyncType
from tests.support.fake_lake import ALL_EXTENSIONS, FakeLake
from tests.unit.engine.house import (
    AT_ONCE,
    DESTINATION,
    IN_A_YEAR,
    RESTS,
    House,
    in_lake,
    write_files,
)

PIECE = 1024 * 1024
OLD, NEW = b"o" * (4 * PIECE), b"n" * (4 * PIECE)
CUT = LakeUnreachable("the line was cut")


def settings(retry: RetryPolicy = AT_ONCE) -> RunSettings:
    return RunSettings(workers=1, batch_files=1, resumed_from_bytes=PIECE, retry=retry)


class CutLake(FakeLake):
    """`after_pieces` tells, request by request, when the line is cut; then it holds."""

    def __init__(self, *after_pieces: int, error: LakeDropError = CUT) -> None:
        super().__init__()
        self._after_pieces = list(after_pieces)
        self._error = error
        self.at_cut: Callable[[], None] = lambda: None
        self.at_request: Callable[[], None] = lambda: None

    def go_on_upload(
        self, upload_id: str, offset_bytes: int, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        self.at_request()
        left = self._after_pieces.pop(0) if self._after_pieces else None

        def sent(count: int) -> None:
            nonlocal left
            on_sent(count)
            if left is not None:
                left -= 1
                if left == 0:
                    self.at_cut()
                    raise self._error

        return super().go_on_upload(upload_id, offset_bytes, content, sent)

    @property
    def offsets(self) -> list[int]:
        """Of each request, in pieces."""
        return [int(call.files[0][0]) // PIECE for call in self.calls_of("go_on_upload")]


def test_only_what_did_not_arrive_is_sent_again(tmp_path: Path) -> None:
    lake = CutLake(3)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        done = house.wait(job_id, *RESTS)
        item = house.items(job_id)["a.csv"]
        assert (done.state, done.bytes_sent) == (JobState.FINISHED, len(OLD))
        assert item.assurance is Assurance.VERIFIED
        assert house.journal.kept_upload(item.item_id) is None  # nobody needs it any more
    assert lake.offsets == [0, 3]
    assert len(lake.calls_of("begin_upload")) == 1
    assert lake.published == in_lake(a=OLD)


def test_what_is_needed_to_go_on_is_durable_before_the_first_byte(tmp_path: Path) -> None:
    lake = CutLake()
    with House(tmp_path, lake, settings=settings()) as house:
        kept = []
        lake.at_request = lambda: kept.append(house.journal.kept_upload(1))
        house.wait(house.start(write_files(tmp_path / "in", a=OLD)), *RESTS)
    [upload] = kept
    assert upload is not None
    found = (tmp_path / "in/a.csv").stat()
    assert upload.source == f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"
    assert upload.sync_id == 1


def test_a_paused_file_goes_on_where_it_was(tmp_path: Path) -> None:
    lake = CutLake(2)
    with House(tmp_path, lake, settings=settings(IN_A_YEAR)) as house:
        lake.at_cut = lambda: house.engine.pause_job(1)
        job_id = house.start(write_files(tmp_path / "in", a=OLD), mode=SyncType.FULL)
        house.wait(job_id, JobState.PAUSED)
        house.wait_idle()
        house.engine.resume_job(job_id)
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.offsets == [0, 2]
    assert lake.published == in_lake(a=OLD)


def test_the_next_engine_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    lake = CutLake(1)
    with House(tmp_path, lake, settings=settings(IN_A_YEAR)) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        house.sighting.wait_for(
            lambda: bool(house.engine.snapshot(job_id).waiting), "a file that waits"
        )
    with House(tmp_path, lake, settings=settings()) as house:
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.offsets == [0, 1]
    assert lake.published == in_lake(a=OLD)


def test_a_file_that_was_written_since_starts_over(tmp_path: Path) -> None:
    lake = CutLake(2)
    folder = write_files(tmp_path / "in", a=OLD)

    def rewrite() -> None:
        before = (folder / "a.csv").stat()
        (folder / "a.csv").write_bytes(NEW)
        os.utime(folder / "a.csv", ns=(before.st_atime_ns, before.st_mtime_ns + 1))

    lake.at_cut = rewrite
    with House(tmp_path, lake, settings=settings()) as house:
        assert house.wait(house.start(folder), *RESTS).state is JobState.FINISHED
    assert lake.offsets == [0, 0]
    assert len(lake.calls_of("give_up_upload")) == 1
    assert lake.published == in_lake(a=NEW)


def test_another_file_in_its_place_starts_over(tmp_path: Path) -> None:
    """Same size and time: only the inode tells."""
    lake = CutLake(2)
    folder = write_files(tmp_path / "in", a=OLD)

    def replace() -> None:
        before = (folder / "a.csv").stat()
        (tmp_path / "other").write_bytes(NEW)
        os.utime(tmp_path / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
        (tmp_path / "other").replace(folder / "a.csv")

    lake.at_cut = replace
    with House(tmp_path, lake, settings=settings()) as house:
        assert house.wait(house.start(folder), *RESTS).state is JobState.FINISHED
    assert lake.offsets == [0, 0]
    assert lake.published == in_lake(a=NEW)


def test_a_lost_answer_sends_nothing_again(tmp_path: Path) -> None:
    lake = CutLake()
    lake.fail("go_on_upload", CUT, after=True)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        assert house.wait(job_id, *RESTS).files_verified == 1
    assert lake.offsets == [0, 4]
    assert lake.published == in_lake(a=OLD)


def test_a_file_that_arrived_otherwise_than_it_left_starts_over(tmp_path: Path) -> None:
    lake = CutLake()
    lake.corrupt("a.csv")
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        assert house.wait(job_id, *RESTS).files_verified == 1
    assert lake.offsets == [0, 0]
    assert lake.published == in_lake(a=OLD)


@pytest.mark.parametrize("mode", list(SyncType))
def test_a_sync_that_is_gone_starts_over_as_ever(tmp_path: Path, mode: SyncType) -> None:
    lake = CutLake(2)
    lake.at_cut = lambda: lake.expire(1)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD), mode=mode)
        done = house.wait(job_id, *RESTS)
        assert (done.state, done.sync_id) == (JobState.FINISHED, 2)
    assert lake.offsets == [0, 0]
    assert lake.published == in_lake(a=OLD)


def test_a_bad_line_on_which_it_gets_on_is_borne(tmp_path: Path) -> None:
    """Far more cuts than tries."""
    lake = CutLake(*[1] * 11)
    content = b"x" * (12 * PIECE)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=content))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.offsets == list(range(12))
    assert lake.published == in_lake(a=content)


def test_one_on_which_nothing_moves_is_not(tmp_path: Path) -> None:
    lake = CutLake()
    lake.fail("go_on_upload", CUT, times=1_000)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.files_failed) == (JobState.NEEDS_ATTENTION, 0)
        assert "cut" in rests.message
    assert lake.offsets == [0] * AT_ONCE.attempts


@pytest.mark.parametrize(
    "lake",
    [
        FakeLake(extensions=ALL_EXTENSIONS - {contract.EXTENSION_TUS}),
        FakeLake(plain=True),
    ],
    ids=["no tus", "plain"],
)
def test_where_the_server_cannot_a_large_file_goes_as_others_do(
    tmp_path: Path, lake: FakeLake
) -> None:
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=OLD))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.calls_of("begin_upload") == []
    assert lake.published == in_lake(a=OLD)


def test_a_file_below_the_size_goes_as_others_do(tmp_path: Path) -> None:
    lake = CutLake()
    small = b"x" * (PIECE - 1)
    with House(tmp_path, lake, settings=settings()) as house:
        job_id = house.start(write_files(tmp_path / "in", a=small, b=small + b"y"))
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert [call.files for call in lake.calls_of("upload")] == [((DESTINATION, "a.csv"),)]
    assert [call.files for call in lake.calls_of("begin_upload")] == [((DESTINATION, "b.csv"),)]

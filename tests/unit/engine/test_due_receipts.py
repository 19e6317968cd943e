"""The receipt that every job leaves by itself once it is over."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import LakeFull, LakeRefused, WrongUse
from app.domain.receipt import Row
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.infra.receipt_files import ReceiptFiles
from embedded_server.contract import SyncType
from tests.support.fake_lake import FakeLake
from tests.unit.engine.house import (
    DESTINATION,
    ONE_BY_ONE,
    RESTS,
    THREE,
    House,
    in_lake,
    write_files,
)

_VIETNAMESE = {"Bán hàng__Tháng mười": b"\xc4\x91", "=1+1": b"2"}
_40_DAYS_MS = 40 * 24 * 60 * 60 * 1000


class HeldReceipts(ReceiptFiles):
    """Comes to the writing, and goes on when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def keep(self, job: JobSnapshot, rows: Iterable[Row]) -> str:
        self.reached.set()
        assert self.go_on.wait(30)
        return super().keep(job, rows)


def _kept(house: House) -> list[Path]:
    return sorted((house.home / "receipts").glob("*"))


def _receipt(house: House, job_id: int) -> dict[str, Any]:
    house.sighting.wait_for(lambda: bool(house.engine.snapshot(job_id).receipt), "a receipt")
    told: dict[str, Any] = json.loads(Path(house.engine.snapshot(job_id).receipt).read_text())
    return told


def test_a_job_that_is_over_leaves_its_receipt_by_itself(tmp_path: Path) -> None:
    files = THREE | _VIETNAMESE
    with House(tmp_path) as house:
        folder = write_files(tmp_path / "in", **files)
        job_id = house.start(folder, mode=SyncType.FULL)
        house.wait(job_id, *RESTS)
        told = _receipt(house, job_id)

        as_csv, as_json = _kept(house)
        assert str(as_json) == house.engine.snapshot(job_id).receipt
        assert [path.stat().st_mode & 0o777 for path in (as_csv, as_json)] == [0o600, 0o600]
        assert (told["state"], told["files_verified"], told["connection"]) == (
            "finished",
            len(files),
            "local",
        )
        assert {
            row["path"]: (row["size"], row["sha256"], row["sent"]) for row in told["files"]
        } == {
            path: (len(data), hashlib.sha256(data).hexdigest(), True)
            for path, data in in_lake(**files).items()
        }
        assert all(Path(row["source"]).is_file() for row in told["files"])
        assert as_csv.read_bytes().startswith(b"\xef\xbb\xbfpath,size,")
        rows = list(csv.DictReader(as_csv.read_text("utf-8-sig").splitlines()))
        assert [row["path"] for row in rows] == [row["path"] for row in told["files"]]


def test_a_job_that_fails_or_is_cancelled_leaves_one_too(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        folder = write_files(tmp_path / "in", **THREE)
        sending = lake.hold("upload")
        cancelled = house.start(folder)
        sending.wait_until_reached()
        house.engine.cancel_job(cancelled)
        sending.release()
        house.wait(cancelled, JobState.CANCELLED)
        lake.fail("end_sync", LakeRefused("no"))
        failed = house.start(folder)
        house.wait(failed, JobState.FAILED)

        assert _receipt(house, failed)["state"] == "failed"
        told = _receipt(house, cancelled)
        assert told["state"] == "cancelled"
        assert {row["answer"] for row in told["files"] if not row["sent"]} == {"cancelled"}
        assert len(told["files"]) == 3


def test_what_never_reached_a_server_leaves_none(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **THREE)
        draft = house.add(folder)
        house.engine.cancel_job(draft)
        lake.fail("start_sync", LakeRefused("no"))
        house.wait(house.start(folder), JobState.FAILED)
        lake.fail("end_sync", LakeFull("full"), times=9)
        resting = house.start(folder)
        house.wait(resting, JobState.NEEDS_ATTENTION)  # not over
        house.wait_idle()

        assert _kept(house) == []


def test_one_that_cannot_be_written_is_told_and_written_by_the_next_engine(tmp_path: Path) -> None:
    in_the_way = tmp_path / "receipts"
    in_the_way.write_text("no folder")
    with House(tmp_path) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.FINISHED)
        house.wait_idle()
        told = house.engine.snapshot(job_id)
        assert (told.state, told.receipt, told.receipt_due) == (JobState.FINISHED, "", False)
        assert str(in_the_way) in told.receipt_problem

    in_the_way.unlink()
    with House(tmp_path) as house:
        assert len(_receipt(house, job_id)["files"]) == 3


def test_an_engine_that_leaves_amid_the_writing_leaves_it_to_the_next(tmp_path: Path) -> None:
    receipts = HeldReceipts(tmp_path / "receipts")
    house = House(tmp_path, receipts=receipts)
    job_id = house.start(write_files(tmp_path / "in", **THREE))
    house.wait(job_id, JobState.FINISHED)
    assert receipts.reached.wait(30)
    assert house.engine.snapshot(job_id).receipt_due
    assert house.engine.is_busy  # or it would end for want of work
    leaving = threading.Thread(target=house.engine.close)
    leaving.start()
    house.sighting.wait_for(lambda: house.engine.drafts._jobs.leaving, "leaving")
    receipts.go_on.set()
    leaving.join()
    assert _kept(house) == []  # not a part of it either
    house.journal.close()

    with House(tmp_path) as after:
        assert len(_receipt(after, job_id)["files"]) == 3


def test_a_job_is_forgotten_after_its_receipt_and_the_receipt_stays(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.FINISHED)
        _receipt(house, job_id)
        house.wait_idle()
        job = house.journal.job(job_id)
        assert job is not None
        for path in _kept(house):
            path.unlink()
        long_ago = job.ended_at_ms - _40_DAYS_MS
        house.journal.save_job(replace(job, ended_at_ms=long_ago, receipt=""))

    with House(tmp_path) as house:  # as after an update: it is due for what an earlier one did
        assert len(_receipt(house, job_id)["files"]) == 3
    with House(tmp_path) as house:
        with pytest.raises(WrongUse):
            house.engine.snapshot(job_id)
        assert len(_kept(house)) == 2


def test_a_job_is_removed_only_after_its_receipt(tmp_path: Path) -> None:
    receipts = HeldReceipts(tmp_path / "receipts")
    with House(tmp_path, receipts=receipts) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.FINISHED)
        assert receipts.reached.wait(30)
        removing = threading.Thread(target=house.engine.remove_job, args=(job_id,))
        removing.start()
        receipts.go_on.set()
        removing.join()

        [_, as_json] = _kept(house)
        told = json.loads(as_json.read_text())
        assert [row["path"] for row in told["files"]] == sorted(
            f"{DESTINATION}/{name}.csv" for name in ("a", "b", "deep/c")
        )

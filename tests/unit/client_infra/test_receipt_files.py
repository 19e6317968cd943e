"""A receipt is on stable storage before anybody is told of it, and whole or not there at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import Cancelled, LakeDropError
from app.domain.receipt import Row
from app.domain.upload_job import JobState
from app.infra.receipt_files import ReceiptFiles
from tests.support.fake_engine import snapshot
from tests.support.needs import needs_tool

_ROW = {
    "path": "/data/x/Tháng mười.csv",
    "size": 5,
    "sha256": "ab" * 32,
    "sent": True,
    "assurance": "verified",
    "answer": "=stored",
    "source": "/in/a.csv",
}
JOB = snapshot(JobState.FINISHED, job_id=7, ended_at_ms=1_700_000_000_123)
NAME = "20231114T221320123Z-job-7"

_KEEP = """
import sys
from pathlib import Path
from tests.support.fake_engine import snapshot
from tests.unit.client_infra.test_receipt_files import JOB, _ROW
from app.domain.errors import LakeDropError
from app.infra.receipt_files import ReceiptFiles
try:
    print(ReceiptFiles(Path(sys.argv[1])).keep(JOB, [_ROW]))
except LakeDropError as error:
    print(error.message)
"""


def test_both_forms_lie_under_the_moment_of_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "receipts"
    kept = ReceiptFiles(folder).keep(JOB, [_ROW])

    assert kept == str(folder / f"{NAME}.json")
    assert sorted(path.name for path in folder.iterdir()) == [f"{NAME}.csv", f"{NAME}.json"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert json.loads(Path(kept).read_text())["files"] == [_ROW]
    table = (folder / f"{NAME}.csv").read_bytes().decode("utf-8-sig")
    assert "/data/x/Tháng mười.csv," in table
    assert ",'=stored," in table  # no formula


def test_what_breaks_off_leaves_the_one_before_as_it_was(tmp_path: Path) -> None:
    receipts = ReceiptFiles(tmp_path)
    kept = Path(receipts.keep(JOB, [_ROW]))
    before = kept.read_bytes()

    def cut() -> Iterator[Row]:
        yield {**_ROW, "path": "/data/x/other.csv"}
        raise Cancelled

    with pytest.raises(Cancelled):
        receipts.keep(JOB, cut())
    assert kept.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "receipts").write_text("in the way")
    with pytest.raises(LakeDropError, match=r"receipts.*cannot be written"):
        ReceiptFiles(tmp_path / "receipts").keep(JOB, [_ROW])


def _traced(folder: Path, log: Path, *options: str) -> str:
    calls = "trace=fsync,rename,renameat,renameat2"
    command = [needs_tool("strace"), "-f", "-y", "-o", str(log), "-e", calls, *options]
    done = subprocess.run(
        [*command, sys.executable, "-c", _KEEP, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_bytes_are_synced_before_their_name_and_the_names_before_the_answer(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "receipts"
    folder.mkdir()
    assert NAME in _traced(folder, tmp_path / "log")
    steps = []
    for line in (tmp_path / "log").read_text().splitlines():
        if "fsync(" in line and (synced := re.search(r"<([^>]*)>", line)):
            steps.append(f"sync {Path(synced[1]).name}")
        elif "rename" in line and (names := re.findall(r'"([^"]*)"', line)):
            steps.append(f"name {Path(names[1]).name}")
    for form in ("json", "csv"):
        at = steps.index(f"sync .{NAME}.{form}.new")
        assert at < steps.index(f"name {NAME}.{form}") < steps.index("sync receipts")


def test_a_sync_that_fails_is_no_receipt(tmp_path: Path) -> None:
    folder = tmp_path / "receipts"
    folder.mkdir()
    told = _traced(folder, tmp_path / "log", "-e", "inject=fsync:error=EIO:when=1")
    assert "cannot be written: Input/output error" in told
    assert [path.name for path in folder.iterdir() if path.suffix == ".json"] == []
    assert [path.name for path in folder.iterdir() if path.suffix == ".new"] == []

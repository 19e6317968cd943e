"""Many small files at a time: what becomes of each, by this process and by one beside it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedded_server.domain.measures import Measures
from embedded_server.storage.disk_process import small_files_writer
from embedded_server.storage.measured_disk import MeasuredDisk
from tests.support.small_files_calls import FILES, content

_BAD = {4, 5}  # somebody's file is in the way, the folder is missing
_LEFT = {6, 7, 8, 9}  # stored; no folder, a file, a folder, a link where they were to go


@pytest.fixture(params=["here", "beside"])
def told(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "beside" and sys.platform != "linux":
        pytest.skip("processes beside the server are for Linux")
    command = [sys.executable, "-m", "tests.support.small_files_calls", str(tmp_path)]
    done = subprocess.run(
        [*command, request.param], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_each_file_is_stored_on_its_own_merit(told: dict[str, Any], tmp_path: Path) -> None:
    stored = told["stored"]
    assert stored[4] == [errno.EEXIST, str(tmp_path / "in/4")]
    assert stored[5] == [errno.ENOENT, str(tmp_path / "no-such-folder/5")]
    mtimes = [stored[number] for number in range(FILES) if number not in _BAD]
    assert mtimes == told["mtimes"][:4] + told["mtimes"][5:]  # the fifth is somebody else's
    # `store` left it alone; `place` then moved what stood there.
    assert (tmp_path / "0/4").read_bytes() == b"somebody else's"


def test_each_file_goes_where_nothing_stands(told: dict[str, Any], tmp_path: Path) -> None:
    placed = told["placed"]
    assert placed[5][0] == errno.ENOENT
    assert placed[6][0] == errno.ENOENT
    assert placed[7:10] == ["FILE", "FOLDER", "OTHER"]
    for number in set(range(FILES)) - _BAD - _LEFT:
        assert placed[number] == "NOTHING"
        assert (tmp_path / f"{number % 2}/{number}").read_bytes() == content(number)
    assert (tmp_path / "1/7").read_bytes() == b"old"
    assert {int(path.name) for path in (tmp_path / "in").iterdir()} == _LEFT


def test_waits_for_the_disk_are_counted(told: dict[str, Any]) -> None:
    assert told["fsyncs"] == FILES - len(_BAD) + 2  # and two folders
    assert told["processes"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process is made")
def test_a_machine_that_lets_no_process_be_made_is_served_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more() -> int:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(os, "fork", no_more)
    measures = Measures()
    files = [(str(tmp_path / str(number)), [content(number)]) for number in range(12)]
    with small_files_writer(MeasuredDisk(measures), measures) as small_files:
        stored = small_files.store(files)
    assert stored == [Path(path).stat().st_mtime_ns for path, _ in files]

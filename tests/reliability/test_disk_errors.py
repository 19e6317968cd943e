"""The disk fails in the middle of a call: an error is told, nothing is promised, the server lives.

EIO and ENOSPC at the first, the middle and the last call of each kind (strace), and a disk that is
really full (tmpfs). An upload whose last step failed may be in sight, whole; it is never
acknowledged, and sending it again is a success.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import lake_oracle
from tests.support.disk_errors_run import CALLS, FailingDisk
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection, LakeFile
from tests.support.needs import needs_root, needs_tool
from tests.support.strace import calls_of, first_middle_and_last, strace
from tests.support.uploaders import lake_file

_OPERATIONS = [
    "a file into new folders",
    "a file over an old one",
    "a batch",
    "the last piece of a resumable upload",
    "the end of a full sync",
]


@pytest.fixture(scope="module")
def disk(servers: ForkedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingDisk]:
    """One server for all of them: it must live on."""
    needs_tool("strace")
    folder = tmp_path_factory.mktemp("disk")
    with (
        ForkedServer(servers, folder / "lake") as server,
        LakeConnection(server.port) as client,
    ):
        yield FailingDisk(server, client, folder)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_an_error_of_the_disk_is_told_and_survived(
    disk: FailingDisk, operation: str, call: str, error: str
) -> None:
    struck = 0
    points = first_middle_and_last(disk.watch(operation), call)
    for point in points:
        tried = disk.fail(operation, f"{call}:error={error}:when={point.nth}")
        assert not tried.complaints, f"{point}: {tried.complaints}, {tried.injected}"
        struck += bool(tried.injected)
    assert struck or not points, "no error struck"


@pytest.mark.parametrize(
    ("build", "operation", "call", "complaint"),
    [
        ("swallows errors of fsync", "a file into new folders", "fsync", "in spite of"),
        ("swallows errors of fsync", "a batch", "fsync", "in spite of"),
        ("keeps what was cut", "a file into new folders", "rename", "left in incoming"),
        ("keeps what was cut", "a batch", "rename", "left in incoming"),
    ],
)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, lake: Path, build: str, operation: str, call: str, complaint: str
) -> None:
    needs_tool("strace")
    with (
        ForkedServer(servers, lake, build=build) as server,
        LakeConnection(server.port) as client,
    ):
        tried = FailingDisk(server, client, lake.parent).fail(operation, f"{call}:error=EIO:when=1")
    assert any(complaint in told for told in tried.complaints), tried


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """6 MiB in all, which the catalog's own files share."""
    needs_root()
    needs_tool("mount")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(f"no tmpfs can be mounted: {made.stderr}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_as_507_and_room_is_all_it_takes(
    servers: ForkedServers, small_disk: Path
) -> None:
    lake = small_disk / "lake"
    with ForkedServer(servers, lake) as server, LakeConnection(server.port) as client:
        sync_id = client.started("/data/x")
        too_big = LakeFile("/data/x/too-big.bin", bytes(range(256)) * (8 << 12))
        answer = client.upload(sync_id, too_big)
        assert (answer.status, answer.body["reason"]) == (507, "quota_exceed"), answer
        assert "make room" in answer.body["message"]
        assert lake_oracle.left_behind(lake) == []
        assert lake_oracle.published(lake) == {}

        kept = []
        answer = client.upload(sync_id, lake_file("/data/x/0.bin"))
        number = 0
        while answer.is_success:  # until nothing more goes in, be it a file or a row
            kept.append(lake_file(f"/data/x/{number}.bin"))
            number += 1
            answer = client.upload(sync_id, lake_file(f"/data/x/{number}.bin"))
        assert answer.status == 507, answer
        assert lake_oracle.left_behind(lake) == []
        seen = lake_oracle.published(lake)
        assert lake_oracle.half_files(seen) == []
        assert {file.path for file in kept} <= set(seen)

        for path in sorted((lake / "files/data/x").iterdir())[:20]:
            path.unlink()  # somebody makes room
        assert client.upload(sync_id, lake_file(f"/data/x/{number}.bin")).is_success
        assert client.end(sync_id).is_success


def test_a_full_disk_that_only_the_catalog_s_fsync_meets_is_told_as_507(
    servers: ForkedServers, small_disk: Path
) -> None:
    """SQLite does not tell why its fsync failed: the disk is asked whether it has room."""
    needs_tool("strace")
    lake = small_disk / "lake"
    with ForkedServer(servers, lake) as server, LakeConnection(server.port) as client:
        client.started("/data/x")
        ballast = small_disk / "ballast"
        left_bytes = 300 << 10  # enough for the catalog, and too little to go on with
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - left_bytes))
        with strace(server.pid, small_disk.parent, "fdatasync:error=ENOSPC:when=1+") as log:
            answer = client.start("/data/y")
        assert any(call.is_injected for call in calls_of(log))
        assert (answer.status, answer.body["reason"]) == (507, "quota_exceed"), answer
        assert "make room" in answer.body["message"]
        ballast.unlink()
        assert client.start("/data/y").is_success

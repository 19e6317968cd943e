"""The processes that write small files beside the server: they die, or their server does."""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.forked_server import HUNG_S, ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection, LakeFile
from tests.support.uploaders import in_batches, lake_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are for Linux")

_A_BATCH = 30


@pytest.fixture
def server(servers: ForkedServers, lake: Path) -> Iterator[ForkedServer]:
    with ForkedServer(servers, lake) as running:
        yield running


def _beside(server: ForkedServer) -> list[psutil.Process]:
    found = psutil.Process(server.pid).children()
    if len(found) != 2:
        assert (psutil.cpu_count() or 1) < 2, found
        pytest.skip("a machine with one processor has none")
    return list(found)


def _files(folder: str) -> list[LakeFile]:
    return [lake_file(f"/data/x/{folder}/{number}.bin") for number in range(_A_BATCH)]


def _bytes_written(process: psutil.Process) -> int:
    return int(process.io_counters().write_chars)


def test_a_batch_is_written_by_one_of_them(server: ForkedServer) -> None:
    before = sum(_bytes_written(process) for process in _beside(server))
    files = _files("a")
    with LakeConnection(server.port) as lake:
        list(in_batches(lake, lake.started("/data/x"), files))
    written = sum(_bytes_written(process) for process in _beside(server)) - before
    small = [len(file.data) for file in files if len(file.data) <= 128 << 10]
    assert written >= sum(small)


def test_one_that_dies_costs_no_acknowledged_file(server: ForkedServer) -> None:
    """Whatever it was doing: uploaders are at work while first one and then both are killed."""
    processes = _beside(server)
    chance = random.Random(1)
    acknowledged: list[str] = []
    refused: list[str] = []
    enough = threading.Event()
    over = threading.Event()

    def upload(uploader: int) -> None:
        with LakeConnection(server.port) as lake:
            sync_id = lake.started(f"/data/x/u{uploader}")
            number = 0
            while not over.is_set():
                number += 1
                files = [
                    lake_file(f"/data/x/u{uploader}/{number}/{n}.bin") for n in range(_A_BATCH)
                ]
                answer = lake.batch(sync_id, files)
                assert answer.status == 200, answer
                for file, result in zip(files, answer.body["results"], strict=True):
                    (refused if result["code"] else acknowledged).append(file.path)
                if len(acknowledged) > 8 * _A_BATCH:
                    enough.set()

    uploading = [threading.Thread(target=upload, args=(number,)) for number in range(3)]
    for thread in uploading:
        thread.start()
    for process in chance.sample(processes, 2):
        assert enough.wait(HUNG_S)
        enough.clear()
        acknowledged_before = len(acknowledged)
        process.kill()
        while len(acknowledged) < acknowledged_before + 2 * _A_BATCH:
            assert enough.wait(HUNG_S)
            enough.clear()
    over.set()
    for thread in uploading:
        thread.join(HUNG_S)
    assert len(refused) <= 2 * 4 * _A_BATCH  # what was under way, and no more
    for path in acknowledged:
        assert (server.files / path[1:]).read_bytes() == lake_file(path).data
    assert list(server.incoming.iterdir()) == []
    assert "has died" in server.errors.read_text()


def test_they_end_with_a_server_that_is_killed_and_the_next_one_begins(
    servers: ForkedServers, lake: Path
) -> None:
    server = ForkedServer(servers, lake)
    processes = _beside(server)
    processes[0].send_signal(signal.SIGSTOP)  # in the middle of a step, say
    server.kill()
    gone, alive = psutil.wait_procs(processes, timeout=HUNG_S)
    assert len(gone) == 2, alive
    with ForkedServer(servers, lake) as next_server, LakeConnection(next_server.port) as client:
        assert list(in_batches(client, client.started("/data/x"), _files("b")))


def test_they_end_with_a_server_that_is_stopped(servers: ForkedServers, lake: Path) -> None:
    server = ForkedServer(servers, lake)
    processes = _beside(server)
    for process in processes:  # as a terminal's Ctrl-C tells the whole group
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
    with LakeConnection(server.port) as client:
        assert list(in_batches(client, client.started("/data/x"), _files("c")))
    assert all(process.is_running() for process in processes)
    assert server.stop() == 0
    assert not any(process.is_running() for process in processes)
    assert "has died" not in server.errors.read_text()

"""Clocks jump, machines sleep and wake: nothing expires for it, and uploads go on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import lake_oracle
from tests.support.counts import count
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.home import Home, own_home, tree
from tests.support.jumping_clock import JumpingClock
from tests.support.lake_connection import LakeConnection
from tests.support.ledger import Acknowledged
from tests.support.real_server import RealServer
from tests.support.uploaders import in_batches, lake_file, one_by_one

_FOLDER = "/data/x"
# Long enough that what was under way is held up by it, and that a slow test machine shows it too.
_ASLEEP_S = 1.5


@pytest.fixture
def clock(tmp_path: Path) -> JumpingClock:
    return JumpingClock(tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("jump", ["+40d", "-2y"][: count(1, 2)])
def test_a_clock_that_jumps_expires_nothing(lake: Path, clock: JumpingClock, jump: str) -> None:
    """While the server runs, and while it is down."""
    told: list[Acknowledged] = []
    with RealServer(lake, environment=clock.environment) as server:
        with LakeConnection(server.port) as client:
            added_to = client.started(_FOLDER)
            replaced = client.started("/data/full", "FullSync")
            files = [lake_file(f"{_FOLDER}/{number}.bin") for number in range(6)]
            staged = [lake_file(f"/data/full/{number}.bin") for number in range(2)]
            for sent in ([files[0]], [staged[0]]):
                sync_id = added_to if sent[0] is files[0] else replaced
                told += [one for got in one_by_one(client, sync_id, sent) for one in got]
            clock.jump_to(jump)
            _until_the_clock_has_jumped(client, added_to)
            told += [one for got in in_batches(client, added_to, files[1:3]) for one in got]
        server.kill()
    with (
        RealServer(lake, environment=clock.environment) as server,
        LakeConnection(server.port) as client,
    ):
        states = {job["sync_id"]: job["sync_status"] for job in client.jobs()}
        assert states[added_to] == states[replaced] == "Syncing"
        told += [one for got in one_by_one(client, added_to, files[3:]) for one in got]
        told += [one for got in one_by_one(client, replaced, staged[1:]) for one in got]
        for sync_id in (added_to, replaced):
            assert client.end(sync_id).is_success
        seen = lake_oracle.published(lake)
        assert seen == {file.path: file.data for file in files + staged}
        assert lake_oracle.lost_rows(client, told) == []


def _until_the_clock_has_jumped(client: LakeConnection, old_sync: int) -> None:
    """By the time stamps of syncs that are started for this alone."""
    before_ms = client.job(old_sync)["start_time"]
    give_up_at = time.monotonic() + 60
    after_ms = before_ms
    while abs(after_ms - before_ms) < 30 * 86_400_000:
        assert time.monotonic() < give_up_at, "the server's clock did not jump"
        after_ms = client.job(client.started("/data/clock"))["start_time"]


@pytest.mark.soak
def test_no_version_is_lost_to_a_clock_that_goes_back(lake: Path, clock: JumpingClock) -> None:
    """Names in the trash begin with the time: an earlier one must not be taken for the same."""
    versions = iter(range(100))
    for offset in ("+0", "+1d", "-1d", "+0", "-3d")[: count(3, 5)]:
        clock.jump_to(offset)
        with (
            RealServer(lake, environment=clock.environment) as server,
            LakeConnection(server.port) as client,
        ):
            sync_id = client.started(_FOLDER)
            for version in (next(versions), next(versions)):
                assert client.upload(sync_id, lake_file(f"{_FOLDER}/a.bin", version)).is_success
            assert client.end(sync_id).is_success
            server.kill()
    seen = lake_oracle.published(lake)
    assert lake_oracle.half_files(seen) == []
    assert lake_oracle.lost_versions(lake, seen) == []


def test_a_server_that_slept_goes_on(servers: ForkedServers, lake: Path) -> None:
    told: list[Acknowledged] = []
    half_way = threading.Barrier(5)
    with ForkedServer(servers, lake) as server, LakeConnection(server.port) as client:
        sync_id = client.started(_FOLDER)

        def upload(uploader: int) -> None:
            names = [f"{_FOLDER}/{uploader}/{number}.bin" for number in range(30)]
            with LakeConnection(server.port) as own:
                for number, received in enumerate(
                    one_by_one(own, sync_id, [lake_file(name) for name in names])
                ):
                    told.extend(received)
                    if number == 10:
                        half_way.wait(60)

        threads = [threading.Thread(target=upload, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        half_way.wait(60)
        server.signal(signal.SIGSTOP)
        time.sleep(_ASLEEP_S)  # the sleep itself
        server.signal(signal.SIGCONT)
        for thread in threads:
            thread.join()
        assert client.end(sync_id).is_success
        seen = lake_oracle.published(lake)
        assert len(told) == len(seen) == 120
        assert lake_oracle.lost_files(seen, told) == []
        assert lake_oracle.lost_rows(client, told) == []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with own_home(tmp_path / "home") as made:
        yield made


@pytest.mark.parametrize("who", ["the engine", "the server"])
def test_an_upload_goes_on_after_a_sleep(home: Home, tmp_path: Path, who: str) -> None:
    dataset = tmp_path / "dataset"
    for number in range(400):
        folder = dataset / str(number % 7)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(lake_file(f"/{number}").data)
    upload = home.start("upload", f"{dataset}/", "--to", _FOLDER, "--mode", "incremental", "--json")
    assert upload.stdout is not None
    upload.stdout.readline()  # the engine lives and knows the files
    upload.stdout.readline()  # and the first has arrived
    sleeper = home.engine() if who == "the engine" else home.server()
    sleeper.suspend()
    time.sleep(_ASLEEP_S)
    sleeper.resume()
    rest, problems = upload.communicate(timeout=120)
    assert upload.returncode == 0, rest[-2000:] + problems
    assert tree(home.files / "data/x") == tree(dataset)

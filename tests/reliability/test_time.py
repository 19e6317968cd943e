"""Clocks jump, machines sleep and wake: nothing expires for it, and uploads go on."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import lake_oracle, server_of_a_build
from tests.support.broken_builds import SOUND
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


def serving(lake: Path, clock: JumpingClock, build: str = SOUND) -> RealServer:
    program = [str(Path(server_of_a_build.__file__))]
    environment = clock.environment | {server_of_a_build.BUILD: build}
    return RealServer(lake, program=program, environment=environment)


@pytest.mark.soak
@pytest.mark.parametrize("jump", ["+40d", "-2y"][: count(1, 2)])
def test_a_clock_that_jumps_expires_nothing(lake: Path, clock: JumpingClock, jump: str) -> None:
    _jump(lake, clock, jump, SOUND)


def test_of_the_test_a_server_that_believes_the_clock_is_caught(
    lake: Path, clock: JumpingClock
) -> None:
    with pytest.raises(AssertionError, match="nothing may expire"):
        _jump(lake, clock, "+40d", "believes the clock")


def _jump(lake: Path, clock: JumpingClock, jump: str, build: str) -> None:
    """While the server runs, and while it is down."""
    told: list[Acknowledged] = []
    with serving(lake, clock, build) as server:
        with LakeConnection(server.port) as client:
            added_to = client.started(_FOLDER)
            replaced = client.started("/data/full", "FullSync")
            files = [lake_file(f"{_FOLDER}/{number}.bin") for number in range(6)]
            staged = [lake_file(f"/data/full/{number}.bin") for number in range(2)]
            for sync_id, sent in ((added_to, files[:1]), (replaced, staged[:1])):
                told += [one for got in one_by_one(client, sync_id, sent) for one in got]
            clock.jump_to(jump)
            _until_the_clock_has_jumped(client, added_to)
            told += [one for got in in_batches(client, added_to, files[1:3]) for one in got]
        server.kill()
    with serving(lake, clock, build) as server, LakeConnection(server.port) as client:
        # What a start looks at is done before its first answer, or in a thread soon after: the
        # restart of the broken server shows that this is enough.
        for _ in range(count(50, 200)):
            states = {job["sync_id"]: job["sync_status"] for job in client.jobs()}
            assert states[added_to] == states[replaced] == "Syncing", "nothing may expire"
        told += [one for got in one_by_one(client, added_to, files[3:]) for one in got]
        told += [one for got in one_by_one(client, replaced, staged[1:]) for one in got]
        for sync_id in (added_to, replaced):
            assert client.end(sync_id).is_success
        seen = lake_oracle.published(lake)
        assert seen == {file.path: file.data for file in files + staged}
        assert lake_oracle.lost_rows(client, told) == []


@pytest.mark.soak
@pytest.mark.parametrize("jump", ["+40d", "-2y"][: count(1, 2)])
def test_a_clock_that_jumps_purges_nothing(lake: Path, clock: JumpingClock, jump: str) -> None:
    _jump_over_the_trash(lake, clock, jump, SOUND)


def test_of_the_test_a_trash_that_believes_the_clock_is_caught(
    lake: Path, clock: JumpingClock
) -> None:
    with pytest.raises(AssertionError, match="nothing may be purged"):
        _jump_over_the_trash(lake, clock, "+40d", "believes the clock of the trash")


def _jump_over_the_trash(lake: Path, clock: JumpingClock, jump: str, build: str) -> None:
    """While the server is down, which it looks at soon after its start."""
    old, new = lake_file("/data/full/0.bin"), lake_file("/data/full/1.bin")
    with serving(lake, clock, build) as server, LakeConnection(server.port) as client:
        for file in (old, new):
            sync_id = client.started("/data/full", "FullSync")
            assert client.upload(sync_id, file).is_success
            assert client.end(sync_id).is_success
        server.stop()
    ages = lake / ".lakedrop" / "trash-ages.json"
    seen = ""
    for offset in ("+0", jump):  # the first start sees what lies there
        clock.jump_to(offset)
        with serving(lake, clock, build) as server:
            give_up_at = time.monotonic() + 60
            while ages.read_text() == seen:
                assert time.monotonic() < give_up_at, "the server does not look at its trash"
                time.sleep(0.01)
            server.stop()  # which waits for what it is doing
        seen = ages.read_text()
    kept = [path.name for path in (lake / ".lakedrop" / "trash").rglob("*.bin")]
    assert kept == ["0.bin"], "nothing may be purged"
    assert lake_oracle.published(lake) == {new.path: new.data}


def _until_the_clock_has_jumped(client: LakeConnection, old_sync: int) -> None:
    """By the time stamps of syncs that are started for this alone."""
    before_ms = client.job(old_sync)["start_time"]
    give_up_at = time.monotonic() + 60
    after_ms = before_ms
    while abs(after_ms - before_ms) < 30 * 86_400_000:
        assert time.monotonic() < give_up_at, "the server's clock did not jump"
        after_ms = client.job(client.started("/data/clock"))["start_time"]


def test_no_version_is_lost_to_a_clock_that_goes_back(lake: Path, clock: JumpingClock) -> None:
    """Names in the trash begin with the time: an earlier one must not be taken for the same."""
    assert _replace_while_the_clock_goes_back(lake, clock, SOUND) == []


def test_of_the_test_a_trash_that_overwrites_is_caught(lake: Path, clock: JumpingClock) -> None:
    complaints = _replace_while_the_clock_goes_back(lake, clock, "trash overwrites")
    assert any("is not in the trash" in complaint for complaint in complaints)


def _replace_while_the_clock_goes_back(lake: Path, clock: JumpingClock, build: str) -> list[str]:
    """One sync, one name, two servers: the second one lives a day earlier."""
    versions = iter(range(6))
    sync_id = 0
    for offset in ("+0", "-1d"):
        clock.jump_to(offset)
        with serving(lake, clock, build) as server, LakeConnection(server.port) as client:
            sync_id = sync_id or client.started(_FOLDER)
            for version in itertools.islice(versions, 3):
                assert client.upload(sync_id, lake_file(f"{_FOLDER}/a.bin", version)).is_success
            server.kill()
    seen = lake_oracle.published(lake)
    return lake_oracle.half_files(seen) + lake_oracle.lost_versions(lake, seen)


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

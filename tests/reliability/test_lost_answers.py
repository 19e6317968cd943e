"""The network breaks between a client and our server: what is sent again is done once.

Server side, by a plain client that knows nothing but the contract; the engine's own client is in
`test_engine_on_a_bad_network.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_server import contract
from tests.support import lake_oracle
from tests.support.broken_builds import SOUND
from tests.support.counts import seeds
from tests.support.fault_proxy import Break, Fault, FaultProxy, fault_proxy
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LOST, LakeConnection, form_body
from tests.support.uploaders import in_batches, lake_file, one_by_one

_FOLDER = "/data/x"
_A_KEY = {"Idempotency-Key": "3f2d2a0e-start-of-the-nightly-sync"}
# No head of a request of these tests is shorter.
_LEAST_HEAD_BYTES = 180
_WAYS = [Break.CLOSE, Break.RESET]


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with fault_proxy() as made:
        yield made


@pytest.fixture
def server(servers: ForkedServers, lake: Path, proxy: FaultProxy) -> Iterator[ForkedServer]:
    with serving(servers, lake, proxy) as made:
        yield made


@pytest.fixture
def client(server: ForkedServer, proxy: FaultProxy) -> Iterator[LakeConnection]:
    """Through the proxy. The server is up as long as it is used."""
    with LakeConnection(proxy.port) as made:
        yield made


def serving(
    servers: ForkedServers, lake: Path, proxy: FaultProxy, build: str = SOUND
) -> ForkedServer:
    """It knows itself by the proxy's address too, which is what clients call it."""
    # The first name is the one that it tells.
    names = ["--name", "127.0.0.1", "--name", f"127.0.0.1:{proxy.port}"]
    made = ForkedServer(servers, lake, build=build, flags=names)
    proxy.lead_to(made.port)
    return made


def trashed(lake: Path) -> list[str]:
    return [path.name for path in (lake / ".lakedrop/trash").rglob("*") if path.is_file()]


@pytest.mark.parametrize("how", _WAYS)
def test_a_start_whose_answer_was_lost_starts_once(
    proxy: FaultProxy, client: LakeConnection, how: Break
) -> None:
    proxy.fail(contract.START_ROUTE, Fault(answer_bytes=0, how=how))
    with pytest.raises(LOST):
        client.start(_FOLDER, headers=_A_KEY)
    proxy.wait_for_hits(1)
    again = client.start(_FOLDER, headers=_A_KEY)
    assert again.is_success
    assert [job["sync_id"] for job in client.jobs()] == [again.body["sync_id"]]


def test_a_start_that_nobody_heard_of_never_swaps(
    proxy: FaultProxy, client: LakeConnection, lake: Path
) -> None:
    """Without an Idempotency-Key a client starts another; the first one lies there, harmless."""
    first = lake_file(f"{_FOLDER}/old.bin")
    sync_id = client.started(_FOLDER)
    assert client.upload(sync_id, first).is_success
    assert client.end(sync_id).is_success
    proxy.fail(contract.START_ROUTE, Fault(answer_bytes=0))
    with pytest.raises(LOST):
        client.start(_FOLDER, "FullSync")
    assert lake_oracle.published(lake) == {first.path: first.data}
    second = lake_file(f"{_FOLDER}/new.bin")
    sync_id = client.started(_FOLDER, "FullSync")
    assert client.upload(sync_id, second).is_success
    assert client.end(sync_id).is_success
    assert lake_oracle.published(lake) == {second.path: second.data}
    assert [job["sync_status"] for job in client.jobs()] == ["Finished", "Syncing", "Finished"]


@pytest.mark.parametrize("how", _WAYS)
@pytest.mark.parametrize("sync_type", ["IncrementalSync", "FullSync"])
@pytest.mark.parametrize("is_batch", [False, True], ids=["one file", "a batch"])
def test_an_upload_whose_answer_was_lost_is_there_once(
    proxy: FaultProxy,
    client: LakeConnection,
    lake: Path,
    how: Break,
    sync_type: str,
    is_batch: bool,
) -> None:
    sync_id = client.started(_FOLDER, sync_type)
    _lose_the_answer_of_an_upload(proxy, client, lake, sync_id, how, is_batch=is_batch)
    assert client.job(sync_id)["num_failed"] == 0


def _lose_the_answer_of_an_upload(
    proxy: FaultProxy,
    client: LakeConnection,
    lake: Path,
    sync_id: int,
    how: Break,
    *,
    is_batch: bool,
) -> None:
    count = 20 if is_batch else 1
    files = [lake_file(f"{_FOLDER}/{number % 3}/{number}.bin") for number in range(count)]
    upload = in_batches if is_batch else one_by_one
    proxy.fail("/file/", Fault(answer_bytes=0, how=how))
    with pytest.raises(LOST):
        list(upload(client, sync_id, files))
    proxy.wait_for_hits(1)
    told = [one for received in upload(client, sync_id, files) for one in received]
    assert client.end(sync_id).is_success
    seen = lake_oracle.published(lake)
    assert seen == {file.path: file.data for file in files}
    assert lake_oracle.lost_files(seen, told) == []
    assert trashed(lake) == [], "a second copy"


@pytest.mark.parametrize("how", _WAYS)
@pytest.mark.parametrize("sync_type", ["IncrementalSync", "FullSync"])
def test_an_end_whose_answer_was_lost_ends_once(
    proxy: FaultProxy, client: LakeConnection, lake: Path, how: Break, sync_type: str
) -> None:
    file = lake_file(f"{_FOLDER}/a.bin")
    sync_id = client.started(_FOLDER, sync_type)
    assert client.upload(sync_id, file).is_success
    proxy.fail(contract.END_ROUTE, Fault(answer_bytes=0, how=how))
    with pytest.raises(LOST):
        client.end(sync_id)
    proxy.wait_for_hits(1)
    again = client.end(sync_id)
    assert again.status == 400
    assert again.body["message"] == contract.JOB_ALREADY_ENDED
    assert lake_oracle.published(lake) == {file.path: file.data}
    assert trashed(lake) == []
    assert client.job(sync_id)["sync_status"] == "Finished"


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(12, 400))
def test_a_request_that_is_cut_leaves_nothing(
    servers: ForkedServers, lake: Path, proxy: FaultProxy, seed: int
) -> None:
    _cut_a_request(servers, lake, proxy, seed, SOUND)


def _cut_a_request(
    servers: ForkedServers, lake: Path, proxy: FaultProxy, seed: int, build: str
) -> None:
    """At a byte of chance: in the head, in a part's head, in the bytes, in the last boundary."""
    chance = random.Random(seed)
    is_batch = chance.random() < 0.5
    count = 5 if is_batch else 1
    # The first is large: smaller ones are kept in memory until they have arrived whole.
    names = (lake_file(f"{_FOLDER}/{seed}-large{number}.bin") for number in range(999))
    large = next(file for file in names if len(file.data) > 1 << 20)
    files = [large, *(lake_file(f"{_FOLDER}/{seed}-{n}.bin") for n in range(1, count))]
    size_bytes = len(form_body(files, with_folders=is_batch)) + _LEAST_HEAD_BYTES
    cut = Fault(
        request_bytes=chance.choice(
            [
                chance.randrange(2 * _LEAST_HEAD_BYTES),
                chance.randrange(size_bytes),
                size_bytes - 1 - chance.randrange(60),
            ]
        ),
        how=chance.choice(_WAYS),
    )
    with serving(servers, lake, proxy, build) as server, LakeConnection(proxy.port) as client:
        sync_id = client.started(_FOLDER)
        proxy.fail("/file/", cut)
        with pytest.raises(LOST):
            client.batch(sync_id, files) if is_batch else client.upload(sync_id, files[0])
        assert lake_oracle.published(lake) == {}, f"seed {seed}: {cut}"
        for file in files:
            assert client.upload(sync_id, file).is_success, f"seed {seed}: {cut}"
        assert server.stop() == 0  # what was on its way is over
    assert lake_oracle.published(lake) == {file.path: file.data for file in files}
    assert lake_oracle.left_behind(lake) == [], f"seed {seed}: {cut}"
    assert trashed(lake) == []


@pytest.mark.parametrize("is_batch", [False, True], ids=["one file", "a batch"])
def test_of_the_test_a_server_that_forgets_resends_is_caught(
    servers: ForkedServers, lake: Path, proxy: FaultProxy, is_batch: bool
) -> None:
    with (
        serving(servers, lake, proxy, "forgets resends"),
        LakeConnection(proxy.port) as client,
    ):
        sync_id = client.started(_FOLDER)
        with pytest.raises(AssertionError, match="a second copy"):
            _lose_the_answer_of_an_upload(
                proxy, client, lake, sync_id, Break.CLOSE, is_batch=is_batch
            )


def test_of_the_test_a_server_that_keeps_what_was_cut_is_caught(
    servers: ForkedServers, tmp_path: Path, proxy: FaultProxy
) -> None:
    """By one of ten cuts, which comes after the file has begun."""

    def ten_cuts() -> None:
        for seed in range(10):
            _cut_a_request(servers, tmp_path / str(seed), proxy, seed, "keeps what was cut")

    with pytest.raises(AssertionError, match="was left in incoming"):
        ten_cuts()


def test_uploads_that_hang_hold_nobody_up(
    server: ForkedServer, proxy: FaultProxy, lake: Path
) -> None:
    """More half-open uploads than the server has workers; others upload, and *end* works."""
    hanging = [LakeConnection(proxy.port, timeout_s=0.1) for _ in range(24)]
    with LakeConnection(server.port) as client:
        sync_id = client.started(_FOLDER)
        proxy.fail("/file/upload", Fault(request_bytes=9_000, how=Break.SILENCE), times=24)
        big = next(
            file
            for file in (lake_file(f"{_FOLDER}/hanging{number}.bin") for number in range(99))
            if len(file.data) > 50_000
        )
        for one in hanging:
            with one, pytest.raises(TimeoutError):
                one.upload(sync_id, big)
        proxy.wait_for_hits(24)
        files = [lake_file(f"{_FOLDER}/{number}.bin") for number in range(5)]
        for file in files:
            assert client.upload(sync_id, file).is_success
        assert client.end(sync_id).is_success
        assert lake_oracle.published(lake) == {file.path: file.data for file in files}
        proxy.sever(Break.RESET)
        assert server.stop() == 0
    assert lake_oracle.left_behind(lake) == []

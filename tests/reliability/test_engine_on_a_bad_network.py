"""The engine with its real client and a real server, and a network that breaks between them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import JobState
from app.engine.run_ports import RunSettings
from app.infra.http_connections import Timeouts
from app.infra.http_gateway import HttpGateway
from embedded_server import contract
from embedded_server.contract import SyncType
from tests.reliability.test_lost_answers import serving, trashed
from tests.support import lake_oracle
from tests.support.counts import seeds
from tests.support.fault_proxy import Break, Fault, FaultProxy, fault_proxy
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.real_server import SAMPLE_KEY
from tests.support.uploaders import content_of
from tests.unit.engine.house import DESTINATION, House

_PATIENT = RetryPolicy(attempts=200, base_s=0.01, cap_s=0.05)
_QUICK_TO_GIVE_UP = Timeouts(connect_s=5, write_s=1.0, read_s=1.0, read_after_upload_s=1.0)
_FILES = 40


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with fault_proxy() as made:
        yield made


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Small files, which go in batches, and larger ones, which go alone."""
    top = tmp_path / "dataset"
    for number in range(_FILES):
        path = f"{number % 4}/part-{number}.bin"
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content_of(f"{DESTINATION}/{path}"))
    (top / "large.bin").write_bytes(content_of(f"{DESTINATION}/large.bin") * 60)
    return top


@pytest.fixture
def house(tmp_path: Path, proxy: FaultProxy) -> Iterator[House]:
    gateway = HttpGateway(proxy.address, SAMPLE_KEY, timeouts=_QUICK_TO_GIVE_UP)
    (tmp_path / "home").mkdir()
    settings = RunSettings(workers=3, batch_files=8, retry=_PATIENT)
    with House(tmp_path / "home", gateway, settings=settings) as made:
        yield made
    gateway.close()


def expected(dataset: Path) -> dict[str, bytes]:
    return {
        f"{DESTINATION}/{path.relative_to(dataset).as_posix()}": path.read_bytes()
        for path in dataset.rglob("*")
        if path.is_file()
    }


def _finished_once(house: House, server: ForkedServer, job_id: int, dataset: Path) -> None:
    snapshot = house.wait(job_id, JobState.FINISHED, JobState.FAILED, JobState.NEEDS_ATTENTION)
    assert snapshot.state is JobState.FINISHED, snapshot
    assert lake_oracle.published(server.lake) == expected(dataset)
    assert trashed(server.lake) == []
    with LakeConnection(server.port) as connection:
        assert connection.jobs()[-1]["sync_status"] == "Finished"
    assert server.stop() == 0
    assert lake_oracle.left_behind(server.lake) == []


_ROUTES = [
    contract.CAPABILITIES_ROUTE,
    contract.START_ROUTE,
    contract.UPLOAD_ROUTE,
    contract.BATCH_ROUTE,
    contract.END_ROUTE,
]


@pytest.mark.parametrize(
    ("how", "mode"),
    [(Break.RESET, SyncType.INCREMENTAL), (Break.SILENCE, SyncType.FULL)],
    ids=["reset, incremental", "silence, full"],
)
@pytest.mark.parametrize("route", _ROUTES)
def test_a_lost_answer_is_asked_for_again(
    servers: ForkedServers,
    lake: Path,
    proxy: FaultProxy,
    house: House,
    dataset: Path,
    route: str,
    how: Break,
    mode: SyncType,
) -> None:
    """A second *end* is told to have ended already, which is what the engine wanted."""
    with serving(servers, lake, proxy) as server:
        proxy.fail(route, Fault(answer_bytes=0, how=how))
        job_id = house.start(dataset, mode=mode)
        _finished_once(house, server, job_id, dataset)
        proxy.wait_for_hits(1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(4, 100))
def test_a_network_that_breaks_again_and_again_is_got_over(
    servers: ForkedServers, lake: Path, proxy: FaultProxy, house: House, dataset: Path, seed: int
) -> None:
    """Cut at bytes of chance, in requests and answers, by FIN, RST and silence."""
    chance = random.Random(seed)
    faults = 12
    with serving(servers, lake, proxy) as server:
        for _ in range(faults):
            where = chance.choice(["request_bytes", "answer_bytes"])
            how = chance.choice([Break.CLOSE, Break.RESET])
            most = 120_000 if where == "request_bytes" else 200
            fault = Fault(**{where: chance.randrange(most)}, how=how)
            proxy.fail(chance.choice(["/file/upload", "/file/batch", "/file/"]), fault)
        job_id = house.start(dataset, mode=chance.choice(list(SyncType)))
        _finished_once(house, server, job_id, dataset)


@pytest.mark.parametrize("mode", [SyncType.INCREMENTAL, SyncType.FULL])
def test_a_server_that_restarts_in_the_middle_is_got_over(
    servers: ForkedServers,
    lake: Path,
    proxy: FaultProxy,
    house: House,
    dataset: Path,
    mode: SyncType,
) -> None:
    """Killed once some of it has arrived; the next one has another port, as the proxy hides."""
    proxy.fail("/file/batch", Fault(answer_bytes=0), times=1)
    with serving(servers, lake, proxy) as first:
        job_id = house.start(dataset, mode=mode)
        proxy.wait_for_hits(1)
        first.kill()
        proxy.lead_to(0)
        proxy.sever()
    with serving(servers, lake, proxy) as second:
        _finished_once(house, second, job_id, dataset)

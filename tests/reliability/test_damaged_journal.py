"""The engine's journal is torn, full of garbage, read-only or gone: it is never read as "all done".

A job was half through when its engine was killed; then its journal is damaged, and the next engine
starts. What is damaged is set aside whole, its user is told, and a new queue serves. What SQLite
can mend by itself goes on, to the right end. What cannot be written is told and left as it is.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain import sentences
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.link.engine_client import EngineClient
from embedded_server.contract import BATCH_ROUTE
from tests.reliability.test_lost_answers import serving
from tests.support import lake_oracle
from tests.support.fault_proxy import Break, Fault, FaultProxy, fault_proxy
from tests.support.forked_engine import (
    CONNECTION,
    EngineDidNotStart,
    ForkedEngine,
    connect_to,
    forked_engines,
)
from tests.support.forked_process import HUNG_S, Zygote
from tests.support.forked_server import ForkedServers
from tests.support.home import Home
from tests.support.needs import needs_root, needs_tool
from tests.support.uploaders import content_of

_DESTINATION = "/data/team"
_FILES = 300
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class HalfDone:
    """What a killed engine left: its home, and the lake of the server it uploaded to."""

    home: Path
    lake: Path
    dataset: Path

    @property
    def expected(self) -> dict[str, bytes]:
        return {
            f"{_DESTINATION}/{path.relative_to(self.dataset).as_posix()}": path.read_bytes()
            for path in self.dataset.rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="module")
def engines() -> Iterator[Zygote]:
    with forked_engines() as made:
        yield made


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    """The server's address stays, whichever server is behind it."""
    with fault_proxy() as made:
        yield made


@pytest.fixture(scope="module")
def half_done(
    engines: Zygote,
    servers: ForkedServers,
    proxy: FaultProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> HalfDone:
    top = tmp_path_factory.mktemp("half done")
    made = HalfDone(top / "home", top / "lake", top / "dataset")
    for number in range(_FILES):
        path = made.dataset / f"{number % 3}/part-{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(f"{_DESTINATION}/{number % 3}/{path.name}")[:9_000])
    home = Home(made.home)
    # Of three batches two never come to their end.
    proxy.fail(BATCH_ROUTE, Fault(request_bytes=0, how=Break.SILENCE), times=2)
    with serving(servers, made.lake, proxy):
        connect_to(home, proxy.address)
        engine = ForkedEngine(engines, home)
        with engine.screen() as client:
            job_id = _started(client, made.dataset)
            watch = client.watch(job_id)
            while not watch.now.files_arrived:
                assert watch.now.state not in ENDED, (watch.now.state, watch.now.message)
                assert watch.wait(HUNG_S), watch.now
            proxy.lead_to(0)  # nothing more gets through
            proxy.sever()
            engine.kill()
        assert watch.now.files_arrived < _FILES, "the job was over before it could be killed"
    return made


def _started(client: EngineClient, dataset: Path) -> int:
    asked: dict[str, Any] = {
        "connection": {"name": CONNECTION},
        "key": None,
        "destination": _DESTINATION,
        "mode": "IncrementalSync",
        "name": "",
        "sources": [[str(dataset), True]],
    }
    job_id = int(client.request("add_job", **asked)["job_id"])
    client.request("wait_intake", job_id=job_id)
    client.request("start_job", job_id=job_id, consents={})
    return job_id


def _jobs(client: EngineClient) -> list[JobSnapshot]:
    return [JobSnapshot.from_wire(job) for job in client.request("watch_jobs")["jobs"]]


def _seen_through(client: EngineClient, job_id: int) -> JobSnapshot:
    watch = client.watch(job_id)
    while watch.now.state not in ENDED | {JobState.NEEDS_ATTENTION}:
        assert watch.wait(HUNG_S), f"nothing moves: {watch.now}"
    return watch.now


# -- damages: done to a journal whose log was taken into it --------------------------------------


def _cut_to(size: Callable[[int], int]) -> Callable[[Path], None]:
    def damage(journal: Path) -> None:
        data = journal.read_bytes()
        journal.write_bytes(data[: size(len(data))])

    return damage


def _filled(page: Callable[[int], int], byte: bytes) -> Callable[[Path], None]:
    """One page is overwritten; `page` chooses it by how many there are."""

    def damage(journal: Path) -> None:
        data = bytearray(journal.read_bytes())
        start = page(len(data) // _PAGE) * _PAGE
        data[start : start + _PAGE] = byte * _PAGE
        journal.write_bytes(data)

    return damage


def _index_without_what_is_open(journal: Path) -> None:
    """As if pages of it had come back old: by the index, all that is left is uploaded."""
    whole = _redefined(journal, " WHERE state='uploaded'")
    with _database(journal) as db:
        db.execute("REINDEX items_by_state")
    _redefined(journal, "", whole)
    with _database(journal) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def _redefined(journal: Path, more: str, sql: str = "") -> str:
    """Changes what the schema says of an index, and not the index; returns what it said."""
    with _database(journal) as db:
        chosen = "type='index' AND name='items_by_state'"
        ((before,),) = db.execute(f"SELECT sql FROM sqlite_master WHERE {chosen}")
        db.execute("PRAGMA writable_schema=ON")
        db.execute(f"UPDATE sqlite_master SET sql=? WHERE {chosen}", ((sql or before) + more,))
    return str(before)


@contextmanager
def _database(journal: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        yield db
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _without_a_table(journal: Path) -> None:
    with _database(journal) as db:
        db.execute("DROP TABLE items")


def _with_a_state_that_is_none(journal: Path) -> None:
    with _database(journal) as db:
        db.execute("UPDATE items SET state='uplo\u00ffded' WHERE item_id=7")


def _written(data: bytes) -> Callable[[Path], None]:
    def damage(journal: Path) -> None:
        journal.write_bytes(data)

    return damage


_SET_ASIDE: dict[str, Callable[[Path], None]] = {
    "empty": _cut_to(lambda _: 0),
    "one byte": _cut_to(lambda _: 1),
    "half a header": _cut_to(lambda _: 50),
    "a header": _cut_to(lambda _: 100),
    "half a page": _cut_to(lambda _: _PAGE // 2),
    "a page less a byte": _cut_to(lambda _: _PAGE - 1),
    "one page": _cut_to(lambda _: _PAGE),
    "two pages and a half": _cut_to(lambda _: _PAGE * 5 // 2),
    "a quarter": _cut_to(lambda size: size // 4),
    "half": _cut_to(lambda size: size // 2),
    "three quarters": _cut_to(lambda size: size * 3 // 4),
    "all but a page": _cut_to(lambda size: size - _PAGE),
    "garbage in the first page": _filled(lambda _: 0, b"\xa5"),
    "garbage in the second page": _filled(lambda _: 1, b"\xa5"),
    "garbage in the middle": _filled(lambda pages: pages // 2, b"\xa5"),
    "garbage in the last page": _filled(lambda pages: pages - 1, b"\xa5"),
    "NULs in the first page": _filled(lambda _: 0, b"\0"),
    "NULs in the middle": _filled(lambda pages: pages // 2, b"\0"),
    "NULs in the last page": _filled(lambda pages: pages - 1, b"\0"),
    "NULs alone": _written(bytes(10 * _PAGE)),
    "a text": _written(b"no database\n" * 900),
    "an index without what is open": _index_without_what_is_open,
    "a table is gone": _without_a_table,
    "a state that is none": _with_a_state_that_is_none,
}


def _home_of(half_done: HalfDone, folder: Path, *, with_log: bool = False) -> Home:
    """A copy of the killed engine's; mostly what its journal's log held is in the journal."""
    shutil.copytree(half_done.home, folder / "home", ignore=shutil.ignore_patterns("*.sock"))
    home = Home(folder / "home")
    if not with_log:
        with _database(home.places.journal):
            pass
    return home


@pytest.mark.parametrize("damage", _SET_ASIDE)
def test_a_damaged_journal_is_set_aside_and_its_user_told(
    engines: Zygote, half_done: HalfDone, tmp_path: Path, damage: str
) -> None:
    home = _home_of(half_done, tmp_path)
    journal = home.places.journal
    _SET_ASIDE[damage](journal)
    damaged = journal.read_bytes()
    engine = ForkedEngine(engines, home)
    with engine.screen() as client:
        aside = journal.with_name("journal.db.damaged-1")
        assert client.notice == sentences.QUEUE_SET_ASIDE(file=aside)
        assert _jobs(client) == []
        assert aside.read_bytes() == damaged
    engine.kill()


def test_with_a_new_queue_everything_can_be_uploaded_again(
    engines: Zygote, servers: ForkedServers, proxy: FaultProxy, half_done: HalfDone, tmp_path: Path
) -> None:
    home = _home_of(half_done, tmp_path)
    _SET_ASIDE["half"](home.places.journal)
    shutil.copytree(half_done.lake, tmp_path / "lake")
    with serving(servers, tmp_path / "lake", proxy) as server:
        engine = ForkedEngine(engines, home)
        with engine.screen() as client:
            assert client.notice
            job = _seen_through(client, _started(client, half_done.dataset))
        engine.kill()
        assert (job.state, job.files_verified) == (JobState.FINISHED, _FILES)
        assert lake_oracle.published(server.lake) == half_done.expected
        again = ForkedEngine(engines, home)
        with again.screen() as client:
            assert client.notice == "", "what was told once is told again"
        again.kill()


# -- what happened last is lost ----------------------------------------------------------------


def _log_cut_to(share: float) -> Callable[[Path], None]:
    def damage(journal: Path) -> None:
        log = _log_of(journal)
        data = log.read_bytes()
        log.write_bytes(data[: int(len(data) * share)])

    return damage


def _log_with_garbage(journal: Path) -> None:
    log = _log_of(journal)
    data = bytearray(log.read_bytes())
    start = len(data) // 2
    data[start : start + _PAGE] = b"\xa5" * _PAGE
    log.write_bytes(data)


def _index_of_log_with_garbage(journal: Path) -> None:
    index = journal.with_name(journal.name + "-shm")
    index.write_bytes(b"\xa5" * index.stat().st_size)


def _without(*suffixes: str) -> Callable[[Path], None]:
    def damage(journal: Path) -> None:
        for suffix in suffixes:
            journal.with_name(journal.name + suffix).unlink()

    return damage


def _log_of(journal: Path) -> Path:
    return journal.with_name(journal.name + "-wal")


@pytest.mark.parametrize(
    "damage",
    [
        _log_cut_to(0),
        _log_cut_to(0.001),
        _log_cut_to(0.3),
        _log_cut_to(0.6),
        _log_cut_to(0.999),
        _log_with_garbage,
        _index_of_log_with_garbage,
        _without("-shm"),
        _without("-wal"),
    ],
    ids=[
        "empty log",
        "log's header",
        "a third of the log",
        "more than half of the log",
        "all but the end of the log",
        "garbage in the log",
        "garbage in the log's index",
        "no index of the log",
        "no log",
    ],
)
def test_a_journal_that_lost_its_last_moments_is_gone_on_with(
    engines: Zygote,
    servers: ForkedServers,
    proxy: FaultProxy,
    half_done: HalfDone,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    """What was lost comes again; where all was lost there is no job, and none that is done."""
    home = _home_of(half_done, tmp_path, with_log=True)
    damage(home.places.journal)
    shutil.copytree(half_done.lake, tmp_path / "lake")
    with serving(servers, tmp_path / "lake", proxy) as server:
        engine = ForkedEngine(engines, home)
        with engine.screen() as client:
            assert client.notice == ""
            for job in _jobs(client):
                if job.state is JobState.CANCELLED:  # from before all its files were found
                    assert job.message
                    continue
                if job.state is JobState.DRAFT:  # from before it was started
                    client.request("start_job", job_id=job.job_id, consents={})
                done = _seen_through(client, job.job_id)
                assert (done.state, done.files_verified) == (JobState.FINISHED, _FILES)
                assert lake_oracle.published(server.lake) == half_done.expected
        engine.kill()


# -- deleted, and not to be written ------------------------------------------------------------


def test_a_journal_whose_log_alone_is_left_is_told(
    engines: Zygote, half_done: HalfDone, tmp_path: Path
) -> None:
    home = _home_of(half_done, tmp_path, with_log=True)
    log = _log_of(home.places.journal).read_bytes()
    home.places.journal.unlink()
    engine = ForkedEngine(engines, home)
    with engine.screen() as client:
        aside = home.places.journal.with_name("journal.db.damaged-1")
        assert client.notice == sentences.QUEUE_SET_ASIDE(file=aside)
        assert _jobs(client) == []
        assert aside.with_name(aside.name + "-wal").read_bytes() == log
    engine.kill()


def test_a_deleted_journal_is_an_empty_queue(
    engines: Zygote, half_done: HalfDone, tmp_path: Path
) -> None:
    home = _home_of(half_done, tmp_path, with_log=True)
    _without("", "-wal", "-shm")(home.places.journal)
    engine = ForkedEngine(engines, home)
    with engine.screen() as client:
        assert _jobs(client) == []
    engine.kill()


def test_a_journal_that_cannot_be_written_is_told_and_left_as_it_is(
    engines: Zygote, servers: ForkedServers, proxy: FaultProxy, half_done: HalfDone, tmp_path: Path
) -> None:
    needs_root()
    needs_tool("mount")
    home = _home_of(half_done, tmp_path)
    journal = home.places.journal
    before = journal.read_bytes()
    subprocess.run(["mount", "--bind", str(journal), str(journal)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(journal)], check=True)
        with pytest.raises(EngineDidNotStart, match=r"upload queue .*read.?only"):
            ForkedEngine(engines, home)
    finally:
        subprocess.run(["umount", str(journal)], check=True)
    assert journal.read_bytes() == before
    shutil.copytree(half_done.lake, tmp_path / "lake")
    with serving(servers, tmp_path / "lake", proxy) as server:
        engine = ForkedEngine(engines, home)
        with engine.screen() as client:
            [job] = _jobs(client)
            done = _seen_through(client, job.job_id)
        engine.kill()
        assert (done.state, done.files_verified) == (JobState.FINISHED, _FILES)
        assert lake_oracle.published(server.lake) == half_done.expected

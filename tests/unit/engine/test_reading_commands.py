"""What a screen may ask about a server's rows: how many, a page of them, those of one sync."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import WrongUse
from app.engine.keys import Keys
from app.engine.reading_commands import ReadingCommands
from app.infra.server_process import LocalLakeServer
from embedded_server.contract import SyncJob, SyncStatus, SyncType, UploadRecord
from tests.support.fake_lake import FakeLake
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets

PROD = Connection("prod", "https://lake.example.com")
NOON_MS = 1_700_000_000_000
JOBS = [
    SyncJob(0, number, "n", "/data/x", SyncType.FULL, SyncStatus.FINISHED, NOON_MS, NOON_MS, 0, 0)
    for number in range(1, 4)
]
ROWS = [
    UploadRecord(0, n, 1 + n % 3, f"{n}.csv", NOON_MS, NOON_MS, SyncStatus.FINISHED, "")
    for n in range(1, 1501)
]


class StingyLake(FakeLake):
    """Never answers more than `most_rows`, whatever it is asked for."""

    most_rows = 1000

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        return super().history(offset, min(limit, self.most_rows))


class Desk:
    """A server of three syncs and 1,500 uploads behind the connection `prod`."""

    def __init__(self, home: Path) -> None:
        self.keys_used: list[str | None] = []
        self.secrets, store = MemorySecrets(), MemoryConnectionStore()
        store.save(PROD)
        self.keys = Keys(self.secrets, store)
        lake = self.lake = StingyLake(plain=True)
        lake.seed(jobs=JOBS, history=ROWS)

        def open_gateway(connection: Connection, key: str | None) -> FakeLake:
            assert connection == PROD
            self.keys_used.append(key)
            return lake

        self._table = ReadingCommands(
            open_gateway, store, self.keys, LocalLakeServer(home / "lake")
        ).table()

    def ask(self, command: str, **args: Any) -> Any:
        return self._table[command]({"connection": {"name": "prod"}, "key": None, **args})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(("of", "count"), [("sync_jobs", 3), ("history", 1500)])
@pytest.mark.parametrize("known", [0, 3, 9999, -1])
def test_the_rows_are_counted(desk: Desk, of: str, count: int, known: int) -> None:
    assert desk.ask("count_rows", of=of, known=known) == {"count": count}


def test_a_page_comes_in_the_server_s_order_and_is_a_thousand_rows_at_most(desk: Desk) -> None:
    page = desk.ask("page_rows", of="sync_jobs", offset=1, limit=10)
    assert page == {"rows": [job.to_wire() for job in JOBS[1:]]}
    page = desk.ask("page_rows", of="history", offset=2, limit=5000)
    assert page == {"rows": [row.to_wire() for row in ROWS[2:1002]]}
    assert desk.ask("page_rows", of="history", offset=1500, limit=10) == {"rows": []}


def test_rows_of_something_else_are_refused(desk: Desk) -> None:
    with pytest.raises(WrongUse):
        desk.ask("page_rows", of="files", offset=0, limit=1)


def test_the_uploads_of_a_sync_come_in_steps(desk: Desk) -> None:
    first = desk.ask("history_of_sync", sync_id=1, before=None, limit=400)
    assert [row["history_id"] for row in first["uploads"]] == list(range(1500, 300, -3))
    second = desk.ask("history_of_sync", sync_id=1, before=first["before"], limit=400)
    assert [row["history_id"] for row in second["uploads"]] == list(range(300, 0, -3))
    assert second["before"] is None


def test_a_page_is_whole_also_of_a_server_with_smaller_pages(desk: Desk) -> None:
    desk.lake.most_rows = 7
    page = desk.ask("page_rows", of="history", offset=3, limit=128)
    assert [row["history_id"] for row in page["rows"]] == list(range(4, 132))
    assert len(desk.ask("page_rows", of="history", offset=1490, limit=128)["rows"]) == 10


def test_a_sync_that_runs_is_looked_at_again_from_where_it_was_seen(desk: Desk) -> None:
    first = desk.ask("history_of_sync", sync_id=1, before=None, limit=10)
    assert (first["count"], first["running"]) == (1500, False)
    desk.lake.seed(history=[replace(ROWS[-1], history_id=1501, sync_id=1)])
    added = desk.ask("history_of_sync", sync_id=1, before=None, limit=10, known=1500, after=1500)
    assert [row["history_id"] for row in added["uploads"]] == [1501]
    assert (added["before"], added["count"]) == (None, 1501)


def test_reading_never_asks_the_keyring_which_may_wait_for_its_user(desk: Desk) -> None:
    def locked(*_: str) -> None:
        raise AssertionError("the keyring was asked")

    desk.secrets.fault = locked
    desk.ask("page_rows", of="history", offset=0, limit=1)
    desk.ask("sync_jobs", newest=1)
    desk.keys.keep_for_session(PROD, "of this session")
    desk.ask("page_rows", of="history", offset=0, limit=1)
    desk.ask("page_rows", of="history", offset=0, limit=1, key="given")
    assert desk.keys_used == [None, None, "of this session", "given"]

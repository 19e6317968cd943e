"""Whose key is used for what: the one that came with a command, else the keyring's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable
from app.domain.upload_job import JobState, UploadJob
from app.engine.commands import EngineCommands
from app.engine.keys import Keys
from app.infra.gateways import HttpGateways
from app.infra.server_process import LocalLakeServer
from embedded_server.contract import SyncType
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets
from tests.support.plain_server import running_plain_server
from tests.unit.engine.house import DESTINATION, House, write_files

PROD = Connection("prod", "https://lake.example.com")


def job_of(connection: Connection, job_id: int) -> UploadJob:
    return UploadJob(job_id, connection, DESTINATION, SyncType.INCREMENTAL, "nightly")


def commands(house: House, secrets: MemorySecrets, store: MemoryConnectionStore) -> Any:
    lake = LocalLakeServer(house.home / "lake")
    keys = Keys(secrets, store)
    table = EngineCommands(house.engine, house.journal, store, secrets, keys, lake).table()
    return lambda command, **args: table[command](args)


def test_a_given_key_serves_its_own_job_and_no_other_use() -> None:
    secrets, store = MemorySecrets(), MemoryConnectionStore()
    secrets.set("prod", "stored")
    store.save(PROD)
    keys = Keys(secrets, store)
    keys.give(1, "given")
    assert keys.of_job(job_of(PROD, 1)) == "given"
    assert keys.of_job(job_of(PROD, 2)) == "stored"
    assert keys.of(PROD, None) == "stored"
    assert keys.of(PROD, "with this command") == "with this command"
    assert keys.of(Connection("", "https://elsewhere.example.com"), None) is None


def test_the_keyring_is_asked_once_a_run(tmp_path: Path) -> None:
    asked: list[int] = []

    def key_of(job: UploadJob) -> str:
        asked.append(job.job_id)
        return "key"

    files = write_files(tmp_path / "in", **{f"f{number}": b"x" * 10 for number in range(40)})
    with House(tmp_path, key_of=key_of) as house:
        job_id = house.start(files)
        assert house.wait(job_id, JobState.FINISHED).files_verified == 40
    assert asked == [job_id]


def test_a_connection_replaced_without_a_key_keeps_none(tmp_path: Path) -> None:
    secrets, store = MemorySecrets(), MemoryConnectionStore()
    with House(tmp_path) as house:
        ask = commands(house, secrets, store)
        fields = {"name": "prod", "base_url": PROD.base_url, "allow_plain_http": False}
        ask("save_connection", **fields, key="old", replace=False)
        assert secrets.get("prod") == "old"
        ask("save_connection", **fields, key=None, replace=True)
        assert secrets.get("prod") is None


def test_a_plain_server_is_read_without_a_key_but_not_written(tmp_path: Path) -> None:
    with running_plain_server(tmp_path / "plain", "its-key") as server:
        store = MemoryConnectionStore()
        store.save(Connection("plain", server.address))
        gateways = HttpGateways(LocalLakeServer(tmp_path / "lake"))
        try:
            with House(tmp_path, gateways=gateways) as house:
                ask = commands(house, MemorySecrets(available=False), store)
                here = {"connection": {"name": "plain"}, "key": None}
                assert ask("sync_jobs", **here, newest=10) == {"jobs": []}
                assert ask("history", **here, newest=10, sync_id=None) == {"uploads": []}
                with pytest.raises(ConnectionNotUsable):
                    ask("check_connection", **here)
            unkeyed = gateways.open(Connection("plain", server.address), None)
            with pytest.raises(ConnectionNotUsable, match="no API key"):
                unkeyed.start_sync("n", "/data/x", SyncType.FULL)
        finally:
            gateways.close()


def test_a_remote_job_without_a_key_is_refused_before_any_question(tmp_path: Path) -> None:
    files = write_files(tmp_path / "in", a=b"1")
    with House(tmp_path, key_of=lambda _: None) as house:
        job_id = house.add(files, connection=replace(PROD))
        with pytest.raises(ConnectionNotUsable, match="prod"):
            house.engine.impact(job_id)

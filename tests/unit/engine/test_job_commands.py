"""The commands about jobs, by their messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.engine.commands import EngineCommands
from app.engine.keys import Keys
from app.infra.server_process import LocalLakeServer
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets
from tests.unit.engine.house import House, write_files

THREE = {"a": b"1", "b": b"22", "deep__c": b"333"}
PROD = Connection("prod", "https://lake.example.com")


class Asked:
    """The engine's commands, asked and answered in JSON as over the socket."""

    def __init__(self, house: House) -> None:
        self.house = house
        store = MemoryConnectionStore()
        store.save(PROD)
        secrets = MemorySecrets()
        self.keys = Keys(secrets, store)
        lake = LocalLakeServer(house.home / "lake")
        self._table = EngineCommands(
            house.engine, house.journal, store, secrets, self.keys, lake
        ).table()

    def __call__(self, command: str, **args: Any) -> Any:
        return json.loads(json.dumps(self._table[command](json.loads(json.dumps(args)))))

    def draft(self, *paths: Path, **changes: Any) -> int:
        fields = {
            "connection": {"name": "local"},
            "key": None,
            "destination": "/data/x",
            "mode": "IncrementalSync",
            "name": "",
            "sources": [[str(path), False] for path in paths],
            "kept": True,
        }
        job_id = int(self("add_job", **(fields | changes))["job_id"])
        self("wait_intake", job_id=job_id)
        return job_id

    def key_of(self, job_id: int) -> str | None:
        job = self.house.journal.job(job_id)
        assert job is not None
        return self.keys.of_job(job)


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asked]:
    with House(tmp_path) as house:
        yield Asked(house)


def test_a_draft_is_made_filled_edited_emptied_and_removed(ask: Asked, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", **THREE)
    job_id = ask.draft()
    assert ask("add_sources", job_id=job_id, sources=[[str(folder), False]]) == {}
    assert ask("wait_intake", job_id=job_id)["files"] == 3
    edited = ask("edit_job", job_id=job_id, destination="/y", contents_only=True, mode="FullSync")
    now = JobSnapshot.from_wire(edited)
    assert (now.destination, now.contents_only, now.mode.value) == ("/y", True, "FullSync")
    [first] = ask("items_at", job_id=job_id, ranges=[[1, 1]])["items"]
    assert (first["folder"], first["name"], first["lake_path"]) == ("/y", "a.csv", "/y/a.csv")
    assert ask("item_ranges", job_id=job_id, after=0, states=None) == {"ranges": [[1, 3]]}
    assert ask("remove_items", job_id=job_id, ranges=[[2, 2], [7, 9]]) == {"removed": 1}
    assert ask("item_ranges", job_id=job_id, after=0, states=["queued"]) == {
        "ranges": [[1, 1], [3, 3]]
    }
    assert ask("item_ranges", job_id=job_id, after=1, states=["failed"]) == {"ranges": []}
    assert ask("remove_job", job_id=job_id) == {}
    with pytest.raises(WrongUse, match="no job"):
        ask("edit_job", job_id=job_id, name="n")


def test_a_failed_item_tells_its_kind(ask: Asked, tmp_path: Path) -> None:
    job_id = ask.draft(tmp_path / "nowhere.csv")
    [item] = ask("items_at", job_id=job_id, ranges=[[1, 1]])["items"]
    assert (item["state"], item["problem"]) == ("failed", "SourceUnreadable")


def test_no_more_than_a_thousand_items_are_told_at_once(ask: Asked, tmp_path: Path) -> None:
    files = {f"f{number}": b"" for number in range(1_005)}
    job_id = ask.draft(write_files(tmp_path / "in", **files))
    assert len(ask("items_at", job_id=job_id, ranges=[[1, 2_000]])["items"]) == 1_000
    assert len(ask("items", job_id=job_id, states=None, after=0, limit=9_999)["items"]) == 1_005


def test_a_key_never_follows_a_job_to_another_connection(ask: Asked) -> None:
    job_id = ask.draft(connection={"base_url": "https://one.example.com"}, key="its-key")
    assert ask.key_of(job_id) == "its-key"
    ask("edit_job", job_id=job_id, name="other")  # which is not about the connection
    assert ask.key_of(job_id) == "its-key"
    ask("edit_job", job_id=job_id, connection={"base_url": "https://two.example.com"}, key=None)
    assert ask.key_of(job_id) is None
    ask("edit_job", job_id=job_id, connection={"name": "prod"}, key="prods-key")
    assert ask.key_of(job_id) == "prods-key"


def test_a_connection_that_is_not_there_is_refused_as_at_the_start(ask: Asked) -> None:
    job_id = ask.draft()
    with pytest.raises(ConnectionNotUsable, match="no connection"):
        ask("edit_job", job_id=job_id, connection={"name": "nowhere"}, key=None)
    with pytest.raises(ConnectionNotUsable, match="not encrypted"):
        ask("edit_job", job_id=job_id, connection={"base_url": "http://far.example.com"})


def test_a_job_is_paused_resumed_and_finished_by_its_number(ask: Asked, tmp_path: Path) -> None:
    job_id = ask.draft(write_files(tmp_path / "in", **THREE))
    for command in ("pause_job", "resume_job", "finish_job"):
        with pytest.raises(WrongUse, match=f"Job {job_id} is draft"):
            ask(command, job_id=job_id)
    ask("start_job", job_id=job_id)
    ask.house.wait(job_id, JobState.FINISHED)

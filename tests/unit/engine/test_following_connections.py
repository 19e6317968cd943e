"""An edited connection and the jobs made for it: they go where it goes, their syncs stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import LakeUnreachable
from app.domain.upload_job import Consents, JobState, UploadJob
from app.engine.commands import EngineCommands
from app.engine.keys import Keys
from app.infra.server_process import LocalLakeServer
from tests.support.fake_lake import FakeLake
from tests.support.memory_secrets import MemoryConnectionStore, MemorySecrets
from tests.unit.engine.house import ONE_BY_ONE, House, write_files

HERE, PATH, THERE = "https://lake.example.com", "https://lake.example.com/v2", "https://two.example"
KEY = "canary-key-63"


class Desk:
    """A remote `prod` and jobs for it, edited by the command that the window sends."""

    def __init__(self, home: Path) -> None:
        self.lake = FakeLake()
        self.store, self.secrets = MemoryConnectionStore(), MemorySecrets()
        self.keys = Keys(self.secrets, self.store)
        self.house = House(home, self.lake, settings=ONE_BY_ONE, key_of=self.keys.of_job)
        self._files = write_files(home / "in", a=b"1", b=b"22")
        self._table = EngineCommands(
            self.house.engine,
            self.house.journal,
            self.store,
            self.secrets,
            self.keys,
            LocalLakeServer(home / "lake"),
        ).table()
        self.save("prod", HERE, key=KEY, replace=True)

    def save(self, name: str, base_url: str, **fields: Any) -> int:
        args = {"allow_plain_http": False, "key": None, "replace": False}
        wire = {"name": name, "base_url": base_url, **args, **fields}
        return int(self._table["save_connection"](json.loads(json.dumps(wire)))["jobs_that_stay"])

    def draft(self) -> int:
        connection = self.store.find("prod")
        assert connection is not None
        return self.house.add(self._files, connection=connection)

    def start(self, job_id: int) -> int:
        self.house.engine.start_job(job_id, Consents())
        return job_id

    def job(self, job_id: int) -> UploadJob:
        """As it was written down."""
        self.house.journal.flush()
        job = self.house.journal.job(job_id)
        assert job is not None
        return job

    def place(self, job_id: int) -> tuple[str, str]:
        shown = self.house.engine.snapshot(job_id).connection
        job = self.job(job_id)
        assert shown == job.connection.label
        return job.connection.name, job.connection.base_url


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.house.close()


def test_a_draft_goes_where_its_connection_goes(desk: Desk) -> None:
    job_id = desk.draft()
    assert desk.save("production", HERE, was="prod", keep_key=True) == 0
    assert desk.place(job_id) == ("production", HERE)
    assert desk.save("production", THERE, was="production", key="new") == 0
    assert desk.place(job_id) == ("production", THERE)
    desk.start(job_id)
    assert desk.house.wait(job_id, JobState.FINISHED).connection == "production"


def test_a_key_given_to_a_draft_does_not_follow_it_to_another_server(desk: Desk) -> None:
    one, other = desk.draft(), desk.draft()
    desk.keys.give(one, "given")
    desk.save("production", PATH, was="prod", keep_key=True)
    assert desk.keys.of_job(desk.job(one)) == "given"
    assert desk.keys.of_job(desk.job(other)) == KEY
    desk.save("production", THERE, was="production", key="new")
    assert desk.keys.of_job(desk.job(one)) == desk.keys.of_job(desk.job(other)) == "new"


def test_a_sync_that_has_begun_stays_on_its_server_under_the_new_name(desk: Desk) -> None:
    desk.lake.fail("upload", LakeUnreachable("nobody there"), times=10_000)
    job_id = desk.start(desk.draft())
    desk.house.wait(job_id, JobState.NEEDS_ATTENTION)
    desk.house.wait_idle()
    desk.lake.fail("upload", LakeUnreachable("nobody there"), times=0)

    assert desk.save("production", PATH, was="prod", keep_key=True) == 0
    assert desk.place(job_id) == ("production", HERE)
    assert desk.save("production", THERE, was="production", key="new") == 1
    assert desk.place(job_id) == ("production", HERE)


def test_a_sync_that_has_begun_keeps_its_name_where_that_goes_to_another_server(
    desk: Desk,
) -> None:
    job_id = desk.start(desk.draft())
    desk.house.wait(job_id, JobState.FINISHED)
    desk.house.wait_idle()
    assert desk.save("production", THERE, was="prod", key="new") == 0
    assert desk.place(job_id) == ("prod", HERE)


def test_a_job_that_runs_follows_once_it_rests(desk: Desk) -> None:
    held = desk.lake.hold("upload")
    job_id = desk.start(desk.draft())
    held.wait_until_reached()
    assert desk.save("production", HERE, was="prod", keep_key=True) == 0
    assert desk.house.engine.snapshot(job_id).connection == "prod"
    desk.house.engine.pause_job(job_id)
    held.release()
    desk.house.wait(job_id, JobState.PAUSED)
    desk.house.wait_idle()

    assert desk.place(job_id) == ("production", HERE)
    desk.house.engine.resume_job(job_id)
    desk.house.wait(job_id, JobState.FINISHED)
    assert len(desk.lake.calls_of("start_sync")) == 1


def test_finished_jobs_are_called_by_the_new_name(desk: Desk) -> None:
    job_id = desk.start(desk.draft())
    desk.house.wait(job_id, JobState.FINISHED)
    desk.house.wait_idle()
    assert desk.save("production", HERE, was="prod", keep_key=True) == 0
    assert desk.place(job_id) == ("production", HERE)
    assert desk.save("production", THERE, was="production", key="new") == 0
    assert desk.place(job_id) == ("production", HERE)


def test_jobs_of_other_connections_stay_as_they_are(desk: Desk) -> None:
    desk.save("other", THERE, key="other's")
    other = desk.store.find("other")
    assert other is not None
    local = desk.house.add(desk._files)
    job_id = desk.house.add(desk._files, connection=other)
    desk.save("production", HERE, was="prod", keep_key=True)
    assert desk.place(job_id) == ("other", THERE)
    assert desk.place(local) == ("local", "")

"""The engine as a process of its own: found, shared, killed, and gone on with."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.link.engine_client import EngineClient
from app.link.engine_starter import EngineLaunch, attach, engine_command
from app.link.protocol import RuntimeFile
from tests.support.home import Home, own_home, tree

WITHIN_S = 60.0
LOCAL = {"name": "local"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("LAKEDROP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEDROP_ENGINE_LINGER_S", "30")
    with own_home(tmp_path / "home") as made:
        made.places.make()
        yield made


def screen(home: Home) -> EngineClient:
    places = home.places
    launch = EngineLaunch(engine_command(), places.state, places.engine_log)
    return attach(places.runtime_file, launch)


def engine_of(home: Home) -> psutil.Process:
    runtime = RuntimeFile.read(home.places.runtime_file)
    assert runtime is not None
    return psutil.Process(runtime.pid)


def draft(client: EngineClient, folder: Path, mode: str) -> int:
    asked: dict[str, Any] = {
        "connection": LOCAL,
        "key": None,
        "destination": "/data/x",
        "mode": mode,
        "name": "",
        "sources": [[str(folder), True]],
    }
    job_id = int(client.request("add_job", **asked)["job_id"])
    client.request("wait_intake", job_id=job_id)
    return job_id


def finished(client: EngineClient, job_id: int) -> JobSnapshot:
    watch = client.watch(job_id)
    while watch.now.state not in ENDED | {JobState.NEEDS_ATTENTION}:
        assert watch.wait(WITHIN_S), f"nothing moves: {watch.now}"
    return watch.now


def files_in(folder: Path, count: int, size_bytes: int) -> Path:
    for number in range(count):
        path = folder / f"d{number % 3}" / f"{number:04}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(number.to_bytes(4, "big") * (size_bytes // 4))
    return folder


def test_an_engine_killed_amid_the_uploads_is_followed_by_one_that_goes_on(
    home: Home, tmp_path: Path
) -> None:
    folder = files_in(tmp_path / "in", 80, 400_000)  # too large for batches: one by one
    with screen(home) as client:
        job_id = draft(client, folder, "IncrementalSync")
        watch = client.watch(job_id)
        client.request("start_job", job_id=job_id, consents={})
        while not watch.now.files_arrived:
            assert watch.wait(WITHIN_S), f"nothing moves: {watch.now}"
        killed = engine_of(home)
        killed.kill()
    with screen(home) as client:
        assert engine_of(home).pid != killed.pid
        done = finished(client, job_id)
        assert (done.state, done.files_verified) == (JobState.FINISHED, 80)
        (sync,) = client.request("sync_jobs", connection=LOCAL, key=None, newest=10)["jobs"]
        assert (sync["sync_id"], sync["sync_status"]) == (done.sync_id, "Finished")
    assert tree(home.files / "data" / "x") == tree(folder)
    assert tree(home.trash) == {}


def test_a_job_goes_on_when_its_screen_leaves_and_the_engine_ends_after_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEDROP_ENGINE_LINGER_S", "0.1")
    folder = files_in(tmp_path / "in", 50, 40_000)
    with screen(home) as client:
        job_id = draft(client, folder, "FullSync")
        client.request("start_job", job_id=job_id, consents={})
        engine = engine_of(home)
        if sys.platform == "linux":
            assert engine.cwd() == str(home.places.state)  # it holds no folder of its screens
    psutil.wait_procs([engine], timeout=WITHIN_S)
    assert not engine.is_running()
    assert RuntimeFile.read(home.places.runtime_file) is None
    assert tree(home.files / "data" / "x") == tree(folder)


def test_many_screens_that_come_at_once_share_one_engine(home: Home) -> None:
    pids: list[int] = []

    def come() -> None:
        with screen(home) as client:
            pids.append(int(client.request("hello")["pid"]))

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_an_engine_that_is_asked_to_stop_ends_whole_and_the_next_one_follows(
    home: Home, tmp_path: Path
) -> None:
    folder = files_in(tmp_path / "in", 60, 400_000)
    with screen(home) as client:
        job_id = draft(client, folder, "FullSync")
        watch = client.watch(job_id)
        client.request("start_job", job_id=job_id, consents={})
        while not watch.now.files_arrived:
            assert watch.wait(WITHIN_S), f"nothing moves: {watch.now}"
        first = engine_of(home)
        server = home.server()
        client.request("stop")
        with screen(home) as other:  # comes while the first is still ending
            psutil.wait_procs([first, server], timeout=WITHIN_S)
            assert not first.is_running()
            assert not server.is_running()
            assert finished(other, job_id).files_verified == 60
    assert tree(home.files / "data" / "x") == tree(folder)


def engine_says(home: Home) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "app", "engine"],
        env=home.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said


def test_an_engine_that_cannot_open_its_queue_says_so_and_ends(home: Home) -> None:
    with sqlite3.connect(home.places.journal) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    assert "newer LakeDrop" in engine_says(home)["error"]


def test_an_engine_that_cannot_listen_says_so_and_ends(home: Home) -> None:
    home.places.runtime.rmdir()
    home.places.runtime.symlink_to(home.folder / "nowhere")  # no folder, and none can be made
    assert "choose another place" in engine_says(home)["error"]

"""kill -9 in the middle of a job: the lake ends with exactly the intended files."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.link.engine_starter import connect_running
from tests.support.home import Home, own_home, tree

ROUNDS = 10 if os.environ.get("LAKEDROP_SOAK") else 1
SMALL, LARGE = 1_200, 24


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with own_home(tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files, which travel in batches, and larger ones, which travel alone."""
    chance = random.Random(20261122)
    top = tmp_path_factory.mktemp("dataset") / "dữ liệu"
    for number in range(SMALL):
        folder = top / f"day {number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"part-{number:04d}.csv").write_bytes(chance.randbytes(8_000))
    for number in range(LARGE):
        (top / f"large-{number:02d}.bin").write_bytes(chance.randbytes(1_500_000))
    return top


def kill_in_the_middle(
    upload: subprocess.Popen[str], home: Home, victim: Callable[[], psutil.Process], share: float
) -> None:
    """Kills once that share of the files has arrived, and before all have."""
    assert upload.stdout is not None
    found = json.loads(upload.stdout.readline())  # the engine lives and knows the job
    screen = connect_running(home.places.runtime_file)
    assert screen is not None
    with contextlib.closing(screen):
        arrived = 0
        while arrived < share * found["files"]:
            assert upload.poll() is None, "the job was over before it could be killed"
            arrived = screen.request("watch", job_id=1)["files_arrived"]
        killed = victim()
        killed.kill()
        assert arrived < found["files"], "the job was over before it could be killed"
        with contextlib.suppress(psutil.NoSuchProcess):
            killed.wait(30)


def last_event(upload: subprocess.Popen[str]) -> dict[str, object]:
    out, err = upload.communicate(timeout=120)
    assert upload.returncode == 0, out + err
    event = json.loads(out.splitlines()[-1])
    assert isinstance(event, dict)
    return event


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["incremental", "full"])
@pytest.mark.parametrize("victim", ["engine", "server"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    home: Home, dataset: Path, mode: str, victim: str, seed: int
) -> None:
    share = random.Random(seed).uniform(0.05, 0.5)
    upload = home.start("upload", str(dataset), "--to", "/data", "--mode", mode, "--yes", "--json")
    kill_in_the_middle(upload, home, getattr(home, victim), share)

    result = last_event(upload)

    assert result["state"] == "finished"
    assert result["files_verified"] == SMALL + LARGE
    assert tree(home.files / "data" / dataset.name) == tree(dataset)
    assert list(home.files.iterdir()) == [home.files / "data"]
    assert tree(home.trash) == {}, "a file that was sent again must not be doubled in the trash"
    (job,) = home.rows("jobs")
    assert job["sync_status"] == "Finished"

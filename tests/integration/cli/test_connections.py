"""`lakedrop connect` against a real server, the keys in a keyring that is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.file_keyring import BACKEND, FILE_VARIABLE
from tests.support.home import Home
from tests.support.plain_server import RunningPlainServer, running_plain_server

KEY = "canary-key-93aa"
ROOT = str(Path(__file__).resolve().parents[3])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningPlainServer]:
    with running_plain_server(tmp_path / "plain", KEY) as server:
        yield server


@pytest.fixture
def keyring(tmp_path: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": ROOT,
        "PYTHON_KEYRING_BACKEND": BACKEND,
        FILE_VARIABLE: str(tmp_path / "keyring.json"),
    }


def test_a_remote_is_added_tested_used_listed_and_removed(
    home: Home, server: RunningPlainServer, keyring: dict[str, str], sales: Path, tmp_path: Path
) -> None:
    added = home.run("connect", "add", "prod", server.address, **keyring, LAKEDROP_API_KEY=KEY)
    assert added.returncode == 0, added.stderr
    tested = home.run("connect", "test", "prod", **keyring)
    assert tested.returncode == 0, tested.stderr
    assert "plain server" in tested.stdout

    upload = ("upload", str(sales / "a.csv"), "--to", "/data/x", "--mode", "incremental")
    done = home.run(*upload, "--connection", "prod", **keyring)
    assert done.returncode == 0, done.stderr
    assert "acknowledged by the server" in done.stdout
    assert (server.root / "files" / "data" / "x" / "a.csv").read_bytes() == b"id\n1\n"
    jobs = home.rows("jobs", "--connection", "prod", **keyring)
    assert [job["sync_status"] for job in jobs] == ["Finished"]
    history = home.rows("history", "--connection", "prod", "--job", "1", **keyring)
    assert [row["file_name"] for row in history] == ["a.csv"]

    listed = home.rows("connect", "list", **keyring)
    assert [(row["name"], row["has_key"]) for row in listed] == [("prod", True)]
    assert home.run("connect", "remove", "prod", **keyring).returncode == 0
    assert home.rows("connect", "list", **keyring) == []
    assert KEY not in (tmp_path / "keyring.json").read_text("utf-8")
    for kept in home.folder.rglob("*"):
        if kept.is_file():
            assert KEY.encode() not in kept.read_bytes(), kept


def test_a_full_sync_that_shrinks_on_a_plain_server_is_measured_by_the_last_one(
    home: Home, server: RunningPlainServer, sales: Path
) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "full", "--yes")
    to_server = ("--server", server.address)
    assert home.run(*upload, *to_server, LAKEDROP_API_KEY=KEY).returncode == 0
    (sales / "tháng 10" / "đơn hàng.csv").unlink()

    refused = home.run(*upload, *to_server, LAKEDROP_API_KEY=KEY)
    assert refused.returncode == 2
    assert "your last full sync there had 3 files, 5.0 kB" in refused.stderr
    assert (server.root / "files" / "data" / "x" / "tháng 10" / "đơn hàng.csv").exists()

    agreed = home.run(*upload, *to_server, "--allow-shrink", LAKEDROP_API_KEY=KEY)
    assert agreed.returncode == 0, agreed.stderr
    assert not (server.root / "files" / "data" / "x" / "tháng 10" / "đơn hàng.csv").exists()


def test_a_wrong_key_is_told_by_the_test_with_exit_1(
    home: Home, server: RunningPlainServer, keyring: dict[str, str]
) -> None:
    add = ("connect", "add", "prod", server.address)
    assert home.run(*add, **keyring, LAKEDROP_API_KEY="wrong").returncode == 0

    tested = home.run("connect", "test", "prod", **keyring)
    assert tested.returncode == 1
    assert "API key is not accepted" in tested.stderr
    environment_first = home.run("connect", "test", "prod", **keyring, LAKEDROP_API_KEY=KEY)
    assert environment_first.returncode == 0


def test_without_a_keyring_adding_says_what_to_do_and_no_key_is_written(
    home: Home, server: RunningPlainServer
) -> None:
    nothing = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    add = ("connect", "add", "prod", server.address)

    refused = home.run(*add, **nothing, LAKEDROP_API_KEY=KEY)
    assert refused.returncode == 2
    assert "LAKEDROP_API_KEY" in refused.stderr
    assert home.rows("connect", "list", **nothing) == []
    assert home.run(*add, "--no-key", **nothing).returncode == 0
    tested = home.run("connect", "test", "prod", **nothing, LAKEDROP_API_KEY=KEY)
    assert tested.returncode == 0, tested.stderr
    for kept in home.folder.rglob("*"):
        if kept.is_file():
            assert KEY.encode() not in kept.read_bytes(), kept


def test_an_unknown_connection_is_wrong_use(home: Home, sales: Path) -> None:
    done = home.run(
        *("upload", str(sales), "--to", "/data/x", "--mode", "full", "--connection", "nowhere"),
        LAKEDROP_API_KEY=KEY,
    )

    assert done.returncode == 2
    assert "lakedrop connect list" in done.stderr


def test_a_server_that_is_not_there_is_told_with_exit_1(home: Home, sales: Path) -> None:
    done = home.run(
        *("jobs", "--server", "http://127.0.0.1:9"),
        LAKEDROP_API_KEY=KEY,
    )

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr

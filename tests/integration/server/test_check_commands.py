"""`lakedrop verify` and `lakedrop rescan`, manifests and renames: the disk against the catalog."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_ENTRIES_ROUTE,
    LAKE_RENAME_ROUTE,
    MANIFEST_ROUTE,
    TRASH_RESTORE_ROUTE,
)
from tests.integration.server.conftest import Client
from tests.support.real_server import RealServer

_REPOSITORY = Path(__file__).resolve().parents[3]


def _asked(
    command: str, lake: Path, *arguments: str, program: str = "embedded_server"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", program, command, "--lake", str(lake), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=_REPOSITORY,
        timeout=60,
        check=False,
    )


def _found(command: str, lake: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """(exit status, path → what is told of it)"""
    done = _asked(command, lake, "--json", *arguments)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Traceback" not in done.stderr
    return done.returncode, {row["path"]: row["what"] for row in rows}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    with RealServer(tmp_path / "lake") as running:
        yield running


def _sync(client: Client, sync_type: str, **files: bytes) -> int:
    sync_id = client.started(sync_type)
    for name, data in files.items():
        assert client.upload(sync_id, f"{name}.bin", data).status_code == 200
    assert client.end(sync_id).status_code == 200
    return sync_id


def _at_rest(client: Client) -> Path:
    assert client.server.stop() == 0
    return client.server.lake


def _place(client: Client, name: str) -> Path:
    return client.server.files / client.path[1:] / name


def test_a_lake_as_it_was_uploaded_is_verified(client: Client) -> None:
    """Also where later syncs, deletes, renames and restores have been at work."""
    _sync(client, "IncrementalSync", a=b"1", b=b"2", c=b"3")
    full = _sync(client, "FullSync", a=b"new", d=b"4", e=b"5")
    _sync(client, "IncrementalSync", late=b"6")
    post = client.http.post
    assert post(LAKE_DELETE_ROUTE, json={"path": f"{client.path}/d.bin"}).status_code == 200
    moved = {"path": f"{client.path}/e.bin", "to": f"{client.path}/f/g.bin"}
    assert post(LAKE_RENAME_ROUTE, json=moved).status_code == 200
    lake = client.server.lake
    client.server.stop()
    assert _found("verify", lake) == (0, {})
    with RealServer(lake) as again, Client(again, client.path) as client:
        back = client.http.post(TRASH_RESTORE_ROUTE, json={"sync_id": full, "version": 1})
        assert back.status_code == 200
        assert sorted(client.published()) == ["a.bin", "b.bin", "c.bin"]
    assert _found("verify", lake) == (0, {})


def test_what_is_missing_changed_or_extra_is_listed(client: Client) -> None:
    sync_id = _sync(client, "FullSync", a=b"1", b=b"2", c=b"3", same=b"4")
    lake = _at_rest(client)
    before = _place(client, "a.bin").stat()
    _place(client, "a.bin").write_bytes(b"!")
    os.utime(_place(client, "a.bin"), ns=(before.st_mtime_ns, before.st_mtime_ns))  # a rotten bit
    _place(client, "b.bin").unlink()
    _place(client, "c.bin").write_bytes(b"33")
    _place(client, "d.bin").write_bytes(b"5")
    expected = {
        f"{client.path}/a.bin": "changed",
        f"{client.path}/b.bin": "missing",
        f"{client.path}/c.bin": "changed",
        f"{client.path}/d.bin": "extra",
    }
    assert _found("verify", lake) == (1, expected)
    assert _found("verify", lake, "--sync", str(sync_id)) == (1, expected)
    done = _asked("verify", lake, program="app")
    assert f"missing  {client.path}/b.bin" in done.stdout
    assert done.stderr == "1 as they were uploaded, 1 missing, 2 changed, 1 extra\n"


def test_what_came_after_a_full_sync_is_not_excused_by_it(client: Client) -> None:
    _sync(client, "FullSync", a=b"1")
    assert client.http.post(LAKE_DELETE_ROUTE, json={"path": client.path}).status_code == 200
    _sync(client, "IncrementalSync", late=b"2")
    lake = _at_rest(client)
    _place(client, "late.bin").unlink()
    assert _found("verify", lake) == (1, {f"{client.path}/late.bin": "missing"})


def test_a_sync_can_be_verified_after_others(client: Client) -> None:
    first = _sync(client, "IncrementalSync", a=b"1", b=b"2")
    second = _sync(client, "IncrementalSync", b=b"new", c=b"3")
    lake = _at_rest(client)
    assert _found("verify", lake, "--sync", str(second)) == (0, {})
    changed = {f"{client.path}/b.bin": "changed"}
    assert _found("verify", lake, "--sync", str(first)) == (1, changed)
    done = _asked("verify", lake, "--sync", "99")
    assert (done.returncode, done.stdout) == (1, "")
    assert "sync info for id 99 not found" in done.stderr


def test_rescan_mends_the_catalog(client: Client) -> None:
    _sync(client, "IncrementalSync", a=b"1", b=b"2", same=b"3")
    lake = _at_rest(client)
    _place(client, "a.bin").write_bytes(b"changed")
    _place(client, "b.bin").unlink()
    _place(client, "new.bin").write_bytes(b"new")
    (lake / "files/at-the-top.txt").write_bytes(b"top")
    assert _found("rescan", lake) == (
        0,
        {
            f"{client.path}/a.bin": "changed",
            f"{client.path}/b.bin": "missing",
            f"{client.path}/new.bin": "adopted",
            "/at-the-top.txt": "adopted",
        },
    )
    assert _found("rescan", lake) == (0, {})
    assert _found("verify", lake) == (0, {})
    with RealServer(lake) as again, Client(again, client.path) as client:
        rows = client.http.get(LAKE_ENTRIES_ROUTE, params={"path": client.path}).json()["rows"]
        told = {row["name"]: (row["changed"], row["sha256"]) for row in rows}
        assert told["a.bin"] == (False, hashlib.sha256(b"changed").hexdigest())
    _place(client, "new.bin").write_bytes(b"old")
    assert _found("verify", lake) == (1, {f"{client.path}/new.bin": "changed"})


def test_a_folder_that_existed_before_is_adopted(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (lake / "files/data/deep").mkdir(parents=True)
    (lake / "files/data/deep/a.csv").write_bytes(b"1")
    (lake / "files/data/bad:name").write_bytes(b"2")
    (lake / "files/data").joinpath(os.fsdecode(b"\xff\xfe")).write_bytes(b"3")
    (lake / "files/data/link").symlink_to("/etc/passwd")
    status, told = _found("rescan", lake)
    assert status == 1  # something could not be taken
    assert told.pop("/data/deep/a.csv") == "adopted"
    assert set(told.values()) == {"left out"}
    assert len(told) == 2
    with RealServer(lake) as server, Client(server, "/data") as client:
        query = {"path": "/data/deep"}
        [row] = client.http.get(LAKE_ENTRIES_ROUTE, params=query).json()["rows"]
        assert (row["changed"], row["sync_id"]) == (False, None)
        rows = client.http.get(LAKE_ENTRIES_ROUTE, params={"path": "/data"}).json()["rows"]
        assert len(rows) == 4


@pytest.mark.parametrize("command", ["verify", "rescan"])
def test_a_lake_that_is_served_is_left_alone(client: Client, command: str) -> None:
    done = _asked(command, client.server.lake)
    assert (done.returncode, done.stdout) == (1, "")
    assert client.server.address in done.stderr
    assert "stop it" in done.stderr


@pytest.mark.parametrize("command", ["verify", "rescan"])
def test_a_folder_that_is_no_lake_stays_as_it_is(tmp_path: Path, command: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"1")
    done = _asked(command, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is no lake" in done.stderr
    assert [it.name for it in tmp_path.iterdir()] == ["a.csv"]


def _manifest(client: Client, sync_id: int, **query: Any) -> Any:
    return client.http.get(MANIFEST_ROUTE, params={"sync_id": sync_id, **query})


def test_a_manifest_tells_what_a_sync_brought(client: Client) -> None:
    sync_id = client.started()
    for name, data in (("a,\u00fc.csv", b"old"), ("b.csv", b"22"), ("a,\u00fc.csv", b"new")):
        assert client.upload(sync_id, name, data).status_code == 200
    told = _manifest(client, sync_id).json()
    assert (told["sync_id"], told["path"], told["sync_status"]) == (
        sync_id,
        client.path,
        "Syncing",
    )
    rows = [(row["path"], row["size"], row["sha256"]) for row in told["files"]]
    assert rows == [
        (f"{client.path}/b.csv", 2, hashlib.sha256(b"22").hexdigest()),
        (f"{client.path}/a,\u00fc.csv", 3, hashlib.sha256(b"new").hexdigest()),
    ]
    answer = _manifest(client, sync_id, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    listed = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [{**row, "size": int(row["size"]), "time": int(row["time"])} for row in listed] == told[
        "files"
    ]


def test_a_manifest_of_many_files_is_whole(client: Client) -> None:
    sync_id = client.started()
    boundary = "x"
    for start in range(0, 2_100, 100):
        parts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{n}"\r\n'
            f"\r\n{n}\r\n"
            for n in range(start, start + 100)
        )
        sent = client.http.post(
            f"/api/lake/file/batch?sync_id={sync_id}",
            content=f"{parts}--{boundary}--\r\n".encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        assert sent.status_code == 200, sent.text
    files = _manifest(client, sync_id).json()["files"]
    assert [row["path"] for row in files] == [f"{client.path}/{n}" for n in range(2_100)]


@pytest.mark.parametrize("query", [{"sync_id": "99"}, {}, {"sync_id": "1", "format": "xml"}])
def test_a_manifest_that_is_none(client: Client, query: dict[str, str]) -> None:
    assert client.http.get(MANIFEST_ROUTE, params=query).status_code == 400


def test_a_rename_takes_the_catalog_along_and_replaces_nothing(client: Client) -> None:
    sync_id = _sync(client, "IncrementalSync", a=b"1", b=b"2")
    new = f"{client.path}-moved"

    def rename(path: str, to: str) -> int:
        return client.http.post(LAKE_RENAME_ROUTE, json={"path": path, "to": to}).status_code

    assert rename(f"{client.path}/a.bin", f"{client.path}/b.bin") == 400
    assert rename(client.path, f"{client.path}/below") == 400
    assert rename(f"{client.path}/nothing", new) == 404
    assert client.published() == {"a.bin": b"1", "b.bin": b"2"}
    assert rename(client.path, new) == 200
    assert rename(f"{new}/a.bin", f"{new}/x/c.bin") == 200
    assert not _place(client, "").exists()
    rows = client.http.get(LAKE_ENTRIES_ROUTE, params={"path": f"{new}/x"}).json()["rows"]
    rows += client.http.get(LAKE_ENTRIES_ROUTE, params={"path": new}).json()["rows"]
    known = {row["name"]: (row["sync_id"], row["changed"]) for row in rows}
    assert known == {
        "c.bin": (sync_id, False),
        "b.bin": (sync_id, False),
        "x": (None, False),
    }
    lake = _at_rest(client)
    assert _found("verify", lake) == (0, {})
    shutil.rmtree(lake / "files" / new[1:] / "x")
    assert _found("verify", lake) == (1, {f"{new}/x/c.bin": "missing"})

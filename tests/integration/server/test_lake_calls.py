"""What is in the lake, over HTTP: shown, downloaded, zipped, arranged by hand."""

from __future__ import annotations

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server.contract import USAGE_ROUTE
from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_DOWNLOAD_ROUTE,
    LAKE_ENTRIES_ROUTE,
    LAKE_ENTRY_ROUTE,
    LAKE_FOLDER_ROUTE,
    LAKE_ZIP_ROUTE,
    MANIFEST_ROUTE,
    TRASH_RESTORE_ROUTE,
)
from tests.integration.server.conftest import Client

_DATA = bytes(range(256)) * 10_000  # 2.56 MB: more than one piece


def _uploaded(client: Client, **files: bytes) -> int:
    sync_id = client.started()
    for name, data in files.items():
        assert client.upload(sync_id, f"{name}.bin", data).status_code == 200
    assert client.end(sync_id).status_code == 200
    return sync_id


def _entries(client: Client, path: str, **query: Any) -> dict[str, Any]:
    answer = client.http.get(LAKE_ENTRIES_ROUTE, params={"path": path, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _download(client: Client, path: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.http.get(LAKE_DOWNLOAD_ROUTE, params={"path": path}, headers=named)


def _file(client: Client, name: str) -> Path:
    return client.server.files / client.path[1:] / name


def test_a_folder_is_shown_by_name_with_what_brought_each_file(client: Client) -> None:
    first = _uploaded(client, b=b"1", a=b"22")
    second = _uploaded(client, b=b"333")
    assert client.http.post(LAKE_FOLDER_ROUTE, json={"path": f"{client.path}/sub"}).json()["made"]
    found = _entries(client, client.path)
    rows = [(it["name"], it["kind"], it["size"], it["sync_id"]) for it in found["rows"]]
    assert rows == [
        ("a.bin", "file", 2, first),
        ("b.bin", "file", 3, second),
        ("sub", "folder", 0, None),
    ]
    assert not any(it["changed"] for it in found["rows"])
    page = _entries(client, client.path, **{"from": 1, "size": 1})
    assert (page["total"], [it["name"] for it in page["rows"]]) == (3, ["b.bin"])


def test_what_changed_behind_the_catalogs_back_is_told(client: Client) -> None:
    _uploaded(client, same=b"1", longer=b"1", touched=b"1")
    _file(client, "longer.bin").write_bytes(b"12")
    os.utime(_file(client, "touched.bin"), ns=(1, 1))
    _file(client, "foreign.bin").write_bytes(b"1")
    changed = {it["name"]: it["changed"] for it in _entries(client, client.path)["rows"]}
    assert changed == {
        "foreign.bin": True,
        "longer.bin": True,
        "same.bin": False,
        "touched.bin": True,
    }


def test_one_path_is_told_whole(client: Client) -> None:
    sync_id = _uploaded(client, a=b"1", b=b"22")
    file = client.http.get(LAKE_ENTRY_ROUTE, params={"path": f"{client.path}/a.bin"}).json()
    [row] = [it for it in client.history_of(sync_id) if it["file_name"] == "a.bin"]
    assert file["history_id"] == row["history_id"]
    assert (len(file["sha256"]), file["files"]) == (64, None)
    folder = client.http.get(LAKE_ENTRY_ROUTE, params={"path": client.path}).json()
    assert (folder["kind"], folder["files"], folder["folder_size"]) == ("folder", 2, 3)


@pytest.mark.parametrize("route", [LAKE_ENTRY_ROUTE, LAKE_ENTRIES_ROUTE, LAKE_DOWNLOAD_ROUTE])
def test_what_is_not_there_is_not_found(client: Client, route: str) -> None:
    told = client.http.get(route, params={"path": f"{client.path}/nothing"})
    assert (told.status_code, told.json()["reason"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/../x", "/data/..", "/data/a\\b", "data", "/data/\u202ea"])
@pytest.mark.parametrize("route", [LAKE_ENTRY_ROUTE, LAKE_ENTRIES_ROUTE, LAKE_DOWNLOAD_ROUTE])
def test_paths_keep_the_lakes_rules(client: Client, route: str, path: str) -> None:
    assert client.http.get(route, params={"path": path}).status_code == 400


@pytest.mark.parametrize(
    "route",
    [
        *(LAKE_ENTRIES_ROUTE, LAKE_ENTRY_ROUTE, LAKE_DOWNLOAD_ROUTE, LAKE_ZIP_ROUTE),
        *(USAGE_ROUTE, MANIFEST_ROUTE),
    ],
)
def test_a_misspelt_field_is_not_passed_over(client: Client, route: str) -> None:
    sync_id = _uploaded(client, a=b"1")
    query: dict[str, Any] = {"path": f"{client.path}/a.bin"}
    if route == MANIFEST_ROUTE:
        query = {"sync_id": sync_id}
    elif route in (LAKE_ENTRIES_ROUTE, LAKE_ZIP_ROUTE, USAGE_ROUTE):
        query = {"path": client.path}
    assert client.http.get(route, params=query).status_code == 200
    refused = client.http.get(route, params={**query, "fron": "1"})
    assert refused.status_code == 400
    assert "'fron'" in refused.json()["message"]


def test_links_are_shown_and_never_followed(client: Client, tmp_path: Path) -> None:
    _uploaded(client, a=b"1")
    (tmp_path / "secret.txt").write_text("secret")
    _file(client, "file").symlink_to(tmp_path / "secret.txt")
    _file(client, "folder").symlink_to(tmp_path)
    os.mkfifo(_file(client, "pipe"))
    kinds = {it["name"]: it["kind"] for it in _entries(client, client.path)["rows"]}
    assert kinds == {"a.bin": "file", "file": "other", "folder": "other", "pipe": "other"}
    for path in ("file", "folder/secret.txt", "pipe"):
        assert _download(client, f"{client.path}/{path}").status_code == 404
    for route in (LAKE_ENTRIES_ROUTE, LAKE_ZIP_ROUTE):
        query = {"path": f"{client.path}/folder"}
        assert client.http.get(route, params=query).status_code == 404
    zipped = client.http.get(LAKE_ZIP_ROUTE, params={"path": client.path}).content
    assert zipfile.ZipFile(io.BytesIO(zipped)).namelist() == [
        f"{client.path.rpartition('/')[2]}/a.bin"
    ]
    told = client.http.post(LAKE_DELETE_ROUTE, json={"path": f"{client.path}/folder/secret.txt"})
    assert told.status_code == 404
    assert (tmp_path / "secret.txt").exists()


def test_a_download_is_whole_and_harmless(client: Client) -> None:
    sync_id = client.started()
    assert client.upload(sync_id, "seiße.html", _DATA).status_code == 200
    got = _download(client, f"{client.path}/seiße.html")
    assert (got.status_code, got.content) == (200, _DATA)
    assert got.headers["content-length"] == str(len(_DATA))
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    told = got.headers["content-disposition"]
    assert told == "attachment; filename=\"sei_e.html\"; filename*=UTF-8''sei%C3%9Fe.html"
    head = client.http.head(LAKE_DOWNLOAD_ROUTE, params={"path": f"{client.path}/seiße.html"})
    assert (head.headers["etag"], head.content) == (got.headers["etag"], b"")


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000000-", 1_000_000, len(_DATA)),
        ("bytes=5-2000000", 5, 2_000_001),
        ("bytes=-7", len(_DATA) - 7, len(_DATA)),
        ("bytes=-99999999", 0, len(_DATA)),
        ("bytes=2559999-99999999", len(_DATA) - 1, len(_DATA)),
    ],
)
def test_a_part_is_sent(client: Client, asked: str, start: int, stop: int) -> None:
    _uploaded(client, a=_DATA)
    got = _download(client, f"{client.path}/a.bin", range=asked)
    assert (got.status_code, got.content) == (206, _DATA[start:stop])
    assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(_DATA)}"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=2560000-", 416),
        ("bytes=-0", 416),
        ("bytes=5-4", 200),
        ("bytes=0-1,3-4", 200),
        ("lines=0-1", 200),
        ("bytes=a-b", 200),
    ],
)
def test_a_part_that_is_none(client: Client, asked: str, status: int) -> None:
    _uploaded(client, a=_DATA)
    got = _download(client, f"{client.path}/a.bin", range=asked)
    assert got.status_code == status
    if status == 416:
        assert got.headers["content-range"] == f"bytes */{len(_DATA)}"
    else:
        assert got.content == _DATA


def test_a_tag_tells_whether_it_is_still_the_same_file(client: Client) -> None:
    _uploaded(client, a=_DATA)
    path = f"{client.path}/a.bin"
    tag = _download(client, path).headers["etag"]
    assert _download(client, path, if_none_match=f'"x", W/{tag}').status_code == 304
    assert _download(client, path, range="bytes=0-1", if_range=tag).status_code == 206
    _uploaded(client, a=_DATA[::-1])
    assert _download(client, path, if_none_match=tag).content == _DATA[::-1]
    resumed = _download(client, path, range="bytes=0-1", if_range=tag)
    assert (resumed.status_code, resumed.content) == (200, _DATA[::-1])


def test_downloads_cut_off_leave_no_file_open(client: Client) -> None:
    _uploaded(client, a=_DATA * 40)
    fds = Path(f"/proc/{client.server.process.pid}/fd")

    def held() -> list[str]:
        found = []
        for it in fds.iterdir():
            with suppress(FileNotFoundError):  # closed a moment ago
                found.append(it.readlink().name)
        return [name for name in found if name == "a.bin"]

    query = {"path": f"{client.path}/a.bin"}
    with client.http.stream("GET", LAKE_DOWNLOAD_ROUTE, params=query) as answer:
        pieces = answer.iter_raw(1)
        next(pieces)
        assert held()
    for _ in range(200):
        if not held():
            break
        _download(client, f"{client.path}/a.bin", range="bytes=0-0")
    assert not held()


def test_a_folder_is_zipped_with_all_below_it(client: Client) -> None:
    sync_id = client.started()
    name = "täglich.bin"
    assert client.upload(sync_id, name, _DATA, path=f"{client.path}/deep/er").status_code == 200
    assert client.upload(sync_id, "empty.bin", b"").status_code == 200
    client.http.post(LAKE_FOLDER_ROUTE, json={"path": f"{client.path}/nothing"})
    got = client.http.get(LAKE_ZIP_ROUTE, params={"path": client.path})
    assert got.headers["content-type"] == "application/zip"
    top = client.path.rpartition("/")[2]
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        assert archive.testzip() is None
        assert archive.read(f"{top}/deep/er/{name}") == _DATA
        assert sorted(archive.namelist()) == [
            f"{top}/deep/er/{name}",
            f"{top}/empty.bin",
            f"{top}/nothing/",
        ]


def test_what_was_deleted_is_in_the_trash_and_comes_back(client: Client) -> None:
    _uploaded(client, a=b"1", b=b"22")
    before = client.published()
    for path in (f"{client.path}/a.bin", client.path):
        standing = client.published()
        gone = client.http.post(LAKE_DELETE_ROUTE, json={"path": path}).json()
        assert client.published() == ({} if path == client.path else {"b.bin": b"22"})
        version = {name: gone[name] for name in ("sync_id", "version")}
        assert client.http.post(TRASH_RESTORE_ROUTE, json=version).status_code == 200
        assert client.published() == standing == before
    assert not any(it["changed"] for it in _entries(client, client.path)["rows"])


def test_a_folder_needs_a_free_place(client: Client) -> None:
    _uploaded(client, a=b"1")
    made = [
        client.http.post(LAKE_FOLDER_ROUTE, json={"path": f"{client.path}/x/y"}).json()["made"]
        for _ in range(2)
    ]
    assert made == [True, False]
    told = client.http.post(LAKE_FOLDER_ROUTE, json={"path": f"{client.path}/a.bin/x"})
    assert (told.status_code, told.json()["reason"]) == (400, "bad_request")

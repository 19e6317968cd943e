"""tus-js-client (npm) and tuspy, as they come: they upload, are cut off, and resume."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support import server_that_dies
from tests.support.observed_disk import tree
from tests.support.peers.tus_js import TusJsUpload
from tests.support.peers.tuspy import TuspyUpload
from tests.support.real_server import RealServer

_MIB = 1 << 20
_SENT_AGAIN_AT_MOST = 64 * _MIB


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 MiB in which no two places look alike."""
    file = tmp_path_factory.mktemp("source") / "số liệu.bin"
    with file.open("wb") as opened:
        for number in range(96):
            seed = hashlib.sha256(b"%d" % number).digest()
            opened.write(hashlib.shake_128(seed).digest(_MIB))
    return file


def _metadata(client: Client, sync_id: int, name: str) -> dict[str, str]:
    return {"filename": name, "sync_id": str(sync_id), "path": f"{client.path}/sub"}


def _endpoint(server: RealServer) -> str:
    return server.address + contract.TUS_ROUTE


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _is_whole(lake: Path, client: Client, source: Path) -> None:
    assert _sha256(lake / "files" / client.path[1:] / "sub" / source.name) == _sha256(source)
    assert tree(lake / ".lakedrop/partial") == {}


def _offsets(rows: list[dict[str, Any]], request: str) -> list[int]:
    told = "told" if request == "HEAD" else "offset"
    return [row[told] for row in rows if row.get("request") == request and row["status"] < 300]


@pytest.mark.parametrize("chunk_bytes", [None, 5 * _MIB])
def test_tus_js_uploads(
    client: Client, big_file: Path, tmp_path: Path, chunk_bytes: int | None
) -> None:
    sync_id = client.started()
    where = _metadata(client, sync_id, big_file.name)
    storage = tmp_path / "urls.json"
    with TusJsUpload(_endpoint(client.server), big_file, where, storage, chunk_bytes) as upload:
        assert upload.rows()[-1] == {"done": True}
    _is_whole(client.server.lake, client, big_file)
    [row] = client.history_of(sync_id)
    assert row["sync_status"] == "Finished"


def test_tus_js_killed_in_the_middle_goes_on_where_it_was(
    client: Client, big_file: Path, tmp_path: Path
) -> None:
    where = _metadata(client, client.started(), big_file.name)
    again = (_endpoint(client.server), big_file, where, tmp_path / "urls.json")
    with TusJsUpload(*again, die_at_bytes=48 * _MIB) as upload:
        assert {"done": True} not in upload.rows()
    with TusJsUpload(*again) as upload:
        rows = upload.rows()
    assert rows[-1] == {"done": True}
    [kept] = _offsets(rows, "HEAD")
    # All that had reached the server, though it had not synced it by itself; what the client's own
    # system still held went with the client.
    assert kept > 32 * _MIB
    assert _offsets(rows, "POST") == []
    _is_whole(client.server.lake, client, big_file)


def test_tus_js_outlives_a_crash_of_the_server(lake: Path, big_file: Path, tmp_path: Path) -> None:
    dying = [str(Path(server_that_dies.__file__))]
    dies_at = {server_that_dies.DIE_AT: "write:80@partial"}  # pieces of about 1 MiB
    with (
        RealServer(lake, program=dying, environment=dies_at) as server,
        Client(server, "/data/x") as client,
    ):
        where = _metadata(client, client.started(), big_file.name)
        upload = TusJsUpload(_endpoint(server), big_file, where, tmp_path / "urls.json")
        with upload:
            assert server.process.wait(60) == 9
            with RealServer(lake, port=server.port):
                rows = upload.rows()
    assert rows[-1] == {"done": True}
    kept = _offsets(rows, "HEAD")[-1]
    assert 80 * _MIB - _SENT_AGAIN_AT_MOST <= kept < 96 * _MIB
    assert _offsets(rows, "PATCH")[-1] == kept
    _is_whole(lake, client, big_file)


@pytest.mark.parametrize("checksums", [False, True])
def test_tuspy_uploads_and_resumes_after_a_crash(
    lake: Path, big_file: Path, tmp_path: Path, checksums: bool
) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        where = _metadata(client, client.started(), big_file.name)
        port = server.port
        again = (_endpoint(server), big_file, where, tmp_path / "urls.json", 16 * _MIB)
        with TuspyUpload(*again, checksums=checksums) as upload:
            assert upload.offset_bytes == 0
            for _ in range(3):
                upload.send_piece()
        server.kill()
    with (
        RealServer(lake, port=port) as server,
        Client(server, "/data/x") as client,
        TuspyUpload(*again, checksums=checksums) as upload,
    ):
        assert upload.offset_bytes == 48 * _MIB
        for _ in range(3):
            upload.send_piece()
        assert upload.offset_bytes == big_file.stat().st_size
        _is_whole(lake, client, big_file)

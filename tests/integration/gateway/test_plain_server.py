"""The plain server of the tests has the public backend's traps, and the faults it is asked for."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import (
    FileRefused,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeUnreachable,
    SyncAlreadyEnded,
)
from app.infra.http_gateway import HttpGateway
from embedded_server.contract import SyncStatus, SyncType
from tests.support.contents import BytesContent, ignore_sent
from tests.support.plain_server import RunningPlainServer, running_plain_server

KEY = "cccccccc-14a1-4eb1-8964-000000000000"
INCREMENTAL, FULL = SyncType.INCREMENTAL, SyncType.FULL


def upload(gateway: HttpGateway, sync_id: int, folder: str, name: str, data: bytes = b"1") -> None:
    gateway.upload(sync_id, folder, name, BytesContent(data), ignore_sent)


def call(server: RunningPlainServer, method: str, target: str, body: bytes, kind: str) -> Any:
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"))
    try:
        connection.request(method, target, body, {"Content-Type": kind})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"fail_first": 2}, LakeBroken),
        ({"busy_first": 2}, LakeBusy),
        ({"html_first": 2}, LakeBusy),
        ({"refuse_name": "a.csv"}, FileRefused),
    ],
)
def test_a_failed_upload_stores_nothing_and_is_counted(
    tmp_path: Path, fault: dict[str, Any], kind: type[LakeDropError]
) -> None:
    with running_plain_server(tmp_path, KEY, **fault) as server:
        gateway = HttpGateway(server.address, KEY)
        sync_id = gateway.start_sync("s", "/data/x", INCREMENTAL)
        for _ in range(2):
            with pytest.raises(kind) as caught:
                upload(gateway, sync_id, "/data/x", "a.csv")
            assert type(caught.value) is kind
        upload(gateway, sync_id, "/data/x", "b.csv")
        gateway.end_sync(sync_id)
        (job,) = gateway.sync_jobs(0, 10)
        rows = gateway.history(0, 10)
        gateway.close()
    assert [file.name for file in (tmp_path / "files/data/x").iterdir()] == ["b.csv"]
    # Finished although uploads failed: so does the public backend.
    assert (job.sync_status, job.total_files, job.num_failed) == (SyncStatus.FINISHED, 3, 2)
    failed, finished = SyncStatus.FAILED, SyncStatus.FINISHED
    assert [row.sync_status for row in rows] == [failed, failed, finished]


def test_every_kth_upload_fails_and_retry_after_is_as_told(tmp_path: Path) -> None:
    with running_plain_server(tmp_path, KEY, busy_first=1, retry_after="7", fail_every=3) as server:
        gateway = HttpGateway(server.address, KEY)
        sync_id = gateway.start_sync("s", "/data/x", INCREMENTAL)
        outcomes: list[str] = []
        for _ in range(6):
            try:
                upload(gateway, sync_id, "/data/x", "a.csv")
                outcomes.append("stored")
            except LakeBusy as error:
                outcomes.append(f"busy {error.retry_after_s:g}")
            except LakeBroken:
                outcomes.append("failed")
        gateway.close()
    assert outcomes == ["busy 7", "stored", "failed", "stored", "stored", "failed"]


def test_a_dropped_answer_is_lost_after_the_work_was_done(tmp_path: Path) -> None:
    with running_plain_server(
        tmp_path, KEY, drop_starts=1, drop_uploads=1, drop_ends=1, read_bytes_per_s=1_000_000
    ) as server:
        gateway = HttpGateway(server.address, KEY)
        with pytest.raises(LakeUnreachable):
            gateway.start_sync("lost", "/data/x", INCREMENTAL)
        assert [job.name for job in gateway.sync_jobs(0, 10)] == ["lost"]
        with pytest.raises(LakeUnreachable):
            upload(gateway, 1, "/data/x", "a.csv")
        assert (tmp_path / "files/data/x/a.csv").read_bytes() == b"1"
        upload(gateway, 1, "/data/x", "a.csv", b"again")
        assert (tmp_path / "files/data/x/a.csv").read_bytes() == b"again"
        with pytest.raises(LakeUnreachable):
            gateway.end_sync(1)
        with pytest.raises(SyncAlreadyEnded):
            gateway.end_sync(1)
        gateway.close()


def test_the_trash_keeps_one_folder_for_each_last_name(tmp_path: Path) -> None:
    with running_plain_server(tmp_path, KEY) as server:
        gateway = HttpGateway(server.address, KEY)
        for path in ("/data/a/sales", "/data/b/sales"):
            for data in (f"old of {path}", "new"):
                sync_id = gateway.start_sync("s", path, FULL)
                upload(gateway, sync_id, path, "a.csv", data.encode())
                gateway.end_sync(sync_id)
        gateway.close()
    trashed = [file for file in (tmp_path / "trash").rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in trashed] == [b"old of /data/b/sales"]


def test_the_documentation_s_own_form_with_two_boundaries_is_understood(tmp_path: Path) -> None:
    kind = "multipart/form-data; boundary=---0110; boundary=----6a81"
    head = b'Content-Disposition: form-data; name="file"; filename="'
    body = (
        b"------6a81\r\n" + head + b'first.csv"\r\n\r\n1\r\n'
        b"------6a81\r\n" + head + b'last.csv"\r\n\r\n2\r\n------6a81--\r\n'
    )
    with running_plain_server(tmp_path, KEY) as server:
        start = b'{"name":"s","path":"/data/x","sync_type":"IncrementalSync"}'
        started = call(
            *(server, "POST", f"/api/ingestion/file/sync/start?api_key={KEY}"),
            *(start, "application/json"),
        )
        answer = call(server, "POST", "/api/lake/file/upload?sync_id=1", body, kind)
        unknown = call(server, "GET", "/api/lake/capabilities", b"", "text/plain")
    assert started == {"sync_id": 1}
    assert answer == {"code": 0, "msg": None}
    assert unknown["code"] == 404
    # As the stock form parser has it: of two parts the first is dropped without a word.
    assert {p.name: p.read_bytes() for p in (tmp_path / "files/data/x").iterdir()} == {
        "last.csv": b"2"
    }


def test_a_killed_server_comes_back_with_its_files_on_the_same_port(tmp_path: Path) -> None:
    with running_plain_server(tmp_path, KEY) as server:
        gateway = HttpGateway(server.address, KEY)
        upload(gateway, gateway.start_sync("s", "/data/x", INCREMENTAL), "/data/x", "a.csv")
        server.kill()
        with pytest.raises(LakeUnreachable):
            gateway.check()
    port = int(server.address.rpartition(":")[2])
    with running_plain_server(tmp_path, KEY, port=port):
        gateway.check()
        gateway.close()
    assert (tmp_path / "files/data/x/a.csv").read_bytes() == b"1"

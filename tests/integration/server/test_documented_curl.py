"""The documentation's own curl commands, word for word but for host, port, id and file."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import needs_tool
from tests.support.real_server import SAMPLE_KEY, RealServer

START = """curl --request POST \
  --url {server}/api/ingestion/file/sync/start \
  --header 'Content-Type: application/json' \
  --data '{{
  "name": "transactions incremental sync 06/12/21",
  "path": "/data/db/transactions",
  "api_key": "cccccccc-14a1-4eb1-8964-000000000000",
  "sync_type": "IncrementalSync"
}}'"""
UPLOAD = """curl --request POST \
  --url '{server}/api/lake/file/upload?path=%2Fdata%2Fdb%2Ftransactions&sync_id={sync_id}' \
  --header 'Content-Type: multipart/form-data; boundary=---011000010111000001101001' \
  --form file=@{file}"""
UPLOAD_WITHOUT_PATH = """curl --request POST \
  --url '{server}/api/lake/file/upload?sync_id={sync_id}' \
  --header 'Content-Type: multipart/form-data; boundary=---011000010111000001101001' \
  --form file=@{file}"""
END = """curl --request POST \
  --url {server}/api/ingestion/file/sync/end \
  --header 'Content-Type: application/json' \
  --data '{{
  "sync_id": {sync_id},
  "api_key": "cccccccc-14a1-4eb1-8964-000000000000"
}}'"""
LIST = """curl --request GET --url '{server}/api/ingestion/file/sync/list?from=0&size=10'"""
HISTORY = """curl --request GET --url '{server}/api/ingestion/file/sync/history?from=0&size=10'"""


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    needs_tool("curl")


def _run(command: str, **values: object) -> Any:
    words = [*shlex.split(command.format(**values)), "--silent", "--show-error"]
    done = subprocess.run(words, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("upload", [UPLOAD, UPLOAD_WITHOUT_PATH], ids=["path", "no path"])
def test_the_documented_commands_work_in_turn(
    server: RealServer, tmp_path: Path, upload: str
) -> None:
    assert server.api_key == SAMPLE_KEY
    file = tmp_path / "random_data.parquet"
    file.write_bytes(b"PAR1" + bytes(range(256)) * 400)
    sync_id = _run(START, server=server.address)["sync_id"]
    answer = _run(upload, server=server.address, sync_id=sync_id, file=file)
    assert (answer["code"], answer["msg"]) == (0, None)
    published = server.files / "data/db/transactions/random_data.parquet"
    assert published.read_bytes() == file.read_bytes()
    [record] = [row for row in _run(HISTORY, server=server.address) if row["sync_id"] == sync_id]
    assert record["file_name"] == "random_data.parquet"
    assert record["sync_status"] == "Finished"
    assert _run(END, server=server.address, sync_id=sync_id) == {"success": True}
    again = _run(END, server=server.address, sync_id=sync_id)
    assert again == {"code": 400, "reason": "bad_request", "message": "job is already ended"}
    [job] = [row for row in _run(LIST, server=server.address) if row["sync_id"] == sync_id]
    assert job["name"] == "transactions incremental sync 06/12/21"
    assert (job["sync_status"], job["total_files"], job["num_failed"]) == ("Finished", 1, 0)
    assert set(job) == {
        "org_id", "sync_id", "name", "path", "sync_type", "sync_status",
        "start_time", "end_time", "total_files", "num_failed",
    }  # fmt: skip


def test_data_sent_as_a_form_is_read_as_the_json_it_is(server: RealServer) -> None:
    command = START.replace("--header 'Content-Type: application/json'", "")
    assert _run(command, server=server.address)["sync_id"] > 0


def test_curl_sends_a_name_in_vietnamese(server: RealServer, tmp_path: Path) -> None:
    file = tmp_path / "bảng dữ liệu (1).csv"
    file.write_text("a,b\n")
    sync_id = _run(START, server=server.address)["sync_id"]
    command = UPLOAD_WITHOUT_PATH.replace("file=@{file}", "'file=@\"{file}\"'")
    assert _run(command, server=server.address, sync_id=sync_id, file=file)["code"] == 0
    assert (server.files / "data/db/transactions" / file.name).read_text() == "a,b\n"


def test_curl_sends_a_large_body_in_chunks(server: RealServer, tmp_path: Path) -> None:
    file = tmp_path / "chunked.bin"
    file.write_bytes(b"0123456789abcdef" * 300_000)
    sync_id = _run(START, server=server.address)["sync_id"]
    command = UPLOAD_WITHOUT_PATH + " --header 'Transfer-Encoding: chunked'"
    answer = _run(command, server=server.address, sync_id=sync_id, file=file)
    assert answer["size"] == file.stat().st_size
    assert (server.files / "data/db/transactions/chunked.bin").read_bytes() == file.read_bytes()

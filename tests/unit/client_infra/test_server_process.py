"""The child behind the local lake, played by small scripts that err in each way."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from app.domain.errors import LocalLakeFailed
from app.infra.server_process import LakeAddress, LocalLakeServer

_GOOD = """
import hashlib, hmac, json, os, sys
hello = json.loads(sys.stdin.readline())
address = "http://127.0.0.1:" + str(os.getpid())
proof = hmac.new(bytes.fromhex(hello["nonce"]), address.encode(), hashlib.sha256).hexdigest()
print(json.dumps({"listening": address, "proof": proof}), flush=True)
open(sys.argv[1] + "/key", "w").write(hello["api_key"])
sys.stdin.read()
open(sys.argv[1] + "/ended", "w").close()
"""


def server(lake: Path, script: str) -> LocalLakeServer:
    return LocalLakeServer(lake, command=(sys.executable, "-c", script))


def test_a_child_that_proves_itself_is_used_until_it_is_told_to_end(tmp_path: Path) -> None:
    lake = server(tmp_path, _GOOD)
    first = lake.ensure()
    assert lake.ensure() == first
    assert first.api_key not in repr(first)
    lake.stop()
    assert (tmp_path / "ended").exists()  # by the end of its input, not by a signal
    assert (tmp_path / "key").read_text() == first.api_key
    lake.stop()

    second = lake.ensure()
    assert second.api_key != first.api_key
    lake.stop()


def test_a_child_that_died_is_started_again(tmp_path: Path) -> None:
    dies_once = "again = os.path.exists(sys.argv[1] + '/key')"
    script = _GOOD.replace("hello =", dies_once + "\nhello =")
    lake = server(tmp_path, script.replace("sys.stdin.read()", "again and sys.stdin.read()"))
    first = second = lake.ensure()
    pause = threading.Event()
    for _ in range(1_500):  # until it is seen to have died
        second = lake.ensure()
        if second != first:
            break
        pause.wait(0.02)
    assert second.base_url != first.base_url
    lake.stop()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit(3)", "did not start"),
        ("import sys; sys.stdin.close(); sys.exit(3)", "did not start"),
        ("print('no JSON', flush=True)", "did not start"),
        ("print('[1]', flush=True)", "did not start"),
        ("print('{\"listening\": 7}', flush=True)", "did not start"),
        ('print(\'{"error": "disk", "message": "The disk is gone."}\')', "The disk is gone"),
        ('print(\'{"listening": "http://127.0.0.1:9", "proof": "00"}\')', "not the lake server"),
        ('print(\'{"listening": "http://127.0.0.1:9"}\', flush=True)', "not the lake server"),
    ],
)
def test_a_child_that_does_not_start_is_told_and_another_try_is_a_new_one(
    tmp_path: Path, script: str, words: str
) -> None:
    lake = server(tmp_path, script)
    for _ in range(2):
        with pytest.raises(LocalLakeFailed, match=words):
            lake.ensure()
    lake.stop()


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    lake = LocalLakeServer(tmp_path, command=(str(tmp_path / "nowhere"),))
    with pytest.raises(LocalLakeFailed, match="cannot be started"):
        lake.ensure()
    lake.stop()


def test_the_key_of_the_user_never_reaches_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEDROP_API_KEY", "canary-of-the-user")
    script = _GOOD.replace('hello["api_key"]', 'os.environ.get("LAKEDROP_API_KEY", "none")')
    lake = server(tmp_path, script)
    lake.ensure()
    lake.stop()
    assert (tmp_path / "key").read_text() == "none"


def test_a_lake_that_another_program_holds_without_saying_where_is_told(tmp_path: Path) -> None:
    lake = server(tmp_path, 'print(\'{"error": "lake_in_use"}\', flush=True)')
    with pytest.raises(LocalLakeFailed, match="does not say where"):
        lake.ensure()


def test_the_server_of_another_program_is_used_with_the_lakes_own_key(tmp_path: Path) -> None:
    own = tmp_path / ".lakedrop"
    own.mkdir()
    (own / "server.json").write_text('{"address": "http://127.0.0.1:8555"}')
    lake = server(tmp_path, 'print(\'{"error": "lake_in_use"}\', flush=True)')
    with pytest.raises(LocalLakeFailed, match="LAKEDROP_API_KEY"):
        lake.ensure()
    assert lake.ensure("given") == LakeAddress("http://127.0.0.1:8555", "given")
    (own / "api-key").write_text("kept\n")
    with pytest.raises(LocalLakeFailed, match="--server"):
        lake.ensure()  # the lake has a key of its own, but that server was given another
    record = '{"address": "http://127.0.0.1:8555", "key_is_in_lake": true}'
    (own / "server.json").write_text(record)
    assert lake.ensure() == LakeAddress("http://127.0.0.1:8555", "kept")

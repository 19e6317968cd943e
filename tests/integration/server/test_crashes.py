"""The server dies in the middle of its work; what it acknowledged is there, and nothing half."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support import server_that_dies
from tests.support.observed_disk import tree
from tests.support.real_server import RealServer

_UPLOADERS = 8
_ACKNOWLEDGED_BEFORE_THE_KILL = 60


_FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}


def _content(name: str) -> bytes:
    return name.encode() * 3_000


def test_a_server_killed_under_eight_uploaders_loses_nothing_acknowledged(lake: Path) -> None:
    ledger: list[str] = []
    enough = threading.Event()
    sync_type, path = "IncrementalSync", "/data/x"
    with RealServer(lake) as server, Client(server, path) as client:
        sync_id = client.started(sync_type)

        def upload_until_the_end(uploader: int) -> None:
            with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as own:
                for number in range(10_000):
                    name = f"u{uploader}-{number}.bin"
                    body = _FORM % (name.encode(), _content(name))
                    try:
                        own.request(
                            "POST", f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}", body, _TYPE
                        )
                        answer = json.loads(own.getresponse().read())
                    except (HTTPException, OSError):
                        return
                    assert answer["sha256"] == hashlib.sha256(_content(name)).hexdigest()
                    ledger.append(name)
                    if len(ledger) >= _ACKNOWLEDGED_BEFORE_THE_KILL:
                        enough.set()

        threads = [
            threading.Thread(target=upload_until_the_end, args=(number,))
            for number in range(_UPLOADERS)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        server.kill()
        for thread in threads:
            thread.join()
    seen = tree(lake / "files")
    for path_seen, data in seen.items():
        assert data == _content(Path(path_seen).name), "a partial file is in sight"
    assert {f"data/x/{name}" for name in ledger} <= set(seen)

    with RealServer(lake) as server, Client(server, path) as client:
        records = client.history_of(sync_id)
        finished = {row["file_name"] for row in records if row["sync_status"] == "Finished"}
        assert set(ledger) <= finished
        assert not any(row["sync_status"] == "Syncing" for row in records)
        # The job goes on where it was.
        for name in ledger[:5]:
            assert client.upload(sync_id, name, _content(name)).status_code == 200
        assert client.end(sync_id).json() == {"success": True}
        assert list((lake / ".lakedrop/incoming").iterdir()) == []


def _end_without_an_answer(server: RealServer, sync_id: int) -> None:
    body = json.dumps({"sync_id": sync_id, "api_key": server.api_key})
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", contract.END_ROUTE, body)
        with pytest.raises((HTTPException, OSError)):
            connection.getresponse()


@pytest.mark.parametrize(
    ("die_at", "new_at_once"),
    [("mark", False), ("exchange", False), ("rename", True), ("fsync folder:99", None)],
)
def test_a_server_that_dies_in_a_swap_finishes_it_at_its_next_start(
    lake: Path, die_at: str, new_at_once: bool | None
) -> None:
    old, new = {"data/x/a.csv": b"old"}, {"data/x/a.csv": b"new"}
    dying = str(Path(server_that_dies.__file__))
    environment = {server_that_dies.DIE_AT: die_at}
    with (
        RealServer(lake, program=[dying], environment=environment) as server,
        Client(server, "/data/x") as client,
    ):
        first = client.started()
        assert client.upload(first, "a.csv", b"old").status_code == 200
        assert client.end(first).status_code == 200
        sync_id = client.started("FullSync")
        assert client.upload(sync_id, "a.csv", b"new").status_code == 200
        if new_at_once is None:  # the step never comes: the swap is not hit
            assert client.end(sync_id).json() == {"success": True}
        else:
            _end_without_an_answer(server, sync_id)
            assert server.process.wait(30) == 9
            assert tree(lake / "files") == (new if new_at_once else old)
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        if client.job(sync_id)["sync_status"] == "Syncing":
            assert tree(lake / "files") == old
            assert client.end(sync_id).json() == {"success": True}
        assert client.job(sync_id)["sync_status"] == "Finished"
        assert tree(lake / "files") == new
        assert tree(server.trash) == {f"{sync_id}/1/data/x/a.csv": b"old"}
        assert client.end(sync_id).json()["message"] == contract.JOB_ALREADY_ENDED

"""One server a lake, and what a killed one still holds for a moment."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from embedded_server.storage.disk import Disk
from embedded_server.storage.lake_lock import LakeInUse, LakeLock
from embedded_server.storage.layout import Layout
from embedded_server.storage.local_lake import open_layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return open_layout(str(tmp_path / "lake"), Disk())


def _tell_address(layout: Layout, port: int) -> None:
    record = {"address": f"http://127.0.0.1:{port}"}
    Path(layout.server_record).write_text(json.dumps(record), encoding="utf-8")


def test_a_lake_that_is_served_is_told_at_once(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as served:
        _tell_address(layout, served.getsockname()[1])
        held = LakeLock(layout)
        with pytest.raises(LakeInUse) as told:
            LakeLock(layout, last_steps_s=3_600)
        held.release()
    assert told.value.address is not None


@pytest.mark.skipif(os.name != "posix", reason="a pipe with a name tells that it has begun to wait")
def test_what_a_killed_server_still_holds_is_waited_for(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    os.mkfifo(layout.server_record)
    last_steps = FileLock(layout.lock, thread_local=False)
    last_steps.acquire()
    got: list[LakeLock] = []
    next_server = threading.Thread(target=lambda: got.append(LakeLock(layout, 3_600)))
    next_server.start()
    with Path(layout.server_record).open("w", encoding="utf-8") as record:  # it was refused once
        last_steps.release()
        # As a killed server left it: nobody listens there.
        json.dump({"address": f"http://127.0.0.1:{port}"}, record)
    next_server.join(60)
    assert len(got) == 1
    got[0].release()


def test_who_never_lets_go_is_told_without_an_address(layout: Layout) -> None:
    held = LakeLock(layout)
    with pytest.raises(LakeInUse, match="another server already serves this lake: use that"):
        LakeLock(layout, last_steps_s=0.1)
    held.release()

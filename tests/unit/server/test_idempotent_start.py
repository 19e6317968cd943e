"""*start* with an Idempotency-Key: asked twice, done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_server.contract import SyncType
from embedded_server.domain.errors import InvalidParam, KeyUsedOtherwise
from embedded_server.services.expiry import DAY_MS
from tests.unit.server.conftest import Rooms


def _start(
    rooms: Rooms, key: str | None, path: str = "/data/x", name: str = "s", key_name: str = ""
) -> int:
    return rooms.syncs.start(name, path, SyncType.FULL, idempotency_key=key, key_name=key_name)


def test_the_same_key_is_the_same_sync(rooms: Rooms) -> None:
    first = _start(rooms, "k1")
    assert _start(rooms, "k1") == first
    assert _start(rooms, "k1", path="/data/x/") == first  # one trailing slash is the same path
    assert _start(rooms, "k2") == first + 1
    assert len(rooms.syncs.jobs(0, 10)) == 2


def test_without_a_key_each_start_is_a_sync(rooms: Rooms) -> None:
    assert _start(rooms, None) != _start(rooms, None)


@pytest.mark.parametrize("other", [{"path": "/data/y"}, {"name": "t"}])
def test_the_same_key_with_another_body_is_refused(rooms: Rooms, other: dict[str, str]) -> None:
    _start(rooms, "k1")
    with pytest.raises(KeyUsedOtherwise) as told:
        _start(rooms, "k1", **other)
    assert told.value.status == 422
    assert len(rooms.syncs.jobs(0, 10)) == 1


def test_another_sender_has_keys_of_its_own(rooms: Rooms) -> None:
    assert _start(rooms, "k1", key_name="ann") != _start(rooms, "k1", key_name="ben")


def test_many_starts_at_once_with_one_key_make_one_sync(rooms: Rooms) -> None:
    together = threading.Barrier(16)

    def start(key: str) -> int:
        together.wait()
        return _start(rooms, key)

    with ThreadPoolExecutor(16) as pool:
        for number in range(1, 21):
            assert set(pool.map(start, [f"k{number}"] * 16)) == {number}
    assert len(rooms.syncs.jobs(0, 100)) == 20


def test_a_key_is_known_after_a_crash_and_although_the_place_is_taken_now(
    lake_root: Path,
) -> None:
    rooms = Rooms(lake_root)
    sync_id = _start(rooms, "k1")
    rooms.close()
    (lake_root / "files" / "data").write_bytes(b"a file where the folder was to be")
    rooms = Rooms(lake_root)
    assert _start(rooms, "k1") == sync_id
    rooms.close()


def test_a_key_is_forgotten_a_while_after_its_sync_is_over(rooms: Rooms) -> None:
    over, running = _start(rooms, "k1"), _start(rooms, "k2")
    rooms.syncs.end(over)
    ended_ms = rooms.syncs.jobs(0, 1)[0].end_time
    rooms.catalog.forget_idempotency_keys(ended_ms)
    assert _start(rooms, "k1") == over
    rooms.catalog.forget_idempotency_keys(ended_ms + DAY_MS)
    assert _start(rooms, "k1") not in (over, running)
    assert _start(rooms, "k2") == running


def test_a_start_that_was_refused_is_not_remembered(rooms: Rooms) -> None:
    with pytest.raises(InvalidParam):
        _start(rooms, "k1", path="/")
    assert _start(rooms, "k1") == 1

"""The tools themselves: a tool that says nothing would let every promise pass."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import pytest

from tests.support import lake_oracle
from tests.support.counts import FIRST_SEED, PIECE, SOAK, count, piece, seeds
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.lake_oracle import Generation
from tests.support.ledger import Acknowledged, Ledger, Told, read_ledger, read_told, whole
from tests.support.real_server import ServerDidNotStart
from tests.support.uploaders import content_of, in_batches, in_pieces, lake_file, one_by_one


def test_counts_are_long_in_a_soak_alone() -> None:
    assert count(3, 500, environ={}) == 3
    assert count(3, 500, environ={SOAK: "1"}) == 500
    assert list(seeds(3, 500, environ={FIRST_SEED: "40"})) == [40, 41, 42]


def test_pieces_of_a_soak_make_up_the_whole() -> None:
    pieces = [list(seeds(3, 10, environ={SOAK: "1", PIECE: f"{n}/3"})) for n in (1, 2, 3)]
    assert pieces == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
    assert list(seeds(1, 1, environ={SOAK: "1", PIECE: "3/3"})) == [0]
    assert piece("abcde", environ={PIECE: "2/2"}) == "bd"
    assert piece("abcde", environ={}) == "abcde"


def test_a_ledger_is_read_back_in_its_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    told = [Acknowledged(1, f"/data/x/{number}.csv", "ab") for number in range(3)]
    on_its_way = Told(1, "/data/x/a.csv", 0, "/uploads/7", 40)
    ledger.acknowledge(told[:1])
    assert not ledger.wait_for(4, 0)
    ledger.acknowledge([on_its_way, *told[1:]])
    assert ledger.wait_for(4, 0)
    ledger.close()
    assert read_ledger(tmp_path / "ledger") == told
    assert read_told(tmp_path / "ledger") == [on_its_way]


def test_the_oracle_tells_what_is_wrong_with_a_file() -> None:
    path = "/data/x/a.bin"
    right = content_of(path)
    wrong = {
        b"": "empty",
        bytes(len(right)): "NULs",
        right[:-1]: "wrong bytes",
        right + b"x": "wrong bytes",
    }
    assert lake_oracle.half_files({path: right}) == []
    for data, said in wrong.items():
        [complaint] = lake_oracle.half_files({path: data})
        assert said in complaint
    [complaint] = lake_oracle.lost_files({}, [Acknowledged(1, path, "ab")])
    assert "lost" in complaint
    [complaint] = lake_oracle.lost_files({path: right}, [Acknowledged(1, path, "ab")])
    assert "other bytes" in complaint


def test_the_oracle_knows_versions(tmp_path: Path) -> None:
    path = "/data/x/a.bin"
    first, second = content_of(path), content_of(path, 1)
    told = [
        Acknowledged(number, path, hashlib.sha256(data).hexdigest())
        for number, data in enumerate([first, second])
    ]
    assert lake_oracle.lost_files({path: second}, told) == []
    [complaint] = lake_oracle.lost_files({path: first}, told)  # the second was acknowledged
    assert "other bytes" in complaint
    assert lake_oracle.half_files({path: first[:4] + second[4:]}) != []
    [complaint] = lake_oracle.lost_versions(tmp_path, {path: second})
    assert "is not in the trash" in complaint
    kept = tmp_path / ".lakedrop/trash/2/1/data/x"
    kept.mkdir(parents=True)
    (kept / "a.bin").write_bytes(first)
    assert lake_oracle.lost_versions(tmp_path, {path: second}) == []


@pytest.mark.parametrize(
    ("there", "is_sound"),
    [
        ({"/x/old"}, True),
        ({"/x/new1", "/x/new2"}, True),
        ({"/x/new1", "/x/new2", "/x/late"}, True),
        ({"/x/new1"}, False),
        ({"/x/old", "/x/new1", "/x/new2"}, False),
        (set(), False),
    ],
)
def test_the_oracle_knows_old_from_new(there: set[str], is_sound: bool) -> None:
    old = Generation({"/x/old"}, {"/x/old"})
    new = Generation({"/x/new1", "/x/new2"}, {"/x/new1", "/x/new2", "/x/late"})
    seen = dict.fromkeys(there, b"") | {"/elsewhere": b""}
    assert (lake_oracle.neither_old_nor_new(seen, "/x", [old, new]) == []) is is_sound


def test_forked_servers_are_processes_of_their_own(servers: ForkedServers, tmp_path: Path) -> None:
    with (
        ForkedServer(servers, tmp_path / "one") as one,
        ForkedServer(servers, tmp_path / "two") as two,
    ):
        assert len({os.getpid(), one.pid, two.pid}) == 3
        with pytest.raises(ServerDidNotStart, match="already serves this lake"):
            ForkedServer(servers, tmp_path / "one")
        one.kill()
        assert one.wait() == -signal.SIGKILL
        assert not two.has_ended()
        assert two.stop() == 0


def test_uploaders_tell_what_the_server_said(servers: ForkedServers, lake: Path) -> None:
    files = [lake_file(f"/data/x/{number % 2}/{number}.bin") for number in range(5)]
    with ForkedServer(servers, lake) as server, LakeConnection(server.port) as connection:
        sync_id = connection.started("/data/x")
        singly = [one for told in one_by_one(connection, sync_id, files[:2]) for one in told]
        together = [one for told in in_batches(connection, sync_id, files[2:4]) for one in told]
        in_steps = [one for told in in_pieces(connection, sync_id, files[4:]) for one in told]
        assert len(in_steps) > len(whole(in_steps)) == 1
        together += whole(in_steps)
        seen = lake_oracle.published(lake)
        assert seen == {file.path: file.data for file in files}
        assert lake_oracle.half_files(seen) == []
        assert lake_oracle.lost_files(seen, singly + together) == []
        assert lake_oracle.lost_rows(connection, singly + together) == []
        stranger = Acknowledged(sync_id, "/data/x/never-sent.bin", "ab")
        assert len(lake_oracle.lost_rows(connection, [stranger])) == 1
        assert connection.end(sync_id).is_success
        assert connection.job(sync_id)["total_files"] == 5

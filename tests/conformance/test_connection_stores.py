"""What every `ports.ConnectionStore` promises, and what the TOML file's own traps are."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable
from app.domain.ports import ConnectionStore
from app.infra.connection_store import TomlConnectionStore
from tests.support.memory_secrets import MemoryConnectionStore

PROD = Connection("prod", "https://client.example.com")
LAB = Connection("thử nghiệm v1.2", "http://10.0.0.7:8080/lake", allow_plain_http=True)


@pytest.fixture(params=["memory", "toml"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ConnectionStore:
    if request.param == "memory":
        return MemoryConnectionStore()
    return TomlConnectionStore(tmp_path / "config" / "connections.toml")


def test_connections_are_kept_in_their_order_and_found_by_name(store: ConnectionStore) -> None:
    assert store.all() == []
    store.save(PROD)
    store.save(LAB)

    assert store.all() == [PROD, LAB]
    assert store.find(LAB.name) == LAB
    assert store.find("other") is None


def test_whom_a_connection_trusts_is_kept(store: ConnectionStore) -> None:
    own = Connection(
        "own",
        "https://a.example",
        ca_file="/ca.pem",
        client_certificate="/me.pem",
        client_key="/me.key",
    )
    anybody = Connection("anybody", "https://b.example", unverified=True)
    for connection in (own, anybody, PROD):
        store.save(connection)
    assert store.all() == [own, anybody, PROD]


@pytest.mark.parametrize("odd", ["ca_file = 7", "client_key = true", 'unverified = "yes"'])
def test_a_file_that_makes_no_sense_about_trust_is_told(tmp_path: Path, odd: str) -> None:
    file = tmp_path / "connections.toml"
    file.write_text(f'[connections.prod]\nbase_url = "https://a.example"\n{odd}\n')
    with pytest.raises(ConnectionNotUsable, match="unverified"):
        TomlConnectionStore(file).all()


def test_saving_again_replaces(store: ConnectionStore) -> None:
    store.save(PROD)
    moved = Connection("prod", "https://new.example.com")
    store.save(moved)

    assert store.all() == [moved]


def test_a_rename_keeps_the_place(store: ConnectionStore) -> None:
    store.save(PROD)
    store.save(LAB)
    renamed = Connection("production", "https://new.example.com")
    store.save(renamed, was="prod")

    assert store.all() == [renamed, LAB]
    assert store.find("prod") is None
    store.save(PROD, was="nobody")
    assert store.all() == [renamed, LAB, PROD]


def test_removing_says_whether_there_was_one(store: ConnectionStore) -> None:
    store.save(PROD)
    store.save(LAB)

    assert store.remove("prod")
    assert not store.remove("prod")
    assert store.all() == [LAB]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "connections.toml"


def test_the_file_survives_the_program_and_is_the_users_alone(path: Path) -> None:
    TomlConnectionStore(path).save(LAB)

    assert TomlConnectionStore(path).all() == [LAB]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_what_somebody_added_to_the_file_stays(path: Path) -> None:
    path.write_text('[future]\ncolour = "blue"\n', "utf-8")
    store = TomlConnectionStore(path)
    store.save(PROD)
    store.remove("prod")

    assert 'colour = "blue"' in path.read_text("utf-8")


def test_a_file_that_is_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "lakedrop.toml"
    kept.parent.mkdir()
    kept.touch()
    path.symlink_to(kept)
    TomlConnectionStore(path).save(PROD)

    assert path.is_symlink()
    assert TomlConnectionStore(kept).all() == [PROD]


@pytest.mark.parametrize(
    "content",
    [
        b"[connections.prod\nbase_url = ",
        b"\xff\xfe",
        b"connections = 3",
        b"[connections.prod]\nallow_plain_http = true",
        b"[connections.prod]\nbase_url = 7",
        b"[connections.prod]\nbase_url = 'https://x.example'\nallow_plain_http = 'yes'",
        b"[connections.prod]\nbase_url = 'http://another.machine'",
        b"[connections.local]\nbase_url = 'https://x.example'",
        b"[connections]\nprod = 'https://x.example'",
    ],
)
def test_a_broken_file_is_told_with_its_path_and_left_as_it_is(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    store = TomlConnectionStore(path)

    with pytest.raises(ConnectionNotUsable) as caught:
        store.all()
    assert str(path) in caught.value.message
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"[connections.prod\nbase_url = ", b"connections = 3"])
def test_a_broken_file_is_not_written_over(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    store = TomlConnectionStore(path)

    with pytest.raises(ConnectionNotUsable):
        store.save(PROD)
    with pytest.raises(ConnectionNotUsable):
        store.remove("prod")
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = TomlConnectionStore(tmp_path / "file" / "connections.toml")

    with pytest.raises(ConnectionNotUsable, match=r"connections\.toml"):
        store.save(PROD)


def test_a_write_that_fails_leaves_the_old_list_and_nothing_else(path: Path) -> None:
    store = TomlConnectionStore(path)
    store.save(PROD)
    before = path.read_bytes()

    with pytest.raises(ConnectionNotUsable):
        store.save(Connection("no/name", "https://x.example"))
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]

"""Where things lie, and how the engine is found."""

from __future__ import annotations

import os
import stat
import sys
import threading
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from app.infra.engine_socket import EngineSocket, write_private
from app.infra.places import HOME_VARIABLE, Places
from app.link.protocol import RuntimeFile

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix_only
def test_all_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    places = Places.below(tmp_path / "home").make()
    for folder in (places.config, places.state, places.runtime, places.lake):
        assert mode_of(folder) == 0o700
    assert places.make() == places  # again, when they are there


def test_one_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "elsewhere"))
    places = Places.of_user()
    for path in (
        places.journal,
        places.engine_log,
        places.engine_lock,
        places.runtime_file,
        places.connections_file,
        places.lake,
    ):
        assert path.is_relative_to(tmp_path / "elsewhere")


@posix_only
def test_every_session_of_the_user_finds_the_same_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    desktop = Places.of_user()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    ssh = Places.of_user()
    assert desktop.runtime_file == ssh.runtime_file
    assert desktop.runtime_file.parent == desktop.engine_lock.parent
    assert ssh.runtime == ssh.state  # and never a guessed folder that anybody could have made


def test_the_socket_is_told_in_a_private_file_and_answers(tmp_path: Path) -> None:
    places = Places.below(tmp_path).make()
    engine = EngineSocket(places)
    try:
        assert RuntimeFile.read(places.runtime_file) is None  # not before it is announced
        engine.announce()
        told = RuntimeFile.read(places.runtime_file)
        assert told is not None
        assert (told.pid, told.auth_key_hex) == (os.getpid(), engine.auth_key.hex())
        if sys.platform != "win32":
            assert mode_of(places.runtime_file) == 0o600
        calling = threading.Thread(target=lambda: Client(told.address).close())
        calling.start()
        engine.listener.accept().close()
        calling.join()
    finally:
        engine.close()
    assert RuntimeFile.read(places.runtime_file) is None


def test_a_socket_left_by_a_killed_engine_is_no_hindrance(tmp_path: Path) -> None:
    places = Places.below(tmp_path).make()
    (places.runtime / "engine.sock").write_bytes(b"left behind")
    EngineSocket(places).close()


@posix_only
def test_a_home_too_deep_for_a_socket_gets_a_short_private_place(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    places = Places.below(deep).make()
    engine = EngineSocket(places)
    engine.announce()
    told = RuntimeFile.read(places.runtime_file)
    assert told is not None
    folder = Path(told.address).parent
    assert len(told.address) <= 100
    assert mode_of(folder) == 0o700
    engine.close()
    assert not folder.exists()


def test_each_engine_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for number in range(3):
        engine = EngineSocket(Places.below(tmp_path / str(number)).make())
        keys.add(engine.auth_key)
        engine.close()
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_a_private_file_is_old_or_new_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    write_private(path, "old")
    write_private(path, "néw")
    assert path.read_text("utf-8") == "néw"
    assert list(tmp_path.iterdir()) == [path]

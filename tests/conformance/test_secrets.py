"""What every `ports.Secrets` promises: the fake, the keyring's adapter, a real GNOME Keyring."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.core
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from app.domain.errors import ConnectionNotUsable
from app.domain.ports import Secrets
from app.infra.keyring_secrets import KeyringSecrets
from tests.support.file_keyring import BACKEND, FILE_VARIABLE
from tests.support.keyring_session import KEY, keeps_keys_apart_and_forgets_them
from tests.support.memory_secrets import MemorySecrets
from tests.support.needs import needs_tool

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def chosen_keyring() -> Iterator[None]:
    """The process's choice of keyring, put back afterwards."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture(params=["memory", "keyring"])
def secrets(
    request: pytest.FixtureRequest,
    chosen_keyring: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Secrets:
    if request.param == "memory":
        return MemorySecrets()
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "keyring.json"))
    keyring.set_keyring(keyring.core.load_keyring(BACKEND))
    return KeyringSecrets()


def test_keys_are_kept_by_name_replaced_and_forgotten(secrets: Secrets) -> None:
    assert secrets.available()
    keeps_keys_apart_and_forgets_them(secrets)


@pytest.fixture(params=["memory", "fail", "null"])
def no_keyring(request: pytest.FixtureRequest, chosen_keyring: None) -> Secrets:
    if request.param == "memory":
        return MemorySecrets(available=False)
    keyring.set_keyring(keyring.core.load_keyring(f"keyring.backends.{request.param}.Keyring"))
    return KeyringSecrets()


def test_where_there_is_no_keyring_every_call_says_what_to_do(no_keyring: Secrets) -> None:
    assert not no_keyring.available()
    calls: list[Callable[[], object]] = [
        lambda: no_keyring.get("prod"),
        lambda: no_keyring.set("prod", KEY),
        lambda: no_keyring.delete("prod"),
    ]
    for call in calls:
        with pytest.raises(ConnectionNotUsable, match=r"this session only.*LAKEDROP_API_KEY"):
            call()


class BrokenKeyring(KeyringBackend):
    """Fails with the key in its words, as nobody forbids it to."""

    priority = 0.1  # below 1: never found by itself

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self._error(f"cannot read {KEY}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self._error(f"cannot store {password}")


@pytest.mark.parametrize("error", [KeyringLocked, ConnectionResetError, RuntimeError])
def test_whatever_a_keyring_raises_is_told_as_one_error_without_its_words(
    error: type[Exception], chosen_keyring: None
) -> None:
    keyring.set_keyring(BrokenKeyring(error))

    with pytest.raises(ConnectionNotUsable, match=error.__name__) as caught:
        KeyringSecrets().set("prod", KEY)
    assert isinstance(caught.value.__cause__, error)
    assert KEY not in f"{caught.value!r} {caught.value.message}"
    with pytest.raises(ConnectionNotUsable, match="read"):
        KeyringSecrets().get("prod")


def test_a_real_gnome_keyring_keeps_the_key_and_no_file_of_ours_does(tmp_path: Path) -> None:
    needs_tool("gnome-keyring-daemon")
    environment = {
        name: text for name, text in os.environ.items() if name != "PYTHON_KEYRING_BACKEND"
    }
    done = subprocess.run(
        [
            needs_tool("dbus-run-session"),
            *("--", "sh", "-c"),
            # The daemon takes the password of its new keyring from standard input.
            'echo password | gnome-keyring-daemon --unlock --components=secrets && exec "$@"',
            *("sh", sys.executable, "-m", "tests.support.keyring_session", str(tmp_path)),
        ],
        cwd=REPOSITORY,
        env=environment
        | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
        | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "kept by SecretService"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "connections.toml" in files
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path

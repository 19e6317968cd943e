"""What a keyring must do, and a program that asks it of the session's own: `-m … FOLDER`.

Here and not in the test, whose other keyrings would join the one of the session.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keyring

from app.domain.connections import Connection
from app.domain.ports import Secrets
from app.infra.connection_store import TomlConnectionStore
from app.infra.keyring_secrets import KeyringSecrets

KEY = "canary-key-7f21"


def keeps_keys_apart_and_forgets_them(secrets: Secrets) -> None:
    assert secrets.get("prod") is None
    secrets.set("prod", KEY)
    secrets.set("thử nghiệm", "khóa đặc biệt")
    assert secrets.get("prod") == KEY
    assert secrets.get("thử nghiệm") == "khóa đặc biệt"
    secrets.set("prod", "another")
    assert secrets.get("prod") == "another"
    secrets.delete("prod")
    secrets.delete("prod")
    assert secrets.get("prod") is None
    assert secrets.get("thử nghiệm") == "khóa đặc biệt"
    secrets.delete("thử nghiệm")


def main() -> None:
    """Prints the keyring that was used, and leaves a connection with its key behind."""
    keeps_keys_apart_and_forgets_them(KeyringSecrets())
    KeyringSecrets().set("prod", KEY)
    store = TomlConnectionStore(Path(sys.argv[1]) / "connections.toml")
    store.save(Connection("prod", "https://client.example.com"))
    assert KeyringSecrets().get("prod") == KEY
    print("kept by", keyring.get_keyring().__module__.rpartition(".")[2])


if __name__ == "__main__":
    main()

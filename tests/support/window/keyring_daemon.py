"""A session bus of a test's own with a real GNOME Keyring on it, unlocked."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.needs import needs_tool

# The daemon takes the password of its new keyring from standard input, and goes with the bus.
_SESSION = """
echo password | gnome-keyring-daemon --unlock --components=secrets >&2 || exit 1
echo "$DBUS_SESSION_BUS_ADDRESS"
cat
"""


@contextlib.contextmanager
def keyring_session(folder: Path) -> Iterator[str]:
    """The bus's address. Everything that the daemon keeps lies below the folder."""
    needs_tool("gnome-keyring-daemon")
    (folder / "run").mkdir(parents=True)
    (folder / "run").chmod(0o700)
    own = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
    }
    with (
        (folder / "keyring.log").open("wb") as log,
        subprocess.Popen(
            [needs_tool("dbus-run-session"), "--", "sh", "-c", _SESSION],
            env={**os.environ, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as session,
    ):
        assert session.stdin is not None
        assert session.stdout is not None
        try:
            address = session.stdout.readline().strip()
            assert address, (folder / "keyring.log").read_text("utf-8", "replace")
            yield address
        finally:
            session.stdin.close()
            session.wait(30)

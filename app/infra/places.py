"""Where LakeDrop keeps its things on this machine, the same on every platform but for the root."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import platformdirs

HOME_VARIABLE = "LAKEDROP_HOME"
_APP = "LakeDrop"


class Places(NamedTuple):
    """All folders exist with mode 0700 after `make`."""

    config: Path  # connections.toml, settings.toml
    state: Path  # the journal, logs
    runtime: Path  # the engine's socket
    lake: Path  # the local lake

    @classmethod
    def of_user(cls) -> Places:
        """This user's own places; all below `LAKEDROP_HOME` when that is set (tests, trials)."""
        home = os.environ.get(HOME_VARIABLE)
        if home:
            return cls.below(Path(home).absolute())
        return cls(
            config=platformdirs.user_config_path(_APP, appauthor=False),
            state=platformdirs.user_state_path(_APP, appauthor=False),
            runtime=_runtime_folder(),
            lake=platformdirs.user_data_path(_APP, appauthor=False) / "lake",
        )

    @classmethod
    def below(cls, home: Path) -> Places:
        return cls(home / "config", home / "state", home / "run", home / "lake")

    def make(self) -> Places:
        for folder in (self.config, self.state, self.runtime, self.lake):
            make_durable_folder(folder)
        return self

    @property
    def runtime_file(self) -> Path:
        # Beside the lock: a shell by ssh or cron must find the engine of the desktop session,
        # though it has no XDG_RUNTIME_DIR or another one.
        return self.state / "engine.json"

    @property
    def engine_lock(self) -> Path:
        return self.state / "engine.lock"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def receipts(self) -> Path:
        return self.state / "receipts"

    @property
    def engine_log(self) -> Path:
        return self.state / "engine.log"

    @property
    def window_log(self) -> Path:
        return self.state / "window.log"

    @property
    def connections_file(self) -> Path:
        return self.config / "connections.toml"


def make_durable_folder(folder: Path) -> None:
    """Makes what is missing of it, 0700, each new name on stable storage where that can be asked.

    The local lake lies below: what it acknowledges must not hang on an entry that a power cut
    takes away.
    """
    missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)
        sync_folder(part.parent)


def sync_folder(folder: Path) -> None:
    """Its names are on stable storage, where that can be asked for."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _runtime_folder() -> Path:
    """The session's own folder where there is one; never a guessed name below /tmp."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session and Path(session).is_dir():
        return Path(session) / _APP
    return platformdirs.user_state_path(_APP, appauthor=False)

"""Where LakeDrop keeps its things on this machine, the same on every platform but for the root."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HOME_VARIABLE = "LAKEDROP_HOME"
_APP = "LakeDrop"


@dataclass(frozen=True, slots=True)
class Places:
    """All folders exist with mode 0700 after `make`."""

    config: Path  # connections.toml, settings.toml
    state: Path  # the journal, logs
    runtime: Path  # the engine's socket and runtime file
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
            runtime=platformdirs.user_runtime_path(_APP, appauthor=False),
            lake=platformdirs.user_data_path(_APP, appauthor=False) / "lake",
        )

    @classmethod
    def below(cls, home: Path) -> Places:
        return cls(home / "config", home / "state", home / "run", home / "lake")

    def make(self) -> Places:
        for folder in (self.config, self.state, self.runtime, self.lake):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    @property
    def runtime_file(self) -> Path:
        return self.runtime / "engine.json"

    @property
    def engine_lock(self) -> Path:
        return self.state / "engine.lock"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def engine_log(self) -> Path:
        return self.state / "engine.log"

    @property
    def connections_file(self) -> Path:
        return self.config / "connections.toml"

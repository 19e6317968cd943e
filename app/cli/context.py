"""What a command gets from whoever composed the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.terminal import Terminal
from app.link.engine_client import EngineClient


@dataclass(frozen=True, slots=True)
class CommandContext:
    terminal: Terminal
    attach_engine: Callable[[], EngineClient]  # starts one when none lives
    stop_engine: Callable[[], None]  # returns when it has let go of everything
    use_home: Callable[[Path], None]  # from here on everything lies below this folder
    samples: Path
    environment_key: str | None = field(default=None, repr=False)  # LAKEDROP_API_KEY

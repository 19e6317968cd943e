"""A command line on a scripted engine, with streams that can play a terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.cli.arguments import parser
from app.cli.commands import run
from app.cli.context import CommandContext
from app.cli.terminal import Terminal
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineNotStarted
from app.link.engine_starter import connect_running
from tests.support.fake_engine import FakeEngine
from tests.unit.cli.upload_script import Script


class Stream(io.StringIO):
    def __init__(self, text: str = "", *, is_terminal: bool = False) -> None:
        super().__init__(text)
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


class TypingTerminal(Terminal):
    """A terminal at which somebody types `secret` when asked for one."""

    secret = ""

    def ask_secret(self, prompt: str) -> str:
        self.tell(prompt)
        return self.secret


@dataclass
class CommandLine:
    """`run` gives the exit code; what was said is then in `out` and `err`."""

    engine: FakeEngine
    folder: Path
    environment_key: str | None = None
    on_terminal: bool = False
    typed: str = ""
    typed_secret: str = ""
    attached: int = 0
    out: str = ""
    err: str = ""
    homes: list[Path] = field(default_factory=list)

    def run(self, *arguments: str) -> int:
        stdin = Stream(self.typed, is_terminal=self.on_terminal)
        stdout, stderr = Stream(), Stream(is_terminal=self.on_terminal)
        terminal = TypingTerminal(stdin, stdout, stderr)
        terminal.secret = self.typed_secret
        context = CommandContext(
            terminal,
            self._attach,
            self.engine.stopped.set,
            self.homes.append,
            self.folder / "samples",
            self.environment_key,
        )
        try:
            return run(parser().parse_args(arguments), context)
        finally:
            self.out, self.err = stdout.getvalue(), stderr.getvalue()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def _attach(self) -> EngineClient:
        self.attached += 1
        client = connect_running(self.engine.runtime_file)
        if client is None:
            raise EngineNotStarted("no fake engine is running")
        return client


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "run" / "engine.json") as engine:
        yield engine


@pytest.fixture
def lakedrop(engine: FakeEngine, tmp_path: Path) -> CommandLine:
    return CommandLine(engine, tmp_path)


@pytest.fixture
def script(engine: FakeEngine) -> Script:
    return Script(engine)


@pytest.fixture
def upload(lakedrop: CommandLine, tmp_path: Path) -> Callable[..., int]:
    (tmp_path / "sales").mkdir()

    def upload(*options: str, mode: str = "incremental") -> int:
        source = str(tmp_path / "sales")
        return lakedrop.run("upload", source, "--to", "/data/x", "--mode", mode, *options)

    return upload

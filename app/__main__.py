"""`lakedrop` alone opens the window; with a command it is the command line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

# All that takes a while is imported by `_command`, where Ctrl-C is listened to already.
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType

    from app.cli.terminal import Terminal
    from app.domain.errors import LakeDropError
    from app.link.engine_client import EngineClient

_TRACEBACK_VARIABLE = "LAKEDROP_TRACEBACK"
_INTERRUPTED = 130  # `app.cli.exits` may not be imported yet


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code; only wrong options and --help leave by `SystemExit`."""
    interrupt = _FirstInterrupt()
    try:
        interrupt.listen()
        try:
            return _command(list(sys.argv[1:] if argv is None else argv))
        finally:
            interrupt.ignore_more()
    except KeyboardInterrupt:
        return _INTERRUPTED


class _FirstInterrupt:
    """One Ctrl-C ends the command; those after it find it ending, and must not tear that."""

    def __init__(self) -> None:
        self._over = False
        self._listening = False

    def listen(self) -> None:
        # Not where the shell had it ignored, nor where it is another's: in the tests.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._on_signal)
            self._listening = True

    def ignore_more(self) -> None:
        self._over = True
        if self._listening:  # the interpreter's own end would take our handler away
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._over:
            self._over = True
            raise KeyboardInterrupt


def _command(arguments: list[str]) -> int:
    if not arguments or arguments[0] == "window":
        return _window(arguments[1:])
    from app.cli import exits
    from app.cli.arguments import parser
    from app.cli.terminal import Terminal

    if arguments[:1] in (["serve"], ["keys"], ["rescan"]) or _is_about_a_lake_folder(arguments):
        from app.cli.serve import serve

        return serve(arguments[1:] if arguments[0] == "serve" else arguments)
    if arguments[:1] == ["engine"]:
        from app.composition import EXPECT_LOCAL_LAKE, run_engine

        return run_engine(expect_local_lake=EXPECT_LOCAL_LAKE in arguments)
    terminal = Terminal.of_process()
    grammar = parser()
    options = grammar.parse_args(arguments)
    if options.command is None:
        grammar.print_help(terminal.stdout)
        return exits.DONE
    return _guarded(options, terminal)


def _is_about_a_lake_folder(arguments: list[str]) -> bool:
    """The server's own `verify`; the other one is of a receipt."""
    return arguments[:1] == ["verify"] and any(
        argument == "--lake" or argument.startswith("--lake=") for argument in arguments
    )


def _window(arguments: list[str]) -> int:
    """Imports nothing of the command line unless there is something to say."""
    # All that is made until the first paint stays: looking through it for what could be freed
    # takes a tenth of the whole start. `app.ui.application` collects again from then on.
    gc.disable()
    from app.composition import run_window
    from app.domain.errors import LakeDropError

    try:
        return run_window(arguments)
    except LakeDropError as error:
        from app.cli import exits
        from app.cli.terminal import Terminal

        Terminal.of_process().tell_error(error)
        return exits.FAILED
    finally:
        gc.enable()


def _guarded(options: Namespace, terminal: Terminal) -> int:
    """Every way a command can end, in words; no traceback reaches a user."""
    from app.cli import exits
    from app.cli.interrupts import Interrupted
    from app.domain.errors import ConnectionNotUsable, LakeDropError, WrongUse

    try:
        return _run(options, terminal)
    except LakeDropError as error:
        _tell(options, terminal, error)
        wrong_use = isinstance(error, WrongUse | ConnectionNotUsable)
        return exits.WRONG_USE if wrong_use else exits.FAILED
    except BrokenPipeError:
        # Whoever read us left (`lakedrop jobs | head`); the interpreter's own flush at the end
        # would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE
    except Interrupted as interrupted:
        return interrupted.exit_code
    except OSError as error:
        _tell(options, terminal, LakeDropError(str(error)))
        return exits.FAILED
    except Exception as bug:
        if os.environ.get(_TRACEBACK_VARIABLE):
            raise
        words = (
            f"LakeDrop met a fault of its own ({type(bug).__name__}). To see where, for a report, "
            f"run the command again with {_TRACEBACK_VARIABLE}=1."
        )
        _tell(options, terminal, LakeDropError(words))
        return exits.FAILED


def _run(options: Namespace, terminal: Terminal) -> int:
    from app import composition
    from app.cli.commands import run
    from app.cli.context import CommandContext
    from app.domain.errors import JournalSetAside
    from app.infra.places import HOME_VARIABLE
    from app.link.engine_starter import API_KEY_VARIABLE

    def use_home(folder: Path) -> None:
        os.environ[HOME_VARIABLE] = str(folder)

    def attach_engine() -> EngineClient:
        client = composition.attach_engine(expect_local_lake=_is_for_local_lake(options))
        if client.notice and client.notice not in told:
            told.add(client.notice)
            terminal.tell_error(JournalSetAside(client.notice))
        return client

    told: set[str] = set()
    context = CommandContext(
        terminal,
        attach_engine,
        composition.stop_engine,
        use_home,
        composition.resources_folder() / "samples",
        os.environ.get(API_KEY_VARIABLE) or None,
    )
    return run(options, context)


def _is_for_local_lake(options: Namespace) -> bool:
    elsewhere = getattr(options, "connection", None) or getattr(options, "server", None)
    return options.command in ("upload", "jobs", "history", "demo") and not elsewhere


def _tell(options: Namespace, terminal: Terminal, error: LakeDropError) -> None:
    if getattr(options, "json", False):
        from app.cli.upload_report import tell_error_as_json

        tell_error_as_json(terminal, error)
    else:
        terminal.tell_error(error)


if __name__ == "__main__":
    sys.exit(main())

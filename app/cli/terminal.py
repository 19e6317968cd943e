"""Standard input, output and error, with what a console of each platform needs."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any, TextIO

from app.cli.words import shown
from app.domain.errors import LakeDropError


class Terminal:
    """`say` is the command's result, `tell` what is said on the way; questions go with `tell`.

    Names and servers' words stand in all of it, so nothing that steers a terminal passes here.
    """

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    @classmethod
    def of_process(cls) -> Terminal:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A name that the console cannot show must not end the command.
                encoding = "utf-8" if os.name == "nt" else None
                stream.reconfigure(encoding=encoding, errors="backslashreplace")
        # Closed ones (`>&-`) are None here: nothing is read from them, and nothing said goes far.
        return cls(
            sys.stdin or io.StringIO(), sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
        )

    @property
    def can_ask(self) -> bool:
        return self.stdin.isatty() and self.stderr.isatty()

    @property
    def can_redraw(self) -> bool:
        """Whether progress can be drawn in place: not in a file, nor in an editor's shell."""
        return self.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")

    def say(self, text: str) -> None:
        print(_safe(text), file=self.stdout, flush=True)

    def tell(self, text: str) -> None:
        print(_safe(text), file=self.stderr, flush=True)

    def say_json(self, row: dict[str, Any]) -> None:
        """One line. ASCII only, so that every name survives, also one that is no Unicode."""
        self.say(json.dumps(row, ensure_ascii=True, separators=(",", ":")))

    def tell_error(self, error: LakeDropError) -> None:
        self.tell(shown(f"lakedrop: {error.title}: {error.message}"))

    def ask(self, question: str) -> bool:
        """No unless the answer is y or yes, in any case."""
        self.stderr.write(f"{shown(question)} [y/N] ")
        self.stderr.flush()
        return self.stdin.readline().strip().casefold() in ("y", "yes")

    def ask_secret(self, prompt: str) -> str:
        """Not echoed. Empty when nothing was typed."""
        import getpass

        return getpass.getpass(shown(prompt), stream=self.stderr).strip()


def _safe(text: str) -> str:
    """Our own line ends stay."""
    return text if text.isprintable() else "\n".join(map(shown, text.split("\n")))

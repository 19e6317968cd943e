"""Rows as a table: in colours and as wide as the terminal, or plain and never cut elsewhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.terminal import Terminal
from app.cli.words import shown

# Wider than any name: rich breaks lines at the width, and a program that reads ours must not
# find a row in two lines.
_UNBOUNDED = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    head: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    colour: str = ""


def say_table(
    terminal: Terminal, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.head,
            justify="right" if column.number else "left",
            no_wrap=column.number,
            overflow="fold",  # on a narrow terminal a name goes on below, nothing is lost
        )
    for row in rows:
        table.add_row(*(Text(shown(cell.text), style=cell.colour) for cell in row))
    if terminal.stdout.isatty():
        Console(file=terminal.stdout, highlight=False).print(table)
        return
    plain = Console(file=io.StringIO(), width=_UNBOUNDED, no_color=True, highlight=False)
    with plain.capture() as captured:
        plain.print(table)
    for line in captured.get().splitlines():
        terminal.say(line.rstrip())

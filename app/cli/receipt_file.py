"""Reads a receipt, CSV or JSON, line by line: one of a million files is never all in memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from app.cli.words import shown
from app.domain.errors import WrongUse
from app.domain.queue_item import Assurance
from app.domain.receipt import COLUMNS

_FILES_FOLLOW = ', "files": ['
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """`sha256` is empty where the file was never read whole.

    `arrived`: it was sent, or was in the lake already.
    """

    path: str
    size_bytes: int
    sha256: str
    arrived: bool
    source: str

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`connection` is empty in CSV, which does not tell it; `lines` can be gone through once."""

    connection: str
    state: str
    mode: str
    lines: Iterator[ReceiptLine]


@contextmanager
def opened_receipt(path: Path) -> Iterator[Receipt]:
    """Raises `WrongUse`, also while its lines are read, for what is no receipt, or a cut one."""
    name = shown(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = file.read(1)
            file.seek(0)
            yield _of_json(file, name) if start == "{" else _of_csv(file, name)
    except UnicodeDecodeError as cause:
        raise _no_receipt(name) from cause
    except OSError as cause:
        raise WrongUse(f"{name} cannot be read: {cause.strerror}.") from cause


def _of_json(file: TextIO, name: str) -> Receipt:
    first = file.readline().rstrip("\r\n")
    try:
        if first.endswith(_FILES_FOLLOW):
            head = json.loads(first.removesuffix(_FILES_FOLLOW) + "}")
            rows = _json_rows(file, name)
        else:  # somebody's tool has written it anew
            head = json.loads(first + file.read())
            rows = iter(head["files"])
        return Receipt(
            _text(head, "connection"),
            _text(head, "state"),
            _text(head, "mode"),
            _json_lines(rows, name),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as cause:
        raise _no_receipt(name) from cause


def _json_rows(file: TextIO, name: str) -> Iterator[object]:
    for line in file:
        text = line.strip()
        if text == "]}":
            return
        yield json.loads(text.removesuffix(","))
    raise WrongUse(f"{name} is cut: its last lines are missing.")


def _json_lines(rows: Iterator[object], name: str) -> Iterator[ReceiptLine]:
    try:
        for row in rows:
            if not isinstance(row, dict):
                raise TypeError
            yield _line(row)
    except (ValueError, TypeError, KeyError) as cause:
        raise _no_receipt(name) from cause


def _of_csv(file: TextIO, name: str) -> Receipt:
    table = csv.DictReader(file)
    try:
        if not set(COLUMNS) <= set(table.fieldnames or ()):
            raise _no_receipt(name)
    except csv.Error as cause:
        raise _no_receipt(name) from cause
    return Receipt("", "", "", _csv_lines(table, name))


def _csv_lines(table: csv.DictReader[str], name: str) -> Iterator[ReceiptLine]:
    try:
        for row in table:
            yield _line(row)
    except (csv.Error, ValueError, TypeError, KeyError) as cause:
        raise _no_receipt(name, table.line_num) from cause


def _line(row: Mapping[str, Any]) -> ReceiptLine:
    line = ReceiptLine(
        _text(row, "path"),
        int(row["size"]),
        _text(row, "sha256"),
        Assurance(row["assurance"]) is not Assurance.NONE,
        _text(row, "source"),
    )
    if not line.path.startswith("/") or (line.sha256 and not _SHA256.fullmatch(line.sha256)):
        raise ValueError
    return line


def _text(fields: Mapping[str, Any], name: str) -> str:
    if not isinstance(fields[name], str):
        raise TypeError
    return str(fields[name])


def _no_receipt(name: str, line: int | None = None) -> WrongUse:
    where = "" if line is None else f" (line {line})"
    return WrongUse(f"{name} is no receipt of LakeDrop's, or it was changed{where}.")

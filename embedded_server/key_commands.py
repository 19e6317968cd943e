"""`lakedrop keys add|list|revoke`: on a lake, whether its server runs or not."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded_server.domain.errors import CannotServe, LakeError
from embedded_server.key_calls import KeyCalls
from embedded_server.own_folder import open_own_folder, unusable_folder_told
from embedded_server.parent import say
from embedded_server.settings import folder
from embedded_server.storage import own_files
from embedded_server.storage.disk import Disk
from embedded_server.storage.lake_lock import LakeInUse, LakeLock
from embedded_server.storage.layout import Layout

_LONGEST_WAIT_S = 30.0

Call = Callable[[dict[str, Any]], Any]


def main(arguments: Sequence[str]) -> int:
    """Returns the process's exit status; wrong usage exits with 2."""
    asked = _parser().parse_args(arguments)
    try:
        return _run(asked)
    except (CannotServe, LakeError, LakeInUse) as problem:
        sys.stderr.write(f"lakedrop keys: {problem}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lakedrop keys",
        description="Keys of a lake server. They work at once, also while the server runs.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="make a key; it is printed this once")
    add.add_argument("name", metavar="NAME", help="whose it is, such as nightly-export")
    add.add_argument("--path", metavar="/DATA/X", help="only for this path of the lake and below")
    add.add_argument("--read-only", action="store_true", help="it may list and read, not change")
    listing = actions.add_parser("list", help="show all that are in use, never the keys themselves")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    revoke = actions.add_parser("revoke", help="take a key out of use, at once")
    revoke.add_argument("name", metavar="NAME")
    for action in (add, listing, revoke):
        action.add_argument(
            "--lake", required=True, type=folder, metavar="DIR", help="folder that holds the lake"
        )
    return parser


def _run(asked: argparse.Namespace) -> int:
    with _lake(asked.lake, may_make=asked.action == "add") as call:
        if asked.action == "add":
            key = call(
                {
                    "command": "add",
                    "name": asked.name,
                    "path": asked.path,
                    "read_only": asked.read_only,
                }
            )
            sys.stderr.write(
                f"The key of {asked.name} is shown this once: only its digest is kept.\n"
            )
            return 0 if say(key) else 1
        if asked.action == "revoke":
            call({"command": "revoke", "name": asked.name})
            sys.stderr.write(f"The key of {asked.name} is out of use.\n")
            return 0
        rows = call({"command": "list"})
    lines = [json.dumps(row) for row in rows] if asked.json else _table(rows)
    return 0 if all(say(line) for line in lines) else 1


@contextmanager
def _lake(lake: Path, *, may_make: bool) -> Iterator[Call]:
    """A way to the lake's keys: its running server's, or its catalog, locked meanwhile."""
    if not may_make and not (lake / ".lakedrop").is_dir():
        raise CannotServe(f"{lake} is no lake: there is no .lakedrop in it")
    disk = Disk()
    layout = open_own_folder(lake, disk)
    try:
        with unusable_folder_told(lake):
            lock = LakeLock(layout)
    except LakeInUse:
        yield lambda asked: _of_server(layout, asked)
        return
    try:
        from embedded_server.catalog.opening import open_catalog

        with unusable_folder_told(lake):
            catalog = open_catalog(layout.catalog)
        try:
            yield KeyCalls.of(catalog).do
        finally:
            catalog.close()
    finally:
        lock.release()


def _of_server(layout: Layout, asked: dict[str, Any]) -> Any:
    door = own_files.read_door(layout.owners_door)
    if door is None:
        raise CannotServe(
            "a server holds this lake, but does not say how to reach it: try again in a moment"
        )
    port, secret = door
    line = json.dumps({"secret": secret, **asked}).encode("ascii") + b"\n"
    try:
        with socket.create_connection(("127.0.0.1", port), _LONGEST_WAIT_S) as connection:
            connection.sendall(line)
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except (OSError, ValueError) as cause:
        raise CannotServe("the lake's server does not answer: is it stopping?") from cause
    if "done" not in answer:
        raise CannotServe(str(answer.get("problem")))
    return answer["done"]


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["No keys are in use."]
    cells = [("NAME", "MAY", "ADDED", "LAST USED")]
    for row in rows:
        what = "read" if row["read_only"] else "read and write"
        cells.append(
            (
                row["name"],
                f"{what} {row['path']}" if row["path"] else what,
                _time(row["created_at_ms"]),
                _time(row["last_used_at_ms"]) if row["last_used_at_ms"] else "never",
            )
        )
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")

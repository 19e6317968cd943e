"""`lakedrop verify` and `lakedrop rescan`: the files of a lake at rest against its catalog."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from embedded_server.domain.errors import CannotServe, LakeError
from embedded_server.domain.measures import Measures
from embedded_server.own_folder import open_own_folder, unusable_folder_told
from embedded_server.parent import say
from embedded_server.services.checking import CHANGED, EXTRA, LEFT_OUT, MISSING, Checking, Finding
from embedded_server.settings import folder
from embedded_server.storage.disk import Disk
from embedded_server.storage.lake_lock import LakeInUse, LakeLock

VERIFY, RESCAN = "verify", "rescan"
COMMANDS = (VERIFY, RESCAN)


def main(command: str, arguments: Sequence[str]) -> int:
    """0: all is as it should be, or was mended; 1: not, or it could not be told; 2: wrong usage."""
    asked = _parser(command).parse_args(arguments)
    try:
        return _run(command, asked)
    except LakeInUse as problem:
        where = "" if problem.address is None else f" at {problem.address}"
        text = f"a server is at work on this lake{where}: stop it, then try again"
        sys.stderr.write(f"lakedrop {command}: {text}\n")
    except (CannotServe, LakeError) as problem:
        sys.stderr.write(f"lakedrop {command}: {problem}\n")
    return 1


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"lakedrop {command}",
        description=(
            "Read every published file anew and compare it with the digest noted at its upload."
            " The receipt of one upload is compared by: lakedrop verify RECEIPT"
            if command == VERIFY
            else "Note in the catalog what was changed, added or removed behind the server's back;"
            " so a folder that existed before is adopted: put it at DIR/files."
        ),
    )
    parser.add_argument(
        "--lake", required=True, type=folder, metavar="DIR", help="folder that holds the lake"
    )
    if command == VERIFY:
        parser.add_argument(
            "--sync", type=_sync_id, metavar="N", help="only what this sync brought"
        )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _run(command: str, asked: argparse.Namespace) -> int:
    known = asked.lake / ".lakedrop"
    if not (known.is_dir() or (command == RESCAN and (asked.lake / "files").is_dir())):
        needed = "no .lakedrop in it" if command == VERIFY else "neither .lakedrop nor files in it"
        raise CannotServe(f"{asked.lake} is no lake: there is {needed}")
    disk = Disk()
    layout = open_own_folder(asked.lake, disk)
    with unusable_folder_told(asked.lake):
        lock = LakeLock(layout)
    try:
        from embedded_server.opened_lake import OpenedLake

        opened = OpenedLake(layout, disk, Measures())
        try:
            if command == VERIFY:
                return _verify(opened.checking, asked.sync, as_json=asked.json)
            return _rescan(opened.checking, as_json=asked.json)
        finally:
            opened.close()
    finally:
        lock.release()


def _verify(checking: Checking, sync_id: int | None, *, as_json: bool) -> int:
    found = checking.verify() if sync_id is None else checking.verify_sync(sync_id)
    counts = _told(found, as_json=as_json)
    wrong = counts[MISSING] + counts[CHANGED] + counts[EXTRA]
    sys.stderr.write(
        f"{counts['']} as they were uploaded, {counts[MISSING]} missing,"
        f" {counts[CHANGED]} changed, {counts[EXTRA]} extra\n"
    )
    return 1 if wrong else 0


def _rescan(checking: Checking, *, as_json: bool) -> int:
    counts = _told(checking.rescan(), as_json=as_json)
    sys.stderr.write(
        f"the catalog knows the lake as it is: {counts['adopted']} adopted, {counts[CHANGED]}"
        f" changed, {counts[MISSING]} missing, {counts[LEFT_OUT]} left out\n"
    )
    return 1 if counts[LEFT_OUT] else 0


def _told(findings: Iterator[Finding], *, as_json: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for it in findings:
        counts[it.what] += 1
        if not it.what:
            continue
        if as_json:
            say(json.dumps({"what": it.what, "path": it.path, "why": it.why}))
        else:
            say(f"{it.what}  {_shown(it.path)}" + (f"  ({_shown(it.why)})" if it.why else ""))
    return counts


def _shown(text: str) -> str:
    """On one line, whatever somebody has put into a name."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def _sync_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not the number of a sync")
    return int(text)

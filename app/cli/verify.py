"""`lakedrop verify RECEIPT`: whether lake and source still hold what a receipt tells."""

from __future__ import annotations

import hashlib
import os
import stat
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.receipt_file import Receipt, ReceiptLine, opened_receipt
from app.cli.target import Target, key_for, target_of
from app.cli.terminal import Terminal
from app.domain.errors import ConnectionNotUsable, InvalidApiKey, WrongUse
from app.domain.lake_folders import LakeFolders
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType
from embedded_server.contract_extensions import LakeEntries


class Verdict(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    why: str = ""


_SAME = Finding(Verdict.SAME)
_NOT_ASKED = Finding(Verdict.NOT_CHECKED, "not asked for")
_NO_DIGESTS = Finding(Verdict.NOT_CHECKED, "this server tells no digests")


def verify(options: Namespace, context: CommandContext) -> int:
    """0: all that arrived is as it was on both sides; 1: not, or it could not be told.

    Raises `WrongUse` for what is no receipt.
    """
    with opened_receipt(Path(options.receipt)) as receipt:
        target = _target(options, receipt)
        with EngineSession(context.attach_engine) as session:
            lake = _Lake(target, context, session)
            told = _Told(context.terminal, as_json=options.json)
            if receipt.mode == SyncType.FULL.value and receipt.state != JobState.FINISHED.value:
                told.beware("This full sync was never ended, so what it sent was never in sight.")
            for line in receipt.lines:
                if not line.arrived:
                    told.not_sent += 1
                    continue
                told.line(
                    line, lake.found(line), at_source(line) if options.sources else _NOT_ASKED
                )
    return told.result(sources=options.sources)


def in_lake(line: ReceiptLine, folders: LakeFolders) -> Finding:
    folder = folders.folder(line.folder)
    if folder is None:
        return _NO_DIGESTS
    entry = folder.get(line.name)
    if entry is None:
        return Finding(Verdict.GONE)
    if not entry.is_file:
        return Finding(Verdict.GONE, "something else stands there, no file")
    if entry.size != line.size_bytes:
        return Finding(Verdict.CHANGED, "another size")
    if entry.changed:
        return Finding(Verdict.CHANGED, "changed beside the server")
    if not entry.sha256 or not line.sha256:
        return Finding(Verdict.NOT_CHECKED, "the same size, but no digest is known")
    if entry.sha256 != line.sha256:
        return Finding(Verdict.CHANGED, "other bytes")
    return _SAME


def at_source(line: ReceiptLine) -> Finding:
    """The file is read whole, unless its size says enough."""
    try:
        found = os.stat(line.source)  # noqa: PTH116  a name that is no Unicode, too
        if not stat.S_ISREG(found.st_mode):
            return Finding(Verdict.GONE, "something else stands there, no file")
        if found.st_size != line.size_bytes:
            return Finding(Verdict.CHANGED, "another size")
        if not line.sha256:
            return Finding(Verdict.NOT_CHECKED, "the receipt has no digest of it")
        with open(line.source, "rb", buffering=0) as file:  # noqa: PTH123
            same = hashlib.file_digest(file, "sha256").hexdigest() == line.sha256
    except (FileNotFoundError, NotADirectoryError):
        return Finding(Verdict.GONE)
    except OSError as cause:
        return Finding(Verdict.NOT_CHECKED, f"cannot be read: {cause.strerror}")
    except ValueError as cause:
        return Finding(Verdict.NOT_CHECKED, f"cannot be read: {cause}")
    return _SAME if same else Finding(Verdict.CHANGED, "other bytes")


def _target(options: Namespace, receipt: Receipt) -> Target:
    """Where the command line says, else where the receipt says.

    A file may have come from anybody: an address that only it names is sent nothing.
    """
    if options.connection is not None or options.server is not None:
        return target_of(options)
    if not receipt.connection:
        raise WrongUse(
            "A CSV receipt does not tell which lake it is of. Give the JSON one beside it, or add "
            "--connection NAME (local: the local lake) or --server URL."
        )
    if "://" in receipt.connection:
        raise WrongUse(
            f"This receipt is of {words.shown(receipt.connection)}. If that is right, add: "
            f"--server {words.shown(receipt.connection)}"
        )
    return Target(receipt.connection)


class _Lake:
    def __init__(self, target: Target, context: CommandContext, session: EngineSession) -> None:
        self._target = target
        self._context = context
        self._session = session
        self._key = None if target.is_local else context.environment_key
        self._folders = LakeFolders(self._page)

    def found(self, line: ReceiptLine) -> Finding:
        return in_lake(line, self._folders)

    def _page(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        try:
            return self._asked(folder, offset, limit)
        except (ConnectionNotUsable, InvalidApiKey):
            if self._key or self._target.is_local:
                raise
            self._key = key_for(self._target, self._context, self._session)
            if self._key is None:  # the engine has one, so that was not what is wrong
                raise
        return self._asked(folder, offset, limit)

    def _asked(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        page = self._session.request(
            "lake_entries",
            connection=self._target.to_wire(),
            key=self._key,
            folder=folder,
            offset=offset,
            limit=limit,
        )["page"]
        return None if page is None else LakeEntries.from_wire(page)


class _Told:
    """What is not the same, line by line, or with JSON every line; then the numbers."""

    def __init__(self, terminal: Terminal, *, as_json: bool) -> None:
        self._terminal = terminal
        self._as_json = as_json
        self._lake: Counter[Verdict] = Counter()
        self._source: Counter[Verdict] = Counter()
        self._cannot_check = False
        self.not_sent = 0

    def beware(self, text: str) -> None:
        if self._as_json:
            self._terminal.say_json({"event": "beware", "message": text})
        else:
            self._terminal.tell(f"Beware: {text}")

    def line(self, line: ReceiptLine, lake: Finding, source: Finding) -> None:
        self._lake[lake.verdict] += 1
        self._source[source.verdict] += 1
        if self._as_json:
            self._terminal.say_json(
                {
                    "event": "file",
                    "path": line.path,
                    "lake": lake.verdict.value,
                    "lake_why": lake.why,
                    "source_path": line.source,
                    "source": source.verdict.value,
                    "source_why": source.why,
                }
            )
            return
        if lake is _NO_DIGESTS and not self._cannot_check:
            self._cannot_check = True
            self._terminal.tell("The lake cannot be checked: this server tells no digests.")
        if lake is not _SAME and lake is not _NO_DIGESTS:
            self._say(lake, "in the lake", line.path)
        if source is not _SAME and source is not _NOT_ASKED:
            self._say(source, "at the source", line.source)

    def _say(self, finding: Finding, where: str, path: str) -> None:
        why = f"  ({words.shown(finding.why)})" if finding.why else ""
        self._terminal.say(f"{finding.verdict} {where}  {words.shown(path)}{why}")

    def result(self, *, sources: bool) -> int:
        sides = [self._lake, self._source] if sources else [self._lake]
        is_same = all(side[Verdict.SAME] == side.total() for side in sides)
        exit_code = exits.DONE if is_same else exits.FAILED
        if self._as_json:
            self._terminal.say_json(
                {
                    "event": "result",
                    "files": self._lake.total(),
                    "lake": {verdict.value: self._lake[verdict] for verdict in Verdict},
                    "source": {verdict.value: self._source[verdict] for verdict in Verdict},
                    "not_sent": self.not_sent,
                    "exit_code": exit_code,
                }
            )
            return exit_code
        self._terminal.tell(f"In the lake: {_counted(self._lake)}.")
        if sources:
            self._terminal.tell(f"At the source: {_counted(self._source)}.")
        if self.not_sent:
            self._terminal.tell(
                f"{words.files(self.not_sent)} of the receipt had not arrived, and "
                f"{'was' if self.not_sent == 1 else 'were'} not looked for."
            )
        return exit_code


def _counted(side: Counter[Verdict]) -> str:
    numbers = ", ".join(f"{side[verdict]:,} {verdict}" for verdict in Verdict if side[verdict])
    return numbers or "no files"

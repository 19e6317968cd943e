"""A real server on a watched lake, and the judgement on whatever hostile was sent to it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from embedded_server import contract
from embedded_server import contract_extensions as more
from tests.support.broken_builds import SOUND
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.watched_lake import WatchedLake
from tests.support.ways_in import BY_PATH, Said, Way, WaysIn
from tests.support.wire import Wire

_FROM = "from"  # what *rename to* gives another name


class HostileHouse:
    """Nothing is in sight between two requests; `complaints` say what a request did amiss."""

    def __init__(
        self, servers: ForkedServers, top: Path, build: str = SOUND, flags: Sequence[str] = ()
    ) -> None:
        self.watched = WatchedLake(top)
        self.server = ForkedServer(servers, self.watched.lake, build=build, flags=flags)
        self.wire = Wire(self.server.port)
        self.ways = WaysIn(self.wire, self.server.port, self.server.api_key)
        self.ways.trashed = self._version_in_the_trash()
        self.tidy()
        self.watched.remember()

    def _version_in_the_trash(self) -> int:
        """At a place that nobody names by chance: else putting it back would be right."""
        kept = self.server.files / "in-the-trash" / "old"
        kept.parent.mkdir()
        kept.write_bytes(b"old")
        gone = self.ways.fields(more.LAKE_DELETE_ROUTE, path=b'"/in-the-trash/old"')
        assert gone.status == 200, gone
        return int(gone.json["version"])

    def tidy(self) -> None:
        """Empties `files/` behind the server's back, which it must bear as well."""
        for entry in os.scandir(os.fsencode(self.server.files)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(os.fsdecode(entry.path)).unlink()

    def try_way(self, way: Way, sent: str | bytes) -> tuple[Said, list[str]]:
        """One request, and what was wrong with what it did."""
        standing: set[bytes] = set()
        is_rename = way is BY_PATH["rename to"]
        if is_rename:
            (self.server.files / _FROM).write_bytes(b"from here")
            standing = {_FROM.encode()}
        said = way(self.ways, sent)
        complaints = [
            f"changed outside of the lake: {it!r}" for it in self.watched.changed_around()
        ]
        complaints += [f"left behind: {it!r}" for it in self.watched.on_the_way()]
        in_sight = self.watched.in_sight()
        expected = set(said.in_sight) if said.is_accepted else standing
        if in_sight != expected:
            complaints.append(f"{in_sight} is in sight, not {expected}")
        self.tidy()
        return said, complaints

    def newest_upload(self) -> dict[str, Any]:
        [row] = self.ways.get(contract.HISTORY_QUERY_ROUTE, "size=1").json["rows"]
        assert isinstance(row, dict)
        return row

    def still_answers(self) -> bool:
        """An upload comes through, is found by its name, and goes again."""
        accepted = self.ways.upload(b'filename="fine"').status == 200
        found = self.ways.entry(b"/h/fine").status == 200
        self.tidy()
        return accepted and found

    def log(self) -> str:
        return self.server.errors.read_text("utf-8", "replace")

    def complaints_of_its_log(self) -> list[str]:
        return [line for line in self.log().splitlines() if "Traceback" in line or "ERROR" in line]

    def key_in_json(self) -> bytes:
        return json.dumps(self.server.api_key).encode()

    def __enter__(self) -> HostileHouse:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.wire.close()
        self.server.stop()

"""What people do in a lake by hand, one call after the other, and what it must hold at each.

A file is in its place or in the trash, or after a purge gone; never in neither, and never half. A
call that was cut off is done, or not begun; what puts back a version file by file is finished by
the next start. Of a part of a version each file is put back or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from embedded_server.contract_extensions import (
    LAKE_DELETE_ROUTE,
    LAKE_FOLDER_ROUTE,
    LAKE_RENAME_ROUTE,
    TRASH_PURGE_ROUTE,
    TRASH_RESTORE_ROUTE,
)
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.held import Held, Version, held, on_its_way, place_of
from tests.support.lake_connection import Answer, LakeConnection, LakeFile
from tests.support.lake_oracle import left_behind
from tests.support.real_server import ServerDidNotStart
from tests.support.uploaders import in_batches, lake_file

HAND, WHOLE, OTHER = "/data/hand", "/data/whole", "/data/other"


class CutOff(Enum):
    """What a call may leave when it never came to its end, after the next start."""

    ONE_STEP = auto()  # done, or not begun
    FILE_BY_FILE = auto()  # each file moved or not, or both where one was about to be replaced
    VERSION_BY_VERSION = auto()  # each version of the trash whole or gone


@dataclass(frozen=True, slots=True)
class Operation:
    """`moves_a_file`: of two folders on a disk after a power cut both may name it."""

    name: str
    send: Callable[[LakeConnection, Path], Answer]
    before: Held
    after: Held
    cut_off: CutOff = CutOff.ONE_STEP
    moves_a_file: bool = False


def new_folder(now: Held, path: str) -> Operation:
    return Operation(
        "new folder", _asking(LAKE_FOLDER_ROUTE, path=path), now, now.with_folder(path)
    )


def delete(now: Held, path: str) -> Operation:
    is_file = path in now.files
    return Operation(
        f"delete a {'file' if is_file else 'folder'}",
        _asking(LAKE_DELETE_ROUTE, path=path),
        now,
        now.deleted(path),
        moves_a_file=is_file,
    )


def rename(now: Held, path: str, to: str) -> Operation:
    is_file = path in now.files
    return Operation(
        f"rename a {'file' if is_file else 'folder'}",
        _asking(LAKE_RENAME_ROUTE, path=path, to=to),
        now,
        now.renamed(path, to),
        moves_a_file=is_file,
    )


def put_back(
    name: str, now: Held, version: Version, *, folder: str = "", only: str = ""
) -> Operation:
    places: list[tuple[int, int]] = []

    def send(client: LakeConnection, lake: Path) -> Answer:
        if not places:  # sent again it has the same number, wherever the version is by then
            places.append(place_of(lake, version))
        sync_id, number = places[0]
        part = {"path": only} if only else {}
        return client.post(TRASH_RESTORE_ROUTE, {"sync_id": sync_id, "version": number, **part})

    cut_off = CutOff.FILE_BY_FILE if only else CutOff.ONE_STEP
    return Operation(name, send, now, now.put_back(version, folder, only), cut_off)


def purge(now: Held) -> Operation:
    send = _asking(TRASH_PURGE_ROUTE, older_than_days=0)
    return Operation("purge", send, now, now.purged(), CutOff.VERSION_BY_VERSION)


def _asking(route: str, **fields: Any) -> Callable[[LakeConnection, Path], Answer]:
    return lambda client, _lake: client.post(route, fields)


# -- a script ----------------------------------------------------------------------------------


def prepare(client: LakeConnection) -> None:
    """Two incremental syncs on a folder, two full ones on another."""
    names = ["a.bin", "b.bin", "deep/c.bin", "deep/d.bin"]
    sync_of(client, HAND, [lake_file(f"{HAND}/{name}") for name in names])
    sync_of(client, HAND, [lake_file(f"{HAND}/{name}", 1) for name in ("a.bin", "deep/c.bin")])
    for sync in ("old", "new"):
        files = [lake_file(f"{WHOLE}/{n}/{sync}{n}.bin") for n in range(2)]
        sync_of(client, WHOLE, files, "FullSync")


def sync_of(
    client: LakeConnection,
    path: str,
    files: Sequence[LakeFile],
    sync_type: str = "IncrementalSync",
) -> None:
    sync_id = client.started(path, sync_type)
    list(in_batches(client, sync_id, files))
    assert client.end(sync_id).is_success


def script(first: Held) -> list[Operation]:
    """Each kind of call at least once, for a lake that `prepare` made."""
    done: list[Operation] = []

    def now() -> Held:
        return done[-1].after if done else first

    def newest() -> Version:
        """What went to the trash last."""
        return now().trash[-1]

    replaced = _one_with(first.trash, f"{HAND}/a.bin")
    whole = _one_with(first.trash, f"{WHOLE}/0/old0.bin")
    done.append(new_folder(now(), f"{HAND}/new/er"))
    done.append(rename(now(), f"{HAND}/b.bin", f"{HAND}/new/er/b2.bin"))
    done.append(rename(now(), f"{HAND}/deep", f"{OTHER}/moved"))
    done.append(delete(now(), f"{HAND}/new/er/b2.bin"))
    done.append(delete(now(), f"{OTHER}/moved"))
    only = f"{OTHER}/moved/c.bin"
    done.append(put_back("put back a part", now(), newest(), only=only))
    rest = _one_with(now().trash, f"{OTHER}/moved/d.bin")
    done.append(put_back("put back what was deleted", now(), rest))
    done.append(put_back("put back what an incremental sync replaced", now(), replaced))
    done.append(delete(now(), f"{HAND}/a.bin"))
    deleted = newest()
    done.append(rename(now(), f"{OTHER}/moved", f"{HAND}/a.bin"))
    done.append(put_back("put back a file where a folder stands", now(), deleted))
    done.append(put_back("put back a folder where a file stands", now(), newest()))
    done.append(put_back("put back what a full sync replaced", now(), whole, folder=WHOLE))
    done.append(delete(now(), WHOLE))
    whole = _one_with(now().trash, f"{WHOLE}/0/new0.bin")
    done.append(put_back("put back a full sync where nothing stands", now(), whole, folder=WHOLE))
    done.append(purge(now()))
    return done


def _one_with(trash: Iterable[Version], path: str) -> Version:
    [found] = [version for version in trash if path in dict(version)]
    return found


# -- what must hold ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a client had come: the lake it knows of, and the call that it had sent since."""

    sure: Held
    in_flight: Operation | None = None
    after_power_cut: bool = False

    def complaints(self, servers: ForkedServers, lake: Path) -> list[str]:
        """Before a server opens the lake, after that, and when the call is sent again."""
        complaints = self._lost_or_half(lake)
        try:
            server = ForkedServer(servers, lake)
        except ServerDidNotStart as error:
            return [*complaints, f"the lake cannot be opened: {error}"]
        with server, LakeConnection(server.port) as client:
            complaints += self._lost_or_half(lake) + left_behind(lake)
            complaints += [f"{path} is not put back yet" for path in on_its_way(lake)]
            complaints += self._not_allowed(lake)
            if not complaints and self.in_flight is not None:
                complaints += self._sent_again(client, lake, self.in_flight)
            server.kill()
        return complaints

    def _lost_or_half(self, lake: Path) -> list[str]:
        now, known, kept = held(lake), self.sure.digests, self.sure.digests
        if self.in_flight is not None:
            known |= self.in_flight.after.digests
            kept &= self.in_flight.after.digests
        there = now.digests | set(on_its_way(lake).values())
        lost = [f"{self._name_of(digest)} is lost" for digest in sorted(kept - there)]
        return lost + [f"{digest[:8]} is half a file" for digest in sorted(there - known)]

    def _name_of(self, digest: str) -> str:
        names = {it: path for one in self.sure.trash for path, it in one}
        return {**names, **{it: path for path, it in self.sure.files.items()}}[digest]

    def _not_allowed(self, lake: Path) -> list[str]:
        now, sent = held(lake), self.in_flight
        missing = [path for path in self.sure.folders if not (lake / f"files{path}").is_dir()]
        complaints = [f"the folder {path} is not there" for path in missing]
        if now.is_same(self.sure):
            return complaints
        if sent is None:
            return [*complaints, difference(now, self.sure)]
        if now.is_same(sent.after):
            return complaints
        is_loose = sent.cut_off is CutOff.FILE_BY_FILE or (
            self.after_power_cut and sent.moves_a_file
        )
        if is_loose:
            return complaints + _mixed_up(now, sent)
        if sent.cut_off is CutOff.VERSION_BY_VERSION and now.files == sent.after.files:
            halves = Counter(now.trash) - Counter(self.sure.trash)
            return complaints + [f"{sorted(one)} is half a version" for one in halves]
        return [*complaints, f"{sent.name} is half done: {difference(now, sent.after)}"]

    def _sent_again(self, client: LakeConnection, lake: Path, sent: Operation) -> list[str]:
        if not held(lake).is_same(sent.before):
            return []
        answer = sent.send(client, lake)
        if not answer.is_success:
            return [f"{sent.name} cannot be done again: {answer}"]
        now = held(lake)
        return [] if now.is_same(sent.after) else [f"done again: {difference(now, sent.after)}"]


def _mixed_up(now: Held, sent: Operation) -> list[str]:
    """Each file as before or after; whether any is lost was looked at."""
    allowed = [sent.before.files, sent.after.files]
    wrong = [
        path
        for path in {*now.files, *sent.before.files, *sent.after.files}
        if now.files.get(path) not in [files.get(path) for files in allowed]
    ]
    return [f"{path} is neither as before nor as after" for path in sorted(wrong)]


def difference(now: Held, wanted: Held) -> str:
    files = set(now.files.items()) ^ set(wanted.files.items())
    here, there = Counter(now.trash), Counter(wanted.trash)
    more = [sorted(path for path, _ in one) for one in here - there]
    less = [sorted(path for path, _ in one) for one in there - here]
    paths = sorted({path for path, _ in files})
    return f"in sight {paths} differ, in the trash {more} is too much and {less} is missing"

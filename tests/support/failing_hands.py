"""Calls by hand, one at a time, into whose work on the disk an error is put."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.by_hand import (
    CutOff,
    Operation,
    delete,
    difference,
    new_folder,
    purge,
    put_back,
    rename,
    sync_of,
)
from tests.support.disk_errors_run import Tried, judged
from tests.support.forked_server import ForkedServer
from tests.support.held import Version, held, on_its_way
from tests.support.lake_connection import LOST, Answer, LakeConnection
from tests.support.lake_oracle import left_behind
from tests.support.strace import Call, calls_of, strace
from tests.support.uploaders import lake_file

_DONE_ALREADY = 404


class FailingHands:
    """A server that lives on while its disk fails under what people do by hand."""

    def __init__(self, server: ForkedServer, client: LakeConnection, folder: Path) -> None:
        self._lake = server.lake
        self._pid = server.pid
        self._client = client
        self._folder = folder
        self._numbers = itertools.count(1)
        self._watched: dict[str, list[Call]] = {}
        self.operations: Mapping[str, Callable[[str], Operation]] = {
            "new folder": self._new_folder,
            "rename a file": self._rename_a_file,
            "rename a folder": self._rename_a_folder,
            "delete a file": self._delete_a_file,
            "delete a folder": self._delete_a_folder,
            "put back a part": self._put_back_a_part,
            "put back what was deleted": self._put_back_all,
            "put back what a full sync replaced": self._put_back_a_full_sync,
            "put back a full sync where nothing stands": self._put_back_where_nothing_stands,
            "purge": self._purge,
        }
        # `restoring` is made once in a lake's life.
        assert self._put_back_all("/data/first").send(client, self._lake).is_success

    # -- made ready by these, each in a folder of its own ----------------------------------------

    def _upload(self, path: str, *names: str, version: int = 0, full: bool = False) -> None:
        files = [lake_file(f"{path}/{name}", version) for name in names]
        sync_of(self._client, path, files, "FullSync" if full else "IncrementalSync")

    def _new_folder(self, path: str) -> Operation:
        return new_folder(held(self._lake), f"{path}/x/y")

    def _rename_a_file(self, path: str) -> Operation:
        self._upload(path, "a.bin")
        return rename(held(self._lake), f"{path}/a.bin", f"{path}/x/b.bin")

    def _rename_a_folder(self, path: str) -> Operation:
        self._upload(path, "x/a.bin", "x/b.bin")
        return rename(held(self._lake), f"{path}/x", f"{path}/y/z")

    def _delete_a_file(self, path: str) -> Operation:
        self._upload(path, "a.bin")
        return delete(held(self._lake), f"{path}/a.bin")

    def _delete_a_folder(self, path: str) -> Operation:
        self._upload(path, "x/a.bin", "x/b.bin")
        return delete(held(self._lake), f"{path}/x")

    def _deleted(self, path: str) -> Version:
        """Two files; since then another one has come to where one of them was."""
        operation = self._delete_a_folder(path)
        assert operation.send(self._client, self._lake).is_success
        self._upload(path, "x/a.bin", version=1)
        return operation.after.trash[-1]

    def _put_back_a_part(self, path: str) -> Operation:
        version = self._deleted(path)
        return put_back("", held(self._lake), version, only=f"{path}/x/a.bin")

    def _put_back_all(self, path: str) -> Operation:
        version = self._deleted(path)
        return put_back("", held(self._lake), version)

    def _replaced(self, path: str) -> Version:
        self._upload(path, "a.bin", "b.bin", full=True)
        before = held(self._lake)
        self._upload(path, "a.bin", version=1, full=True)
        [version] = Counter(held(self._lake).trash) - Counter(before.trash)
        return version

    def _put_back_a_full_sync(self, path: str) -> Operation:
        version = self._replaced(path)
        return put_back("", held(self._lake), version, folder=path)

    def _put_back_where_nothing_stands(self, path: str) -> Operation:
        version = self._replaced(path)
        assert delete(held(self._lake), path).send(self._client, self._lake).is_success
        return put_back("", held(self._lake), version, folder=path)

    def _purge(self, path: str) -> Operation:
        assert purge(held(self._lake)).send(self._client, self._lake).is_success
        assert self._delete_a_folder(path).send(self._client, self._lake).is_success
        return purge(held(self._lake))

    def _ready(self, name: str) -> Operation:
        number = next(self._numbers)
        # Something goes to the trash first, so that each call meets the same folders there, and a
        # server that remembers nothing of them.
        self._upload("/data/other", f"{number}.bin")
        other = delete(held(self._lake), f"/data/other/{number}.bin")
        assert other.send(self._client, self._lake).is_success
        return self.operations[name](f"/data/h{number}")

    # -- faults -----------------------------------------------------------------------------------

    def watch(self, name: str) -> list[Call]:
        """What it does in the lake, when nothing fails; looked at once."""
        if name not in self._watched:
            operation = self._ready(name)
            with strace(self._pid, self._folder) as log:
                answer = operation.send(self._client, self._lake)
            assert answer.is_success, answer
            self._watched[name] = [call for call in calls_of(log) if call.is_in(self._lake)]
        return self._watched[name]

    def fail(self, name: str, inject: str) -> Tried:
        """Once with the error, then again without, where it is not done yet."""
        operation = self._ready(name)
        left = left_behind(self._lake)
        answer: Answer | None = None
        # The error may strike the connection as well.
        with strace(self._pid, self._folder, inject) as log, suppress(*LOST):
            answer = operation.send(self._client, self._lake)
        tried = judged(answer, log, self._lake, inject)
        # What a purge could not remove waits in `incoming` for the next start.
        if not any("/incoming/" in call.text for call in tried.injected if name == "purge"):
            tried.complaints += [one for one in left_behind(self._lake) if one not in left]
        tried.complaints += self._lost_or_half(operation)
        if self._not_done(operation):
            again = operation.send(self._client, self._lake)  # by the number it had
            if not again.is_success and again.status != _DONE_ALREADY:
                tried.complaints.append(f"the disk is well again, and the answer is {again}")
        tried.complaints += self._not_done(operation)
        return tried

    def _lost_or_half(self, operation: Operation) -> list[str]:
        before, after = operation.before.digests, operation.after.digests
        there = held(self._lake).digests | set(on_its_way(self._lake).values())
        lost = [f"{digest[:8]} is lost" for digest in (before & after) - there]
        return lost + [f"{digest[:8]} is half a file" for digest in there - before - after]

    def _not_done(self, operation: Operation) -> list[str]:
        now, wanted = held(self._lake), operation.after
        missing = [path for path in wanted.folders if not (self._lake / f"files{path}").is_dir()]
        complaints = [f"the folder {path} is not there" for path in missing]
        complaints += [f"{path} is not put back yet" for path in on_its_way(self._lake)]
        # What stood there may have its name in the trash from both times.
        is_loose = operation.cut_off is CutOff.FILE_BY_FILE
        is_done = now.files == wanted.files and not Counter(wanted.trash) - Counter(now.trash)
        if is_done if is_loose else now.is_same(wanted):
            return complaints
        return [*complaints, f"in the end {difference(now, wanted)}"]

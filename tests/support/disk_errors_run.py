"""One call of a client at a time, into whose work on the disk an error is put."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import lake_oracle
from tests.support.forked_server import ForkedServer
from tests.support.lake_connection import LOST, Answer, LakeConnection, LakeFile, acknowledged
from tests.support.lake_oracle import Generation
from tests.support.ledger import Acknowledged, Told
from tests.support.strace import Call, calls_of, strace
from tests.support.tus_pieces import begin_upload, finish_upload, send_up_to
from tests.support.uploaders import lake_file

FOLDER, REPLACED = "/data/x", "/data/full"
CALLS = (
    "openat",
    "write",
    "fsync",
    "rename",
    "mkdir",
    "linkat",
    "renameat2",
    "pwrite64",
    "pwritev",
    "fdatasync",
)
_DISK_FULL = 507


@dataclass(slots=True)
class Tried:
    """What came of one call with an error in it; None: no answer came."""

    answer: Answer | None
    injected: list[Call]
    complaints: list[str] = field(default_factory=list)


def judged(answer: Answer | None, log: Path, lake: Path, inject: str) -> Tried:
    """Whether the error that strace's log tells of was told to the client as it must be."""
    tried = Tried(answer, [call for call in calls_of(log) if call.is_injected])
    # What SQLite writes into the catalog's file itself is a checkpoint, which comes after a commit:
    # what it moves is in the log and durable there, and is moved by the next one.
    in_lake = [
        call for call in tried.injected if call.is_in(lake) and "/catalog.db>" not in call.text
    ]
    if answer is not None and in_lake:
        if answer.is_success:
            tried.complaints.append(f"acknowledged in spite of {in_lake[0].text}")
        elif _means_full(inject) and answer.status != _DISK_FULL:
            tried.complaints.append(f"a full disk is told as {answer}")
        elif not (500 <= answer.status < 600 and answer.body.get("message", "a part's msg")):
            tried.complaints.append(f"a failing disk is told as {answer}")
    return tried


class FailingDisk:
    """A server that lives on while its disk fails, and what its lake must hold."""

    def __init__(self, server: ForkedServer, client: LakeConnection, folder: Path) -> None:
        self._server = server
        self._client = client
        self._folder = folder
        self._numbers = itertools.count(1)
        self._ledger: list[Acknowledged] = []
        self._published = Generation()
        self._sync_id = client.started(FOLDER)
        assert client.upload(self._sync_id, lake_file(f"{FOLDER}/old.bin")).is_success
        self._version = 0
        self._watched: dict[str, list[Call]] = {}
        self.operations: Mapping[str, Callable[[], Callable[[], Answer]]] = {
            "a file into new folders": self._new_file,
            "a file over an old one": self._over_an_old_file,
            "a batch": self._batch,
            "the last piece of a resumable upload": self._last_piece,
            "the end of a full sync": self._end,
        }

    # -- operations: made ready by the first call, done by what that returns --------------------

    def _upload(self, files: list[LakeFile], *, is_batch: bool = False) -> Answer:
        if not is_batch:
            answer = self._client.upload(self._sync_id, files[0])
            if answer.is_success:
                self._ledger.append(acknowledged(self._sync_id, files[0], answer.body))
            return answer
        answer = self._client.batch(self._sync_id, files)
        if not answer.is_success:
            return answer
        for file, result in zip(files, answer.body["results"], strict=True):
            if result["code"] == 0:
                self._ledger.append(acknowledged(self._sync_id, file, result))
        worst = max(answer.body["results"], key=lambda result: int(result["code"]))
        return Answer(worst["code"] or 200, worst)

    def _new_file(self) -> Callable[[], Answer]:
        number = next(self._numbers)
        file = lake_file(f"{FOLDER}/n{number}/deep/a.bin")
        return lambda: self._upload([file])

    def _over_an_old_file(self) -> Callable[[], Answer]:
        self._version += 1
        # A sync of its own, so that the old file is older than it and must be kept.
        self._sync_id = self._client.started(FOLDER)
        file = lake_file(f"{FOLDER}/old.bin", self._version)
        return lambda: self._upload([file])

    def _batch(self) -> Callable[[], Answer]:
        number = next(self._numbers)
        files = [lake_file(f"{FOLDER}/b{number}/{n}.bin") for n in range(3)]
        return lambda: self._upload(files, is_batch=True)

    def _last_piece(self) -> Callable[[], Answer]:
        file = lake_file(f"{FOLDER}/p{next(self._numbers)}/a.bin")
        half = len(file.data) // 2
        upload = begin_upload(self._client, self._sync_id, file, 0)
        [told] = send_up_to(self._client, upload, file, half)
        assert isinstance(told, Told)

        def go_on() -> Answer:
            headed = self._client.tus("HEAD", told.upload, {})  # it may meet the error as well
            if headed.status == 200:
                assert int(headed.headers["upload-offset"]) >= told.offset_bytes, headed
            answer = finish_upload(self._client, told, file)
            if answer.is_success:
                self._ledger.append(acknowledged(self._sync_id, file, answer.body))
            return answer

        return go_on

    def _end(self) -> Callable[[], Answer]:
        number = next(self._numbers)
        sync_id = self._client.started(REPLACED, "FullSync")
        file = lake_file(f"{REPLACED}/{number}/new.bin")
        assert self._client.upload(sync_id, file).is_success
        old, new = self._published, Generation({file.path}, {file.path})

        def end() -> Answer:
            answer = self._client.end(sync_id)
            seen = lake_oracle.published(self._server.lake)
            allowed = [new] if answer.is_success else [old, new]
            assert not lake_oracle.neither_old_nor_new(seen, REPLACED, allowed)
            if answer.is_success or answer.body.get("message") == "job is already ended":
                self._published = new
            return answer

        return end

    # -- faults -----------------------------------------------------------------------------------

    def watch(self, operation: str) -> list[Call]:
        """What it does in the lake, when nothing fails; looked at once."""
        if operation not in self._watched:
            self._watched[operation] = self._watch(operation)
        return self._watched[operation]

    def _watch(self, operation: str) -> list[Call]:
        do = self.operations[operation]()
        with strace(self._server.pid, self._folder) as log:
            answer = do()
        assert answer.is_success, answer
        return [call for call in calls_of(log) if call.is_in(self._server.lake)]

    def fail(self, operation: str, inject: str) -> Tried:
        """Once with the error, then again without, as a client does."""
        do = self.operations[operation]()
        answer: Answer | None = None
        # The error may strike the connection as well.
        with strace(self._server.pid, self._folder, inject) as log, suppress(*LOST):
            answer = do()
        tried = judged(answer, log, self._server.lake, inject)
        tried.complaints += lake_oracle.left_behind(self._server.lake)
        tried.complaints += self._about_files()
        again = do()
        is_over = again.body.get("message") == "job is already ended"
        if not again.is_success and not is_over:
            tried.complaints.append(f"the disk is well again, and the answer is {again}")
        tried.complaints += lake_oracle.left_in_partial(self._server.lake)
        tried.complaints += self._about_files()
        return tried

    def _about_files(self) -> list[str]:
        seen = lake_oracle.published(self._server.lake)
        complaints = lake_oracle.half_files(seen) + lake_oracle.lost_files(seen, self._ledger)
        return complaints + lake_oracle.lost_versions(self._server.lake, seen)


def _means_full(inject: str) -> bool:
    """SQLite does not tell why its fsync failed, and the disk, when it is asked, has room."""
    return "ENOSPC" in inject and not inject.startswith("fdatasync")

"""One lake whose server is killed by chance under eight uploaders, and what is found afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import lake_oracle
from tests.support.forked_server import HUNG_S, ForkedServer, ForkedServers
from tests.support.lake_connection import LOST, LakeConnection
from tests.support.lake_oracle import Generation
from tests.support.ledger import Ledger, read_ledger, read_told, whole
from tests.support.uploaders import Uploader, in_pieces, lake_file

FOLDER = "/data/x"
_UPLOADERS = 8
_FILES_AT_ONCE = 12  # enough for a process beside the server to write a batch


@dataclass(slots=True)
class Found:
    """`complaints` is empty when every promise held."""

    complaints: list[str] = field(default_factory=list)
    acknowledged: int = 0
    back_in_s: float = 0.0


class KillRound:
    """`seed` chooses the instant; a server of `build` serves, a sound one looks at what is left."""

    def __init__(
        self, servers: ForkedServers, folder: Path, uploader: Uploader, seed: int, build: str
    ) -> None:
        self._servers = servers
        self._lake = folder / "lake"
        self._ledger_file = folder / "ledger"
        self._uploader = uploader
        self._chance = random.Random(seed)
        self._build = build

    def incremental(self) -> Found:
        """Uploads for as long as the server lives, also into folders that are new."""
        ledger = Ledger(self._ledger_file)
        with ForkedServer(self._servers, self._lake, build=self._build) as server:
            with LakeConnection(server.port) as lake:
                sync_id = lake.started(FOLDER)

            def upload_until_killed(uploader: int) -> None:
                with LakeConnection(server.port) as own:
                    number = 0
                    while True:
                        names = range(number, number + _FILES_AT_ONCE)
                        folder = f"{FOLDER}/u{uploader}/{number // 30}"
                        files = [lake_file(f"{folder}/{name}.bin") for name in names]
                        for received in self._uploader(own, sync_id, files):
                            ledger.acknowledge(received)
                        number += _FILES_AT_ONCE

            uploading = _Threads(upload_until_killed)
            self._kill_by_chance(server, ledger)
            uploading.join()
        ledger.close()
        found = Found(acknowledged=len(read_ledger(self._ledger_file)))
        self._look(found, lambda lake: self._went_on(lake, sync_id))
        return found

    def _went_on(self, lake: LakeConnection, sync_id: int) -> list[str]:
        """The sync takes what comes again, without a second copy, and ends."""
        ledger = read_ledger(self._ledger_file)
        again = [lake_file(one.path) for one in ledger[:3] + ledger[-3:]]
        for _ in self._uploader(lake, sync_id, again):
            pass
        complaints = [] if lake.end(sync_id).is_success else ["the sync cannot be ended"]
        complaints += lake_oracle.lost_rows(lake, ledger)
        trash = self._lake / ".lakedrop/trash"
        copies = [path.name for path in trash.rglob("*") if path.is_file()]
        return complaints + [f"a second copy of {name} came into being" for name in copies]

    def full(self) -> Found:
        """Full syncs of one folder, one after the other, each with files of its own."""
        ledger = Ledger(self._ledger_file)
        generations = [Generation()]
        ended = sync_id = 0
        killer: threading.Thread | None = None
        with ForkedServer(self._servers, self._lake, build=self._build) as server:
            fatal = self._chance.randrange(2, 4)
            try:
                while True:
                    with LakeConnection(server.port) as lake:
                        sync_id = lake.started(FOLDER, "FullSync")
                    number = len(generations)
                    made = Generation()
                    generations.append(made)
                    if number == fatal:
                        killer = self._killer_of_a_full_sync(server)

                    def upload_a_share(
                        uploader: int, made: Generation = made, sync_id: int = sync_id
                    ) -> None:
                        top = f"{FOLDER}/g{len(generations) - 1}/{uploader % 3}"
                        files = [lake_file(f"{top}/{uploader}-{n}.bin") for n in range(4)]
                        made.sent.update(file.path for file in files)
                        with LakeConnection(server.port) as own:
                            for received in self._uploader(own, sync_id, files):
                                made.acknowledged.update(one.path for one in whole(received))
                                ledger.acknowledge(received)

                    if _Threads(upload_a_share).join():
                        break
                    with LakeConnection(server.port) as lake:
                        assert lake.end(sync_id).is_success
                    ended = number
            except LOST:
                pass
            finally:
                if killer is not None:
                    killer.join()
        ledger.close()
        found = Found(acknowledged=len(read_ledger(self._ledger_file)))
        allowed = generations[ended : ended + 2]
        self._look_at_files(found, allowed)
        with self._back(found) as server, LakeConnection(server.port) as lake:
            self._look_at_files(found, allowed)
            found.complaints += lake_oracle.lost_offsets(lake, read_told(self._ledger_file))
            if len(allowed) == 2:
                lake.end(sync_id)  # as a client does that got no answer
                self._look_at_files(found, [generations[-1]])
            found.complaints += lake_oracle.lost_rows(lake, read_ledger(self._ledger_file))
            found.complaints += lake_oracle.left_behind(self._lake)
        return found

    def _look_at_files(self, found: Found, allowed: Sequence[Generation]) -> None:
        seen = lake_oracle.published(self._lake)
        found.complaints += lake_oracle.half_files(seen)
        found.complaints += lake_oracle.neither_old_nor_new(seen, FOLDER, allowed)

    def _look(self, found: Found, go_on: Callable[[LakeConnection], list[str]]) -> None:
        found.complaints += lake_oracle.half_files(lake_oracle.published(self._lake))
        ledger = read_ledger(self._ledger_file)
        with self._back(found) as server, LakeConnection(server.port) as lake:
            seen = lake_oracle.published(self._lake)
            found.complaints += lake_oracle.half_files(seen)
            found.complaints += lake_oracle.lost_files(seen, ledger)
            found.complaints += lake_oracle.lost_rows(lake, ledger, self._may_run)
            found.complaints += lake_oracle.lost_offsets(lake, read_told(self._ledger_file))
            found.complaints += lake_oracle.half_files(lake_oracle.published(self._lake))
            found.complaints += lake_oracle.left_behind(self._lake)
            found.complaints += go_on(lake)

    def _may_run(self, _name: str) -> bool:
        return self._uploader is in_pieces

    def _back(self, found: Found) -> ForkedServer:
        started = time.monotonic()
        server = ForkedServer(self._servers, self._lake)
        with LakeConnection(server.port) as lake:
            lake.jobs()  # its first answer
        found.back_in_s = time.monotonic() - started
        return server

    def _kill_by_chance(self, server: ForkedServer, ledger: Ledger) -> None:
        assert ledger.wait_for(self._chance.randrange(1, 80), HUNG_S), "no upload was acknowledged"
        time.sleep(self._chance.uniform(0, 0.02))  # the instant itself
        server.kill()

    def _killer_of_a_full_sync(self, server: ForkedServer) -> threading.Thread:
        """Strikes between the first upload and a while after the swap."""
        delay_s = self._chance.uniform(0, 0.25)

        def strike() -> None:
            time.sleep(delay_s)
            server.kill()

        thread = threading.Thread(target=strike)
        thread.start()
        return thread


class _Threads:
    """One for each uploader; the end of the server ends them, any other error is the test's."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self._lost = False
        self._errors: list[BaseException] = []

        def run(uploader: int) -> None:
            try:
                work(uploader)
            except LOST:
                self._lost = True
            except BaseException as error:  # noqa: BLE001  # told by join
                self._errors.append(error)

        self._threads = [threading.Thread(target=run, args=(n,)) for n in range(_UPLOADERS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> bool:
        """Whether the server went away under them; raises what else went wrong."""
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return self._lost

"""Overlapping syncs against a model in memory: docs/syncs.md, "Overlapping paths", step by step.

The lake, its catalog and its disk are real; now and then the power is cut in the middle of a step.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.errors import (
    InvalidParam,
    KeyUsedOtherwise,
    LakeError,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.opened_lake import now_ms
from embedded_server.services.open_syncs import SyncGate
from embedded_server.services.upload_service import Upload
from tests.support.counts import piece
from tests.support.observed_disk import ObservedDisk, PowerCut, Step, tree
from tests.unit.server.conftest import Rooms

IS_SOAK = bool(os.environ.get("LAKEDROP_SOAK"))
LIMIT_MS = 1_000

# Same, above, below, beside, and one whose name only begins the same.
PATHS = ("/data", "/data/x", "/data/x/y", "/data/x/z", "/data/xy", "/other")
BELOW = ("", "/y", "/y/deep")
NAMES = ("a.csv", "b.csv")


@dataclass
class ModelSync:
    path: str
    sync_type: SyncType
    status: SyncStatus = SyncStatus.SYNCING
    refusal: type[LakeError] = SyncAlreadyEnded
    staged: dict[str, bytes] = field(default_factory=dict)
    rows: int = 0

    @property
    def is_full(self) -> bool:
        return self.sync_type is SyncType.FULL


@dataclass
class Pending:
    """An upload whose bytes have all arrived, and that is not committed yet."""

    sync_id: int
    place: str
    data: bytes
    gate: SyncGate
    upload: Upload


class Model:
    """What a lake is to be: places such as /data/x/a.csv, and bytes."""

    def __init__(self) -> None:
        self.published: dict[str, bytes] = {}
        self.trash: Counter[tuple[int, str, bytes]] = Counter()
        self.syncs: dict[int, ModelSync] = {}
        self.keys: dict[str, tuple[int, tuple[str, SyncType]]] = {}

    def upload(self, sync_id: int, place: str, data: bytes) -> None:
        sync = self.syncs[sync_id]
        sync.rows += 1
        if sync.is_full:
            sync.staged[place] = data
            return
        before = self.published.get(place)
        if before is not None and before != data:  # `data` itself: an upload that came again
            # A crash may have kept it already, without living to replace it.
            self.trash[sync_id, place, before] = 1
        self.published[place] = data

    def end(self, sync_id: int) -> None:
        sync = self.syncs[sync_id]
        sync.status = SyncStatus.FINISHED
        if not sync.is_full:
            return
        for place in [it for it in self.published if it.startswith(f"{sync.path}/")]:
            self.trash[sync_id, place, self.published.pop(place)] += 1
        self.published |= sync.staged
        sync.staged = {}

    def give_up(self, sync_id: int, refusal: type[LakeError]) -> None:
        sync = self.syncs[sync_id]
        sync.status, sync.refusal, sync.staged = SyncStatus.FAILED, refusal, {}


class OverlappingSyncs(RuleBasedStateMachine):
    sync_ids = Bundle("sync_ids")
    pending = Bundle("pending")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="overlaps-"))
        self.model = Model()
        self.disk = ObservedDisk(self._on_step)
        self.rooms = Rooms(self.folder / "lake", self.disk)
        self._versions = 0
        self._run = 0
        self._steps_left: int | None = None

    def teardown(self) -> None:
        self.rooms.close()
        shutil.rmtree(self.folder)

    # -- syncs and uploads -------------------------------------------------------------------

    @initialize()
    def the_root_is_refused(self) -> None:
        with pytest.raises(InvalidParam):
            self.rooms.start("/")

    @rule(target=sync_ids, path=st.sampled_from(PATHS), sync_type=st.sampled_from(SyncType))
    def start(self, path: str, sync_type: SyncType) -> int:
        sync_id = self.rooms.start(path, sync_type)
        self.model.syncs[sync_id] = ModelSync(path, sync_type)
        return sync_id

    @rule(
        target=sync_ids,
        key=st.sampled_from("kl"),
        path=st.sampled_from(PATHS[:3]),
        sync_type=st.sampled_from(SyncType),
    )
    def start_once(self, key: str, path: str, sync_type: SyncType) -> Any:
        known = self.model.keys.get(key)

        def start() -> int:
            return self.rooms.syncs.start("once", path, sync_type, idempotency_key=key)

        if known is None:
            sync_id = start()
            assert sync_id not in self.model.syncs
            self.model.keys[key] = sync_id, (path, sync_type)
            self.model.syncs[sync_id] = ModelSync(path, sync_type)
            return sync_id
        if known[1] == (path, sync_type):
            assert start() == known[0]
        else:
            with pytest.raises(KeyUsedOtherwise):
                start()
        return multiple()

    @rule(sync_id=sync_ids, below=st.sampled_from(BELOW), name=st.sampled_from(NAMES))
    def upload(self, sync_id: int, below: str, name: str) -> None:
        data = self._next_data()
        folder = self.model.syncs[sync_id].path + below
        if self._is_allowed(sync_id, lambda: self.rooms.send(sync_id, name, data, folder)):
            self.model.upload(sync_id, f"{folder}/{name}", data)

    @rule(sync_id=sync_ids, name=st.sampled_from(NAMES))
    def upload_and_again(self, sync_id: int, name: str) -> None:
        """The answer of the first was lost."""
        data = self._next_data()
        path = self.model.syncs[sync_id].path
        for _ in range(2):
            if self._is_allowed(sync_id, lambda: self.rooms.send(sync_id, name, data)):
                self.model.upload(sync_id, f"{path}/{name}", data)

    @rule(target=pending, sync_id=sync_ids, name=st.sampled_from(NAMES))
    def an_upload_arrives(self, sync_id: int, name: str) -> Any:
        data = self._next_data()
        uploads = self.rooms.uploads
        if self.model.syncs[sync_id].status is not SyncStatus.SYNCING:
            return multiple()
        gate = uploads.find_sync(sync_id)
        upload = uploads.begin(gate, gate.sync.path, name)
        upload.write(data)
        upload.arrived(None)
        return self._run, Pending(sync_id, f"{gate.sync.path}/{name}", data, gate, upload)

    @rule(arrived=consumes(pending))
    def it_is_committed(self, arrived: tuple[int, Pending]) -> None:
        run, it = arrived
        if run != self._run:
            return  # a crash came in between: that request is gone

        def commit() -> None:
            [failure] = self.rooms.uploads.commit([(it.gate, it.upload)])
            if failure is not None:
                raise failure

        if self._is_allowed(it.sync_id, commit):
            self.model.upload(it.sync_id, it.place, it.data)
        else:
            self.model.syncs[it.sync_id].rows += 1  # it began before, so its failure is a row

    # -- ends --------------------------------------------------------------------------------

    @rule(sync_id=sync_ids)
    def end(self, sync_id: int) -> None:
        if self._is_allowed(sync_id, lambda: self.rooms.syncs.end(sync_id)):
            self.model.end(sync_id)

    @rule(sync_id=sync_ids)
    def abort(self, sync_id: int) -> None:
        sync = self.model.syncs[sync_id]
        if sync.refusal is SyncAborted:
            self.rooms.syncs.abort(sync_id)  # asked again it says the same
        elif self._is_allowed(sync_id, lambda: self.rooms.syncs.abort(sync_id)):
            self.model.give_up(sync_id, SyncAborted)

    @rule(sync_id=sync_ids)
    def expire(self, sync_id: int) -> None:
        for _ in range(2):  # the first look only sees when it was fed
            self.rooms.catalog.add_idle_time(now_ms() + 1, LIMIT_MS, LIMIT_MS)
        is_running = self.model.syncs[sync_id].status is SyncStatus.SYNCING
        assert self.rooms.syncs.expire(sync_id, LIMIT_MS) == is_running
        if is_running:
            self.model.give_up(sync_id, SyncExpired)

    # -- crashes -----------------------------------------------------------------------------

    @rule()
    def the_server_starts_anew(self) -> None:
        self.rooms.close()
        self.disk.close_all()
        self._run += 1
        self._steps_left = None
        self.rooms = Rooms(self.folder / "lake", self.disk)

    @rule(sync_id=sync_ids, step=st.integers(0, 30))
    def a_crash_amid_an_end(self, sync_id: int, step: int) -> None:
        answered = self._cut_at(step, sync_id, lambda: self.rooms.syncs.end(sync_id))
        # Old or new, and nothing else; new for sure when it had answered.
        if answered or (answered is False and self._status(sync_id) is SyncStatus.FINISHED):
            self.model.end(sync_id)

    @rule(sync_id=sync_ids, step=st.integers(0, 3))
    def a_crash_amid_an_abort(self, sync_id: int, step: int) -> None:
        answered = self._cut_at(step, sync_id, lambda: self.rooms.syncs.abort(sync_id))
        if answered or (answered is False and self._status(sync_id) is SyncStatus.FAILED):
            self.model.give_up(sync_id, SyncAborted)

    @rule(sync_id=sync_ids, name=st.sampled_from(NAMES), step=st.integers(0, 15))
    def a_crash_amid_an_upload(self, sync_id: int, name: str, step: int) -> None:
        sync, data = self.model.syncs[sync_id], self._next_data()
        place = f"{sync.path}/{name}"
        before = None if sync.is_full else self.model.published.get(place)
        answered = self._cut_at(step, sync_id, lambda: self.rooms.send(sync_id, name, data))
        if answered is None:
            return
        seen = self._staged(sync_id) if sync.is_full else self._published()
        if answered or seen.get(place) == data:
            self.model.upload(sync_id, place, data)
        elif before is not None and self._trash()[sync_id, place, before]:
            self.model.trash[sync_id, place, before] = 1  # kept, and then not replaced
        if not answered:  # it may be there or not, and so may its row
            sync.rows = self._total_files(sync_id)

    def _cut_at(self, step: int, sync_id: int, call: Callable[[], object]) -> bool | None:
        """Whether the call answered before the cut; None where the sync is over by now.

        The server has started anew then.
        """
        if self.model.syncs[sync_id].status is not SyncStatus.SYNCING:
            return None
        answered = True
        self._steps_left = step
        try:
            call()
        except PowerCut:
            answered = False
        self.the_server_starts_anew()
        return answered

    def _on_step(self, step: Step) -> None:
        if self._steps_left is None:
            return
        if self._steps_left == 0:
            raise PowerCut
        self._steps_left -= 1

    # -- what is seen ------------------------------------------------------------------------

    def _next_data(self) -> bytes:
        self._versions += 1
        return b"version %d" % self._versions

    def _is_allowed(self, sync_id: int, call: Callable[[], object]) -> bool:
        """Calls it; a sync that is over must refuse in its own words."""
        sync = self.model.syncs[sync_id]
        if sync.status is SyncStatus.SYNCING:
            call()
            return True
        with pytest.raises(sync.refusal):
            call()
        return False

    def _status(self, sync_id: int) -> SyncStatus:
        sync = self.rooms.catalog.find_sync(sync_id)
        assert sync is not None
        return sync.status

    def _total_files(self, sync_id: int) -> int:
        [job] = self.rooms.syncs.jobs(sync_id - 1, 1)
        return job.total_files

    def _published(self) -> dict[str, bytes]:
        return {f"/{place}": data for place, data in tree(self.rooms.files).items()}

    def _staged(self, sync_id: int) -> dict[str, bytes]:
        path = self.model.syncs[sync_id].path
        staged = tree(Path(self.rooms.layout.staging(sync_id)))
        return {f"{path}/{below}": data for below, data in staged.items()}

    def _trash(self) -> Counter[tuple[int, str, bytes]]:
        found: Counter[tuple[int, str, bytes]] = Counter()
        for place, data in tree(self.rooms.trash).items():
            sync_id, _number, *segments = place.split("/")
            found[int(sync_id), "/" + "/".join(segments), data] += 1
        return found

    @invariant()
    def readers_see_what_the_model_says(self) -> None:
        assert self._published() == self.model.published

    @invariant()
    def what_was_replaced_is_in_the_trash_of_who_replaced_it(self) -> None:
        assert self._trash() == +self.model.trash

    @invariant()
    def only_running_full_syncs_have_something_staged(self) -> None:
        staged = tree(Path(self.rooms.layout.all_staging))
        assert len(staged) == sum(len(sync.staged) for sync in self.model.syncs.values())
        for sync_id, sync in self.model.syncs.items():
            assert self._staged(sync_id) == sync.staged

    @invariant()
    def the_catalog_tells_the_same(self) -> None:
        jobs = self.rooms.syncs.jobs(0, 1_000)
        assert {job.sync_id: (job.path, job.sync_status, job.total_files) for job in jobs} == {
            sync_id: (sync.path, sync.status, sync.rows)
            for sync_id, sync in self.model.syncs.items()
        }


def test_the_models_paths_are_what_a_lake_takes() -> None:
    assert [str(LakePath.parse(path)) for path in PATHS] == list(PATHS)


OverlappingSyncs.TestCase.settings = settings(
    max_examples=len(piece(range(3_000))) if IS_SOAK else 50,
    stateful_step_count=60 if IS_SOAK else 30,
    deadline=None,
    derandomize=not IS_SOAK,
    # Making a failure small takes longer than the rest together: only where there is the time.
    phases=list(Phase) if IS_SOAK else [Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
# Every step waits for the disk several times over, however busy that is.
TestOverlappingSyncs = pytest.mark.timeout(900)(pytest.mark.soak(OverlappingSyncs.TestCase))

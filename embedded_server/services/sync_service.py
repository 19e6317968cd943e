"""Starts and ends syncs, gives them up, and reads back what happened."""

from __future__ import annotations

import hashlib
import json
import logging
import unicodedata
from collections.abc import Sequence

from embedded_server.contract import (
    LakeUsage,
    SyncJob,
    SyncStatus,
    SyncType,
    UploadRecord,
)
from embedded_server.contract_extensions import SyncDetails, UploadDetails
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import (
    EndHasBegun,
    InvalidParam,
    LakeError,
    PathConflict,
    SyncAborted,
    SyncExpired,
    SyncNotFound,
)
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.ports import Catalog, Clock, Lake
from embedded_server.domain.queries import Found, Page, Wanted
from embedded_server.domain.sync import (
    ABORTED,
    IdempotentStart,
    SwapIntent,
    Sync,
    expired_message,
)
from embedded_server.services.open_syncs import OpenSyncs, SyncGate

MAX_LABEL_CHARACTERS = 1_000
# Controls, halves of characters, and what breaks a line. Not every unprintable: a name may well
# hold a no-break space, as French and Vietnamese texts do, or a joiner of emoji.
_NOT_IN_LABELS = frozenset({"Cc", "Cs", "Zl", "Zp"})

_log = logging.getLogger(__name__)


class SyncService:
    def __init__(self, lake: Lake, catalog: Catalog, open_syncs: OpenSyncs, clock: Clock) -> None:
        self._lake = lake
        self._catalog = catalog
        self._open_syncs = open_syncs
        self._clock = clock

    def start(
        self,
        name: str,
        path_text: str,
        sync_type: SyncType,
        *,
        idempotency_key: str | None = None,
        key_name: str = "",
    ) -> int:
        """Returns the new sync's id; that of an earlier call with the same `idempotency_key`.

        `key_name` tells who asks: others' idempotency keys are not met. Raises `InvalidParam`,
        `PathConflict`, `KeyUsedOtherwise`.
        """
        if len(name) > MAX_LABEL_CHARACTERS:
            raise InvalidParam(f"name is longer than {MAX_LABEL_CHARACTERS} characters")
        if any(unicodedata.category(character) in _NOT_IN_LABELS for character in name):
            raise InvalidParam("name holds a control character or half a character")
        path = LakePath.parse(path_text)
        once = None
        if idempotency_key is not None:
            once = IdempotentStart(idempotency_key, _fingerprint(name, path, sync_type))
            # Before the place is looked at: by now something may stand there.
            known = self._catalog.find_started(once, key_name)
            if known is not None:
                return known
        self._lake.check_place(Sync(0, path, sync_type, SyncStatus.SYNCING, self._clock()))
        return self._catalog.add_sync(
            name, path, sync_type, self._clock(), once=once, key_name=key_name
        )

    def end(self, sync_id: int, caller: Caller = OWNER) -> None:
        """A fence: what was acknowledged is in, what was not is out. A full sync's data swaps here.

        Raises `SyncNotFound`, `SyncAlreadyEnded`, `NotAllowed`, `PathConflict`, `LakeFull`,
        `LakeFault`; after any but the first two, *end* may be called again (it says *already
        ended* for a sync whose swap had begun and lost its place: that one has failed).
        """
        gate = self._open_syncs.find(sync_id)
        caller.check_may_write(gate.sync.path)
        with gate.ending:
            if gate.over is not None:
                raise gate.over.refusal()
            gate.close()
            if gate.sync.is_full:
                self._swap(gate)
            self._finish(gate)

    def _swap(self, gate: SyncGate) -> None:
        sync = gate.sync
        intent = self._catalog.find_intent(sync.sync_id)
        # From recording on the gate stays closed, even if recording fails: the staged folder is
        # marked, and an upload into it would take the mark away.
        is_recorded = intent is not None

        def record(intent: SwapIntent) -> None:
            nonlocal is_recorded
            is_recorded = True
            self._catalog.add_intent(intent)

        try:
            if intent is None:
                self._lake.swap(sync, record)
            else:
                self._lake.go_on_with_swap(intent)
        except BaseException as error:
            if not is_recorded:
                gate.reopen()  # nothing has changed: uploads may go on, *end* may come again
            elif isinstance(error, PathConflict):
                self._give_up(gate, error)
            raise

    def _give_up(self, gate: SyncGate, conflict: PathConflict) -> None:
        """A swap that began has lost its place to something else, and no *end* can mend that."""
        sync_id = gate.sync.sync_id
        self._catalog.fail_sync(sync_id, self._clock(), conflict.message)
        gate.is_over(SyncStatus.FAILED, conflict.message)
        self._open_syncs.forget(sync_id)
        # Last: were it first, a crash in between would leave an intent that looks carried out.
        self._lake.set_aside_staged(sync_id)
        raise PathConflict(
            f"{conflict.message}: this sync has failed and what it sent is in the trash."
            " Clear the way and start a new one"
        ) from conflict

    def _finish(self, gate: SyncGate) -> None:
        self._catalog.finish_sync(gate.sync.sync_id, self._clock())
        gate.is_over(SyncStatus.FINISHED)
        self._open_syncs.forget(gate.sync.sync_id)

    def abort(self, sync_id: int, caller: Caller = OWNER) -> int:
        """Gives a running sync up: what is staged for it goes, what is in sight stays.

        Returns how many of its uploads are in sight. Asked again it says the same. Raises
        `SyncNotFound`, `NotAllowed`, `SyncAlreadyEnded`, `SyncExpired`, `EndHasBegun`, `LakeFault`.
        """
        sync = self._catalog.find_sync(sync_id)
        if sync is None:
            raise SyncNotFound(sync_id)
        caller.check_may_write(sync.path)
        try:
            gate = self._open_syncs.find(sync_id)
            with gate.ending:
                if gate.over is not None:
                    raise gate.over.refusal()
                if self._catalog.find_intent(sync_id) is not None:
                    raise EndHasBegun(sync_id)
                gate.close(lambda: SyncAborted(sync_id))
                self._fail_closed(gate, ABORTED)
        except SyncAborted:
            pass  # an answer was lost, or two asked at once
        self._lake.discard_staged(sync_id)
        return 0 if sync.is_full else self._catalog.finished_uploads(sync_id)

    def expire(self, sync_id: int, limit_ms: int) -> bool:
        """Fails a sync that has been idle for `limit_ms`; False when it is fed or over after all.

        Raises `LakeFull`, `LakeFault`.
        """
        try:
            gate = self._open_syncs.find(sync_id)
        except LakeError:
            return False
        with gate.ending:
            if gate.over is not None or self._catalog.find_intent(sync_id) is not None:
                return False
            gate.close(lambda: SyncExpired(sync_id))
            try:
                # Now nobody can feed it any more: what the catalog says holds.
                if sync_id not in self._catalog.idle_sync_ids(limit_ms):
                    gate.reopen()
                    return False
            except BaseException:
                gate.reopen()
                raise
            self._fail_closed(gate, expired_message(limit_ms))
        _log.warning("sync %d %s", sync_id, expired_message(limit_ms))
        self._lake.discard_staged(sync_id)
        return True

    def _fail_closed(self, gate: SyncGate, message: str) -> None:
        """In the catalog first: a start discards what a crash leaves staged after that."""
        try:
            self._catalog.fail_sync(gate.sync.sync_id, self._clock(), message)
        except BaseException:
            gate.reopen()
            raise
        gate.is_over(SyncStatus.FAILED, message)
        self._open_syncs.forget(gate.sync.sync_id)

    def jobs(self, offset: int, limit: int, caller: Caller = OWNER) -> Sequence[SyncJob]:
        return self._catalog.sync_jobs(offset, limit, caller.path)

    def history(self, offset: int, limit: int, caller: Caller = OWNER) -> Sequence[UploadRecord]:
        return self._catalog.upload_records(offset, limit, caller.path)

    def find_syncs(self, wanted: Wanted, page: Page) -> Found[SyncDetails]:
        return self._catalog.find_syncs(wanted, page)

    def find_uploads(self, wanted: Wanted, page: Page) -> Found[UploadDetails]:
        return self._catalog.find_uploads(wanted, page)

    def usage(self, path: LakePath) -> LakeUsage:
        return self._lake.usage(path)


def _fingerprint(name: str, path: LakePath, sync_type: SyncType) -> str:
    asked = json.dumps([name, str(path), sync_type.value]).encode("ascii")
    return hashlib.sha256(asked).hexdigest()

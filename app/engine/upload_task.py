"""One unit of work, from its first byte to *verified*: a file, or a batch of small ones.

A large file goes by `large_files`, where the server can go on with what has come.

An outcome is journalled and counted once, by `_settle`. What may pass is tried again as the retry
policy says; what lies with the file fails that file; what lies with the connection holds all files
up while it is tried again, and stops the run in the end.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from app.domain import sentences
from app.domain.errors import (
    Cancelled,
    DigestMismatch,
    InvalidApiKey,
    LakeBusy,
    LakeDropError,
    LakeRefused,
    LakeUnreachable,
    Remedy,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
    SyncNotFound,
)
from app.domain.ports import (
    HashedContent,
    Journal,
    LakeGateway,
    SmallFile,
    SourceFiles,
    UploadReceipt,
)
from app.domain.queue_item import Assurance, ItemState, QueueItem, Stamp
from app.domain.retry_policy import RetryPolicy
from app.engine.already_there import AlreadyThere
from app.engine.claims import Claims
from app.engine.lanes import Lanes
from app.engine.large_files import Begun, LargeFiles
from app.engine.pacing import Pacing
from app.engine.progress_ledger import ProgressLedger

log = logging.getLogger(__name__)

# Not the file's fault and not the server's: no file gets through while they last.
_OF_THE_CONNECTION = (LakeUnreachable, LakeBusy)
# What a whole batch is refused for and each of its files would be, too.
_OF_THE_SYNC = (InvalidApiKey, SyncAlreadyEnded, SyncNotFound, SyncExpired, SyncAborted)

Result = TypeVar("Result")

Reopen = Callable[[], LakeGateway]
"""The gateway to use now; for the local lake, with its server started again if it has died."""


class UploadTask:
    """Uploads units of one run; one instance is shared by the run's workers."""

    def __init__(
        self,
        sync_id: int,
        reopen: Reopen,
        sources: SourceFiles,
        journal: Journal,
        ledger: ProgressLedger,
        claims: Claims,
        retry_policy: RetryPolicy,
        is_cancelled: Callable[[], bool],
        pacing: Pacing,
        lanes: Lanes,
        resumed_from_bytes: int | None = None,
        already_there: AlreadyThere | None = None,
    ) -> None:
        """`resumed_from_bytes`: files of that size on can be gone on with; None: none can.

        `already_there` None: everything is sent.
        """
        self._sync_id = sync_id
        self._reopen = reopen
        self._sources = sources
        self._journal = journal
        self._ledger = ledger
        self._claims = claims
        self._retry_policy = retry_policy
        self._is_cancelled = is_cancelled
        self._pacing = pacing
        self._lanes = lanes
        self._resumed_from_bytes = resumed_from_bytes
        self._large_files = LargeFiles(sync_id, journal, ledger, self._progress)
        self._already_there = already_there
        self._lock = threading.Lock()
        self._unanswered = 0  # requests in a row, of all workers, that the connection lost

    def run(self, unit: list[QueueItem]) -> None:
        """Uploads the unit and gives every item of it back to the claims."""
        taken = [replace(item.moved_to(ItemState.UPLOADING), tries=item.tries + 1) for item in unit]
        taken = self._to_be_sent(taken)
        if not taken:
            return
        if len(taken) == 1:
            self._one(taken[0])
        else:
            self._batch(taken)

    def _to_be_sent(self, items: list[QueueItem]) -> list[QueueItem]:
        """The rest is in the lake already, and settled."""
        if self._already_there is None:
            return items
        try:
            first_tries = [item for item in items if item.tries == 1]
            there = self._already_there.found(first_tries, self._raise_if_halted)
        except Cancelled:
            self._claims.settle(len(items))  # they stay queued in the journal
            return []
        rest = []
        for item in items:
            digest = there.get(item.item_id)
            if digest is None:
                rest.append(item)
            else:
                size_bytes = self._measured(item, digest.stamp.size_bytes, None).size_bytes
                self._settle(item.found_in_lake(digest.sha256, size_bytes), None)
        return rest

    def _note(self, item: QueueItem, stamp: Stamp | None, sha256: str) -> None:
        if self._already_there is not None:
            self._already_there.note(item, stamp, sha256)

    # -- a file ------------------------------------------------------------------------------

    def _one(self, item: QueueItem) -> None:
        ticket = self._ledger.began([item])
        begun: Begun | None = None
        try:
            self._raise_if_halted()
            with self._sources.open(item, self._raise_if_halted) as opened:
                content = self._pacing.paced(opened, self._raise_if_halted)
                item = self._measured(item, content.size_bytes, ticket)
                if self._is_resumed(content):
                    begun = self._request(
                        lambda: self._large_files.taken_up(self._reopen(), item, content),
                        moves=lambda begun: begun.has_moved,
                    )
                    if begun.has_moved:
                        # A long upload over a bad line is not given up while it gets on.
                        item = replace(item, tries=1)
                receipt = self._request(lambda: self._sent(item, content, ticket, begun))
                sent_sha256 = content.sha256
                self._note(item, content.stamp, sent_sha256)
        except Cancelled:
            self._claims.settle()  # stays queued in the journal: cancel or restart moves it
        except LakeDropError as error:
            self._ledger.finished(ticket)
            self._tripped(item, error)
        else:
            self._received(item, receipt, sent_sha256, ticket)
        finally:
            self._ledger.finished(ticket)

    def _is_resumed(self, content: HashedContent) -> bool:
        from_bytes = self._resumed_from_bytes
        return from_bytes is not None and content.size_bytes >= from_bytes

    def _sent(
        self, item: QueueItem, content: HashedContent, ticket: int, begun: Begun | None
    ) -> UploadReceipt:
        gateway = self._reopen()
        if begun is not None:
            return self._large_files.send(gateway, begun, content, ticket)
        return gateway.upload(
            self._sync_id,
            item.folder,
            item.name,
            content,
            lambda count: self._progress(ticket, count),
        )

    def _progress(self, ticket: int, count_bytes: int) -> None:
        self._ledger.sent(ticket, count_bytes)
        self._lanes.moved()

    @property
    def _is_halted(self) -> bool:
        return self._is_cancelled() or self._claims.stopped

    def _raise_if_halted(self) -> None:
        if self._is_halted:
            raise Cancelled

    # -- a batch -----------------------------------------------------------------------------

    def _batch(self, items: list[QueueItem]) -> None:
        ready, files, grown = self._read_all(items)
        if ready:
            self._send_batch(ready, files)
        for item in grown:
            self._one(item)

    def _send_batch(self, items: list[QueueItem], files: list[SmallFile]) -> None:
        ticket = self._ledger.began(items)
        try:
            self._pacing.spend(sum(len(file.content) for file in files), self._raise_if_halted)
            outcomes = self._request(
                lambda: self._reopen().upload_batch(
                    self._sync_id, files, lambda count: self._progress(ticket, count)
                )
            )
        except Cancelled:
            self._claims.settle(len(items))  # none was sent: see `_one`
        except LakeDropError as error:
            self._ledger.finished(ticket)
            self._batch_tripped(items, error)
        else:
            for item, file, outcome in zip(items, files, outcomes, strict=True):
                if isinstance(outcome, LakeDropError):
                    self._tripped(item, outcome)
                else:
                    self._received(item, outcome, file.sha256, ticket)
                    self._note(item, file.stamp, file.sha256)
        finally:
            self._ledger.finished(ticket)

    def _batch_tripped(self, items: list[QueueItem], error: LakeDropError) -> None:
        if isinstance(error, LakeRefused) and not isinstance(error, _OF_THE_SYNC):
            # The batch as a whole did not please; alone, each file gets its own answer.
            log.warning("batch refused, sending one by one: %s", error.message)
            for item in items:
                self._one(item)
        else:
            for item in items:
                self._tripped(item, error)

    def _read_all(
        self, items: Sequence[QueueItem]
    ) -> tuple[list[QueueItem], list[SmallFile], list[QueueItem]]:
        """The files that were read, item by item, and the items that are too large by now."""
        ready: list[QueueItem] = []
        files: list[SmallFile] = []
        grown: list[QueueItem] = []
        for item in items:
            if self._is_halted:
                self._claims.settle()
                continue
            try:
                file = self._sources.read_small(item, self._claims.largest_batched_bytes)
            except LakeDropError as error:
                self._tripped(item, error)
                continue
            if file is None:
                grown.append(item)
            else:
                ready.append(self._measured(item, len(file.content), None))
                files.append(file)
        return ready, files, grown

    # -- requests ----------------------------------------------------------------------------

    def _request(
        self, call: Callable[[], Result], moves: Callable[[Result], bool] = lambda _: True
    ) -> Result:
        """Counts the requests in a row that the connection lost, whichever files they carried.

        `moves`: whether the answer shows that data gets through; that of a mere question may not.
        """
        try:
            result = call()
        except _OF_THE_CONNECTION as error:
            with self._lock:
                self._unanswered += 1
            if isinstance(error, LakeBusy):
                self._lanes.held_up()
            raise
        if moves(result):
            with self._lock:
                self._unanswered = 0
        return result

    def _is_cut_off(self) -> bool:
        with self._lock:
            return self._unanswered >= self._retry_policy.attempts

    def _measured(self, item: QueueItem, size_bytes: int, ticket: int | None) -> QueueItem:
        if size_bytes == item.size_bytes:
            return item
        self._ledger.resized(size_bytes - item.size_bytes, ticket)
        return replace(item, size_bytes=size_bytes)

    # -- outcomes ----------------------------------------------------------------------------

    def _received(
        self, item: QueueItem, receipt: UploadReceipt, sent_sha256: str, ticket: int
    ) -> None:
        checking = item.moved_to(ItemState.VERIFYING)
        if receipt.sha256 is None:
            self._settle(checking.arrived(Assurance.ACKNOWLEDGED, sent_sha256), ticket)
        elif receipt.sha256 == sent_sha256:
            self._settle(checking.arrived(Assurance.VERIFIED, sent_sha256), ticket)
        else:
            self._tripped(
                checking,
                DigestMismatch(sentences.OTHER_BYTES()),
            )

    def _tripped(self, item: QueueItem, error: LakeDropError) -> None:
        wait_s = self._retry_policy.wait_s(error, item.tries, random.random())  # noqa: S311  jitter
        of_connection = isinstance(error, _OF_THE_CONNECTION)
        if wait_s is not None:
            waiting = item.moved_to(ItemState.WAITING, error.message)
            self._journal.record([waiting])
            self._ledger.waits(waiting)
            if of_connection or wait_s > 1:
                self._ledger.waiting(error.message, wait_s)
            self._claims.retry(waiting, wait_s, hold_all=of_connection)
        elif error.remedy is Remedy.STOP or (of_connection and self._is_cut_off()):
            # Not this file's fault: it stays in the queue, and the run stops and tells.
            self._journal.record([item.moved_to(ItemState.QUEUED)])
            self._claims.stop(error)
            self._claims.settle()
        else:
            self._settle(item.moved_to(ItemState.FAILED, error.message, error.kind), None)

    def _settle(self, item: QueueItem, ticket: int | None) -> None:
        self._journal.record([item])
        self._ledger.settled(item, ticket)
        self._claims.settle()

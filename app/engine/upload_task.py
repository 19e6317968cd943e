"""One unit of work, from its first byte to *verified*: a file, or a batch of small ones.

An outcome is journalled and counted once, by `_settle`. What may pass is tried again as the retry
policy says; what lies with the file fails that file; what lies with the connection stops the run.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain.errors import (
    Cancelled,
    DigestMismatch,
    FileRefused,
    LakeDropError,
    LakeRefused,
    LakeUnreachable,
    Remedy,
)
from app.domain.ports import Journal, LakeGateway, SmallFile, SourceFiles, UploadReceipt
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.retry_policy import RetryPolicy
from app.engine.claims import Claims
from app.engine.progress_ledger import ProgressLedger

log = logging.getLogger(__name__)

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
    ) -> None:
        self._sync_id = sync_id
        self._reopen = reopen
        self._sources = sources
        self._journal = journal
        self._ledger = ledger
        self._claims = claims
        self._retry_policy = retry_policy
        self._is_cancelled = is_cancelled

    def run(self, unit: list[QueueItem]) -> None:
        """Uploads the unit and gives every item of it back to the claims."""
        taken = [replace(item.moved_to(ItemState.UPLOADING), tries=item.tries + 1) for item in unit]
        if len(taken) == 1:
            self._one(taken[0])
        else:
            self._batch(taken)

    # -- a file ------------------------------------------------------------------------------

    def _one(self, item: QueueItem) -> None:
        ticket = self._ledger.began([item])
        try:
            with self._sources.open(item, self._raise_if_cancelled) as content:
                item = replace(item, size_bytes=content.size_bytes)
                receipt = self._reopen().upload(
                    self._sync_id,
                    item.folder,
                    item.name,
                    content,
                    lambda count: self._ledger.sent(ticket, count),
                )
                self._received(item, receipt, content.sha256)
        except Cancelled:
            self._claims.settle()  # stays queued in the journal: cancel or restart moves it
        except LakeDropError as error:
            self._tripped(item, error)
        finally:
            self._ledger.finished(ticket)

    def _raise_if_cancelled(self) -> None:
        if self._is_cancelled() or self._claims.stopped:
            raise Cancelled

    # -- a batch -----------------------------------------------------------------------------

    def _batch(self, items: list[QueueItem]) -> None:
        ready, files = self._read_all(items)
        if not ready:
            return
        ticket = self._ledger.began(ready)
        try:
            outcomes = self._reopen().upload_batch(
                self._sync_id, files, lambda count: self._ledger.sent(ticket, count)
            )
            for item, file, outcome in zip(ready, files, outcomes, strict=True):
                if isinstance(outcome, LakeDropError):
                    self._tripped(item, outcome)
                else:
                    self._received(item, outcome, file.sha256)
        except LakeDropError as error:
            # A batch that did not please as a whole: alone, each file gets its own answer.
            alone = type(error) in (LakeRefused, FileRefused)
            if alone:
                log.warning("batch refused, sending one by one: %s", error.message)
            for item in ready:
                self._one(item) if alone else self._tripped(item, error)
        finally:
            self._ledger.finished(ticket)

    def _read_all(self, items: Sequence[QueueItem]) -> tuple[list[QueueItem], list[SmallFile]]:
        ready: list[QueueItem] = []
        files: list[SmallFile] = []
        for item in items:
            if self._is_cancelled() or self._claims.stopped:
                self._claims.settle()
                continue
            try:
                file = self._sources.read_small(item)
            except LakeDropError as error:
                self._tripped(item, error)
            else:
                ready.append(replace(item, size_bytes=len(file.content)))
                files.append(file)
        return ready, files

    # -- outcomes ----------------------------------------------------------------------------

    def _received(self, item: QueueItem, receipt: UploadReceipt, sent_sha256: str) -> None:
        checking = item.moved_to(ItemState.VERIFYING)
        if receipt.sha256 is None:
            self._settle(item, checking.arrived(Assurance.ACKNOWLEDGED, sent_sha256))
        elif receipt.sha256 == sent_sha256:
            self._settle(item, checking.arrived(Assurance.VERIFIED, sent_sha256))
        else:
            self._tripped(
                checking,
                DigestMismatch("The server stored other bytes than were sent."),
            )

    def _tripped(self, item: QueueItem, error: LakeDropError) -> None:
        wait_s = self._retry_policy.wait_s(error, item.tries, random.random())  # noqa: S311  jitter
        if wait_s is not None:
            waiting = item.moved_to(ItemState.WAITING, error.message)
            self._journal.record([waiting])
            if isinstance(error, LakeUnreachable) or wait_s > 1:
                self._ledger.waiting(error.message)
            self._claims.retry(waiting, wait_s)
        elif error.remedy is Remedy.STOP:
            # Not this file's fault: it stays in the queue, and the run stops and tells.
            self._journal.record([item.moved_to(ItemState.QUEUED)])
            self._claims.stop(error)
            self._claims.settle()
        else:
            self._settle(item, item.moved_to(ItemState.FAILED, error.message))

    def _settle(self, before: QueueItem, after: QueueItem) -> None:
        self._journal.record([after])
        self._ledger.settled(before, after)
        self._claims.settle()

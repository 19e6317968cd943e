"""Large files, which are gone on with where they were after whatever broke them off.

What is needed for that is in the journal before the first byte leaves. The bytes that the server
has already are read and digested here once more, so the digest compared in the end is that of the
whole file; and a file that was written or replaced since is begun anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import LakeDropError
from app.domain.ports import HashedContent, Journal, LakeGateway, UploadReceipt
from app.domain.queue_item import QueueItem
from app.domain.resumable import KeptUpload
from app.engine.progress_ledger import ProgressLedger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload and how far it is. `has_moved`: further than when it was looked at last."""

    item_id: int
    upload_id: str
    offset_bytes: int
    has_moved: bool


class LargeFiles:
    """Of one run; shared by its workers."""

    def __init__(
        self,
        sync_id: int,
        journal: Journal,
        ledger: ProgressLedger,
        on_sent: Callable[[int, int], None],
    ) -> None:
        """`on_sent` is called with a ticket and bytes, as `ProgressLedger.sent` is."""
        self._sync_id = sync_id
        self._journal = journal
        self._ledger = ledger
        self._on_sent = on_sent
        self._lock = threading.Lock()
        self._seen: dict[int, int] = {}  # the offset that was told last, by item

    def taken_up(self, gateway: LakeGateway, item: QueueItem, content: HashedContent) -> Begun:
        """Where to go on, or the beginning of a new upload, written down."""
        kept = self._journal.kept_upload(item.item_id)
        if kept is not None and kept.sync_id == self._sync_id:
            if kept.source == content.identity:
                there = gateway.how_far(kept.upload_id)
                if there is not None and there.length_bytes == content.size_bytes:
                    return self._looked_at(kept, there.offset_bytes)
            else:
                self._give_up(gateway, kept)
        upload_id = gateway.begin_upload(self._sync_id, item.folder, item.name, content.size_bytes)
        # Durable before the first byte.
        begun = KeptUpload(item.item_id, item.job_id, self._sync_id, upload_id, content.identity)
        self._journal.keep_upload(begun)
        return self._looked_at(begun, 0)

    def send(
        self, gateway: LakeGateway, begun: Begun, content: HashedContent, ticket: int
    ) -> UploadReceipt:
        """The rest of the file, in one request."""
        content.skip(begun.offset_bytes)
        self._ledger.there_already(ticket, begun.offset_bytes)
        receipt = gateway.go_on_upload(
            begun.upload_id,
            begun.offset_bytes,
            content,
            lambda count: self._on_sent(ticket, count),
        )
        if receipt.sha256 not in (None, content.sha256):
            # Whichever bytes are wrong, going on with them would never make it right.
            self._journal.forget_upload(begun.item_id)
        return receipt

    def _looked_at(self, kept: KeptUpload, offset_bytes: int) -> Begun:
        with self._lock:
            before_bytes = self._seen.get(kept.item_id, offset_bytes)
            self._seen[kept.item_id] = offset_bytes
        return Begun(kept.item_id, kept.upload_id, offset_bytes, offset_bytes > before_bytes)

    @staticmethod
    def _give_up(gateway: LakeGateway, kept: KeptUpload) -> None:
        """Makes room on the server; else the end of the sync does."""
        try:
            gateway.give_up_upload(kept.upload_id)
        except LakeDropError as error:
            log.info("an upload that is begun anew could not be given up: %s", error.message)

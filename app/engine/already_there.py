"""Which files of an incremental job need not be sent: the lake has the same bytes at their place.

The server's word counts: its digest of the file as it came, which it withholds, or marks as
changed, where the file on its disk is another by now. Of the source it is today's bytes: read and
hashed, or known from an earlier reading where size and times are still the same.

Where a server cannot be asked, or asking would cost more than sending, all is sent: that is always
right.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from app.domain.errors import Cancelled, ContractBroken, LakeDropError, LakeRefused
from app.domain.impact import Extent
from app.domain.lake_folders import Folder, LakeFolders
from app.domain.ports import Clock, Journal, LakeGateway, SourceFiles
from app.domain.queue_item import KnownDigest, QueueItem, Stamp
from app.domain.upload_job import UploadJob
from app.engine.run_ports import RunPorts
from app.engine.shrink_guard import planned
from embedded_server.contract import MAX_PAGE_SIZE, Capabilities, SyncType
from embedded_server.contract_extensions import EXTENSION_BROWSE, LakeEntries, LakeEntry

log = logging.getLogger(__name__)

# A page of a folder costs about as much as sending so much.
_FILES_A_PAGE = 100
_BYTES_A_PAGE = 4 * 1024 * 1024
_MOST_AGE_S = 30.0  # of a listing: others may write there, too
_MOST_ENTRIES = 100_000  # of one folder: what is listed is held in memory


class AlreadyThere:
    """For one run; shared by its workers.

    Asked for a file before it is sent in this run for the first time, and never again: a listing
    from before a try says nothing about what that try has left in the lake.
    """

    def __init__(
        self,
        destination: str,
        planned: Extent,
        reopen: Callable[[], LakeGateway],
        sources: SourceFiles,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._destination = destination
        self._most_pages = 1 + planned.files // _FILES_A_PAGE + planned.bytes // _BYTES_A_PAGE
        self._reopen = reopen
        self._sources = sources
        self._journal = journal
        self._lock = threading.Lock()  # one asks at a time: neighbours want the same folder
        self._folders = LakeFolders(self._page, max_age_s=_MOST_AGE_S, now_s=clock.monotonic_s)
        self._not_asked: set[str] = set()
        self._empty: set[str] = set()
        self._given_up = False

    def found(
        self, items: Sequence[QueueItem], raise_if_halted: Callable[[], None]
    ) -> dict[int, KnownDigest]:
        """Those that are there, by number. Raises `Cancelled` and `JournalFailed`."""
        there: dict[int, KnownDigest] = {}
        candidates = []
        for item in items:
            raise_if_halted()
            entry = self._entry(item)
            stamp = None if entry is None else self._sources.look(item)
            if entry is not None and stamp is not None and stamp.size_bytes == entry.size:
                candidates.append((item, entry, stamp))
        known = self._journal.digests([item.source for item, _, _ in candidates])
        for item, entry, stamp in candidates:
            digest = known.get(item.source)
            if digest is None or digest.stamp != stamp:
                digest = self._read(item, raise_if_halted)
            if digest is not None and digest.sha256 == entry.sha256:
                there[item.item_id] = digest
        return there

    def note(self, item: QueueItem, stamp: Stamp | None, sha256: str) -> None:
        """The file was read whole and had this digest; `stamp` None: it may still be written to."""
        if stamp is not None:
            self._journal.note_digest(item.source, KnownDigest(stamp, sha256))

    def _read(self, item: QueueItem, raise_if_halted: Callable[[], None]) -> KnownDigest | None:
        try:
            with self._sources.open(item, raise_if_halted) as content:
                for _ in content.chunks():
                    pass
                self.note(item, content.stamp, content.sha256)
                return KnownDigest(content.stamp or Stamp(content.size_bytes, 0, 0), content.sha256)
        except LakeDropError as error:
            # Whoever sends it meets the same, and deals with it.
            log.info("not compared with the lake: %s", error.message)
            return None

    # -- what the lake has -------------------------------------------------------------------

    def _entry(self, item: QueueItem) -> LakeEntry | None:
        with self._lock:
            folder = self._folder(item.folder)
        entry = None if folder is None else folder.get(item.name)
        if entry is None or not entry.is_file or entry.changed or not entry.sha256:
            return None
        return entry

    def _folder(self, path: str) -> Folder | None:
        if self._given_up or path in self._not_asked or self._is_below_empty(path):
            return None
        try:
            folder = self._folders.folder(path)
            if folder is not None and not folder:
                self._note_empty(path)
            self._given_up = folder is None
        except _TooMany as too_many:
            log.info("a folder of %d entries is not compared", too_many.total)
            self._not_asked.add(path)
            return None
        except (LakeRefused, ContractBroken) as error:
            log.warning("nothing is compared with the lake: %s", error.message)
            self._given_up = True
            return None
        except Cancelled:
            raise
        except LakeDropError as error:
            log.info("not compared with the lake: %s", error.message)  # asked again for the next
            return None
        return folder

    def _page(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        page = self._reopen().entries(folder, offset, limit)
        if page is not None and (
            page.total > _MOST_ENTRIES or -(-page.total // MAX_PAGE_SIZE) > self._most_pages
        ):
            raise _TooMany(page.total)
        return page

    def _is_below_empty(self, path: str) -> bool:
        return any(above in self._empty for above in self._up_from(path))

    def _note_empty(self, path: str) -> None:
        """And as far up as nothing is there: a fresh tree is not asked for folder by folder."""
        for above in self._up_from(path):
            page = None if above == path else self._reopen().entries(above, 0, 1)
            if page is not None and page.total:
                return
            self._empty.add(above)

    def _up_from(self, path: str) -> list[str]:
        """The folder, and those above it up to the destination."""
        found = [path]
        while len(path) > len(self._destination):
            path = path.rpartition("/")[0]
            found.append(path)
        return found


def already_there_of(
    job: UploadJob,
    capabilities: Capabilities | None,
    reopen: Callable[[], LakeGateway],
    ports: RunPorts,
) -> AlreadyThere | None:
    """None where all is to be sent: a full sync takes away what it does not send."""
    if job.send_all or job.mode is SyncType.FULL or capabilities is None:
        return None
    if EXTENSION_BROWSE not in capabilities.extensions:
        return None
    extent = planned(ports.journal.counts(job.job_id))
    return AlreadyThere(job.destination, extent, reopen, ports.sources, ports.journal, ports.clock)


class _TooMany(Exception):
    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.total = total

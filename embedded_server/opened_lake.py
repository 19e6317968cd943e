"""Opens a lake's folder for serving, in the order that keeps it sound, and closes it again."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp

from embedded_server.app_factory import create_app
from embedded_server.catalog.opening import open_catalog
from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.catalog.sql_keys import SqlKeys
from embedded_server.catalog.sql_origins import SqlOrigins
from embedded_server.catalog.tus_rows import TusRows
from embedded_server.domain.measures import Measures
from embedded_server.domain.trash import DEFAULT_DAYS, TrashLimits
from embedded_server.gate.gatekeeper import HouseRules
from embedded_server.services.admission import Admission
from embedded_server.services.browse_service import BrowseService
from embedded_server.services.checking import Checking
from embedded_server.services.expiry import (
    DAY_MS,
    DEFAULT_LIMIT_DAYS,
    IdleWatch,
    IdleWatcher,
)
from embedded_server.services.health import Health
from embedded_server.services.manifest_service import ManifestService
from embedded_server.services.open_syncs import OpenSyncs
from embedded_server.services.recovery import recover
from embedded_server.services.sync_service import SyncService
from embedded_server.services.trash_purge import TrashPurge
from embedded_server.services.trash_service import TrashService
from embedded_server.services.tus_service import TusService
from embedded_server.services.upload_service import UploadService
from embedded_server.storage.disk import Disk
from embedded_server.storage.layout import Layout
from embedded_server.storage.local_lake import LocalLake
from embedded_server.storage.partial_files import PartialFiles
from embedded_server.storage.probe import LakeProbe
from embedded_server.storage.small_files import SmallFiles
from embedded_server.storage.trash_ages import AgesFile

# Uploads at the same time; more wait in line. Each may hold two pieces of 1 MiB.
_UPLOAD_WORKERS = 16
_HELPERS = 8  # fsync side by side, and digest what is being written
# start, end, list, history and usage: as many as the catalog has connections to read with.
_CALL_WORKERS = 16
# Passes over a long history; each keeps one of those connections for as long as it takes.
_SEARCH_WORKERS = 4

DEFAULT_TRASH_LIMITS = TrashLimits(DEFAULT_DAYS * DAY_MS)

_log = logging.getLogger(__name__)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class OpenedLake:
    """A lake that is recovered and ready; the caller holds its lock as long as this lives."""

    def __init__(
        self,
        layout: Layout,
        disk: Disk,
        measures: Measures,
        sync_idle_days: float = DEFAULT_LIMIT_DAYS,
        trash_limits: TrashLimits = DEFAULT_TRASH_LIMITS,
        small_files: SmallFiles | None = None,
    ) -> None:
        """Raises `CannotServe`."""
        self._idle_limit_ms = int(sync_idle_days * DAY_MS)
        self._idle_watcher: IdleWatcher | None = None
        self._catalog: SqlCatalog = open_catalog(layout.catalog, measures)
        self._health = Health(LakeProbe(layout, disk), self._catalog, measures)
        self._call_workers = ThreadPoolExecutor(_CALL_WORKERS, "call")
        self._search_workers = ThreadPoolExecutor(_SEARCH_WORKERS, "search")
        self._upload_workers = ThreadPoolExecutor(_UPLOAD_WORKERS, "upload")
        self._helpers = ThreadPoolExecutor(_HELPERS, "disk-helper")
        self._lake = LocalLake(
            *(layout, disk, self._helpers, now_ms, small_files),
            rows_to_disk=self._catalog.make_durable,
        )
        self._open_syncs = OpenSyncs(self._catalog)
        self._purge = TrashPurge(
            *(self._lake.trashed, AgesFile(layout, disk), self._catalog),
            *(now_ms, monotonic_ms, trash_limits),
        )
        partials = PartialFiles(layout, disk)
        records = TusRows(self._catalog)
        self._tus = TusService(
            self._lake, partials, records, self._open_syncs, now_ms, self._idle_limit_ms
        )
        try:
            recover(self._lake, self._catalog, now_ms)
            self._tus.recover()
        except BaseException:
            self.close()
            raise

    @property
    def keys(self) -> SqlKeys:
        return self._catalog.keys

    @property
    def checking(self) -> Checking:
        """For as long as the lake has no `app`."""
        origins = SqlOrigins(self._catalog)
        return Checking(self._catalog, self._lake.browsing, origins, now_ms)

    @property
    def call_workers(self) -> ThreadPoolExecutor:
        return self._call_workers

    @property
    def search_workers(self) -> ThreadPoolExecutor:
        return self._search_workers

    def app(self, admission: Admission, rules: HouseRules) -> ASGIApp:
        open_syncs = self._open_syncs
        origins = SqlOrigins(self._catalog)
        syncs = SyncService(self._lake, self._catalog, open_syncs, now_ms)
        self._idle_watcher = IdleWatcher(
            IdleWatch(self._catalog, syncs, now_ms, monotonic_ms, self._idle_limit_ms),
            self._tus.forget_old,
            self._purge.look,
        )
        return create_app(
            syncs,
            UploadService(self._lake, self._catalog, open_syncs, now_ms),
            self._health,
            self._tus,
            TrashService(
                *(self._lake.trashed, self._lake.putting_back, self._catalog, origins, now_ms),
                self._purge.purge_at_ms,
            ),
            BrowseService(self._lake, self._lake.browsing, self._lake.arranging, origins, now_ms),
            ManifestService(self._catalog, origins),
            admission,
            self._call_workers,
            self._search_workers,
            self._upload_workers,
            rules,
        )

    def close(self) -> None:
        """Waits for whatever a worker still holds, such as a swap whose client was cut off.

        Only then may the lake's lock go to another server.
        """
        self._purge.stop()
        if self._idle_watcher is not None:
            self._idle_watcher.close()
        self._call_workers.shutdown()
        self._search_workers.shutdown()
        self._upload_workers.shutdown()
        self._tus.close()
        self._lake.close()
        self._helpers.shutdown()
        self._catalog.close()
        _log.info("the lake is closed")

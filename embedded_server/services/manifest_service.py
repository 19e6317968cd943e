"""What a sync brought: path, size, digest and time of each file."""

from __future__ import annotations

from collections.abc import Iterator

from embedded_server.domain.caller import Caller
from embedded_server.domain.errors import SyncNotFound
from embedded_server.domain.known import ManifestRow
from embedded_server.domain.ports import Catalog, Origins
from embedded_server.domain.sync import Sync


class ManifestService:
    def __init__(self, catalog: Catalog, origins: Origins) -> None:
        self._catalog = catalog
        self._origins = origins

    def of(self, caller: Caller, sync_id: int) -> tuple[Sync, Iterator[list[ManifestRow]]]:
        """(the sync, its rows page by page). Raises `SyncNotFound`, `NotAllowed`."""
        sync = self._catalog.find_sync(sync_id)
        if sync is None:
            raise SyncNotFound(sync_id)
        caller.check_may_see(sync.path)
        return sync, self._origins.manifest(sync_id)

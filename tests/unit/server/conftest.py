"""A lake's rooms wired together in this process, on a real disk and a real catalog."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_server.catalog.opening import open_catalog
from embedded_server.contract import SyncType
from embedded_server.domain.ports import Clock
from embedded_server.opened_lake import now_ms
from embedded_server.routes.upload_form import UploadForm
from embedded_server.services.open_syncs import OpenSyncs
from embedded_server.services.recovery import recover
from embedded_server.services.sync_service import SyncService
from embedded_server.services.upload_service import UploadService
from embedded_server.storage.disk import CAN_LOG, Disk
from embedded_server.storage.local_lake import LocalLake, open_layout
from embedded_server.storage.small_files import InThisProcess, SmallFiles


class Rooms:
    """One run of a server without its HTTP; closing it is the end of the run."""

    def __init__(
        self,
        root: Path,
        disk: Disk | None = None,
        *,
        recovered: bool = True,
        clock: Clock = now_ms,
        has_log: bool = False,
        small_files: Callable[[Disk], SmallFiles] = InThisProcess,
    ) -> None:
        """`has_log`: small files are durable by the lake's log, as in a server on Linux."""
        self.root = root
        self.clock = clock
        self.disk = disk or Disk()
        self.layout = open_layout(str(root), Disk())
        self.catalog = open_catalog(self.layout.catalog)
        self._pool = ThreadPoolExecutor(4)
        self.small_files = small_files(self.disk)
        self.lake = LocalLake(
            *(self.layout, self.disk, self._pool, clock, self.small_files),
            rows_to_disk=self.catalog.make_durable if has_log and CAN_LOG else None,
        )
        open_syncs = OpenSyncs(self.catalog)
        self.syncs = SyncService(self.lake, self.catalog, open_syncs, clock)
        self.uploads = UploadService(self.lake, self.catalog, open_syncs, clock)
        if recovered:
            self.recover()

    def recover(self) -> None:
        recover(self.lake, self.catalog, self.clock)

    def start(self, path: str, sync_type: SyncType = SyncType.INCREMENTAL) -> int:
        return self.syncs.start("a sync", path, sync_type)

    def send(self, sync_id: int, name: str, data: bytes, folder: str | None = None) -> str:
        """Uploads as the route does; returns the digest of the answer."""
        form = UploadForm(b"b", self.uploads, sync_id, folder)
        form.open()
        try:
            form.feed(
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s'
                b"\r\n--b--\r\n" % (name.encode(), data)
            )
            answer = form.finish()
        except Exception as error:
            form.abort(str(error))
            raise
        assert answer.sha256 is not None
        return answer.sha256

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def trash(self) -> Path:
        return self.root / ".lakedrop" / "trash"

    def close(self) -> None:
        self.lake.close()
        self.stop()

    def stop(self) -> None:
        """Without the lake's own last steps; may come after them."""
        self._pool.shutdown()
        self.catalog.close()


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: the migration of a new catalog takes longer than most tests."""
    root = tmp_path_factory.mktemp("template") / "lake"
    Rooms(root).close()
    return root


@pytest.fixture
def lake_root(empty_lake: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(empty_lake, tmp_path / "lake"))


@pytest.fixture
def rooms(lake_root: Path) -> Iterator[Rooms]:
    opened = Rooms(lake_root)
    yield opened
    opened.close()

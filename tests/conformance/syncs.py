"""Syncs made through a gateway, and what came of them."""

from __future__ import annotations

import itertools

from app.domain.ports import LakeGateway, UploadReceipt
from embedded_server.contract import SyncJob, SyncType, UploadRecord
from tests.conformance.lakes import LakeUnderTest
from tests.support.contents import BytesContent, ignore_sent


def send(
    gateway: LakeGateway, sync_id: int, folder: str, name: str, data: bytes = b"1,2\n"
) -> UploadReceipt:
    return gateway.upload(sync_id, folder, name, BytesContent(data), ignore_sent)


def sync_of(
    gateway: LakeGateway, path: str, mode: SyncType, files: dict[str, bytes], *, end: bool = True
) -> int:
    """Uploads `files` (path below the sync's path → bytes); returns the sync's id."""
    sync_id = gateway.start_sync("a sync", path, mode)
    for below, data in files.items():
        folder, _, name = f"{path}/{below}".rpartition("/")
        send(gateway, sync_id, folder, name, data)
    if end:
        gateway.end_sync(sync_id)
    return sync_id


def published(lake: LakeUnderTest, path: str) -> dict[str, bytes]:
    prefix = f"{path}/"
    return {
        name.removeprefix(prefix): data
        for name, data in lake.published().items()
        if name.startswith(prefix)
    }


def all_jobs(gateway: LakeGateway) -> list[SyncJob]:
    pages = (gateway.sync_jobs(offset, 100) for offset in itertools.count(0, 100))
    return list(itertools.chain(*itertools.takewhile(bool, pages)))


def rows_of(gateway: LakeGateway, sync_id: int) -> list[UploadRecord]:
    pages = (gateway.history(offset, 100) for offset in itertools.count(0, 100))
    rows = itertools.chain(*itertools.takewhile(bool, pages))
    return [row for row in rows if row.sync_id == sync_id]

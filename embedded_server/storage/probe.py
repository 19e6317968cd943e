"""Asks the lake's disk whether it still takes files."""

from __future__ import annotations

import os
import shutil
import uuid

from embedded_server.storage.disk import Disk
from embedded_server.storage.layout import Layout


class LakeProbe:
    def __init__(self, layout: Layout, disk: Disk) -> None:
        self._layout = layout
        self._disk = disk

    def check_writable(self) -> None:
        """Raises `OSError`. Where uploads begin; not synced: that would cost uploads time."""
        path = os.path.join(self._layout.incoming, f"probe-{uuid.uuid4().hex}")
        descriptor = self._disk.create_file(path)
        try:
            self._disk.write(descriptor, b"is there room?")
        finally:
            self._disk.close(descriptor)
            self._disk.unlink(path)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._layout.root).free

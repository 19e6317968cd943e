"""Keeps the bytes that an upload is about to replace: a second name for them in the trash."""

from __future__ import annotations

import os
from collections.abc import Callable

from embedded_server.domain.upload import Destination
from embedded_server.storage.disk import Disk
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.layout import Layout


class Trash:
    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        folders: DurableFolders,
        unique_number: Callable[[], int],
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._unique_number = unique_number

    def keep(self, sync_id: int, published: str, where: Destination) -> str:
        """Returns the trash folder, which the caller fsyncs before it replaces `published`.

        The first version that a sync replaces lies under number 1, later ones of the same name
        under numbers that grow with time.
        """
        number = 1
        while True:
            segments = [str(sync_id), str(number), *where.folder.segments]
            folder = self._folders.make(self._layout.all_trash, segments)
            kept = os.path.join(folder, where.file_name)
            try:
                self._disk.link_or_copy(published, kept)
            except FileExistsError:
                if os.path.samefile(published, kept):  # a crash came between keep and replace
                    return folder
                number = self._unique_number()
            else:
                return folder

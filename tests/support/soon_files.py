"""Small files put for an event loop, by a thread in the place of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor

from embedded_server.domain.undisturbed import undisturbed
from embedded_server.storage.disk import Disk
from embedded_server.storage.small_files import InThisProcess, LogPlace, PutOutcome, ToPut


class SoonFiles(InThisProcess):
    """`begun`: how often the loop was served."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self.begun = 0
        self._pool = ThreadPoolExecutor(1)

    def put_soon(
        self, files: Sequence[ToPut], at: LogPlace
    ) -> Awaitable[tuple[list[PutOutcome], int]] | None:
        self.begun += 1
        return undisturbed(asyncio.wrap_future(self._pool.submit(self.put, files, at)))

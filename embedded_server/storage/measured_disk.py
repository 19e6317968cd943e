"""The disk, with each wait for stable storage timed."""

from __future__ import annotations

from time import perf_counter

from embedded_server.domain.measures import Measures
from embedded_server.storage.disk import Disk


class MeasuredDisk(Disk):
    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def fsync_file(self, descriptor: int) -> None:
        began_s = perf_counter()
        super().fsync_file(descriptor)
        self._measures.fsync_s.observe(perf_counter() - began_s)

    def fsync_data(self, descriptor: int) -> None:
        began_s = perf_counter()
        super().fsync_data(descriptor)
        self._measures.fsync_s.observe(perf_counter() - began_s)

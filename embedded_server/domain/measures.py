"""What the server counts of its own work; plain numbers, so that counting costs next to nothing."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

# Seconds: from a disk that only caches to one that struggles.
_DISK_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
_REQUEST_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0)


class Histogram:
    """Any thread may observe."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        index = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[index] += 1
            self._sum += value

    def taken(self) -> tuple[list[int], float]:
        """What was observed since the last time, for `add` of another one with these bounds."""
        with self._lock:
            taken = self._counts, self._sum
            self._counts, self._sum = [0] * (len(self._bounds) + 1), 0.0
        return taken

    def add(self, counts: Sequence[int], total: float) -> None:
        with self._lock:
            self._counts = [mine + more for mine, more in zip(self._counts, counts, strict=True)]
            self._sum += total

    def told(self) -> tuple[list[tuple[str, float]], float]:
        """([(upper bound, how many up to it)], sum), as Prometheus has it."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        buckets, so_far = [], 0
        for bound, count in zip((*self._bounds, None), counts, strict=True):
            so_far += count
            buckets.append(("+Inf" if bound is None else repr(bound), float(so_far)))
        return buckets, total


class Measures:
    """One for a server; whoever does the work tells it."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()  # the event loop's alone
        self.request_s = Histogram(_REQUEST_BOUNDS_S)
        self.fsync_s = Histogram(_DISK_BOUNDS_S)
        self.commit_s = Histogram(_DISK_BOUNDS_S)
        self.bytes_in = 0  # the event loop's alone
        self._lock = threading.Lock()
        self._uploads = {"finished": 0, "failed": 0}

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        self.requests[method, route, status] += 1
        self.request_s.observe(took_s)

    def uploads(self, finished: int, failed: int) -> None:
        with self._lock:
            self._uploads["finished"] += finished
            self._uploads["failed"] += failed

    def uploads_by_outcome(self) -> dict[str, int]:
        with self._lock:
            return dict(self._uploads)

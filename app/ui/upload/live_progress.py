"""What moves right now, from a job's snapshots: per file the fraction sent, and its speed."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.snapshots import JobSnapshot

_SMOOTHING = 0.35  # weight of the newest measurement


@dataclass(frozen=True, slots=True)
class Moving:
    """A file under way, alone or in a batch; `fraction` from 0 to 1 of its request."""

    fraction: float
    bytes_per_s: float
    verifying: bool


class LiveProgress:
    """Looked up by item number; holds what is under way and what waits, never the whole job."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._firsts: list[int] = []
        self._spans: list[tuple[int, int, Moving]] = []
        self._waiting: dict[int, str] = {}
        self._speeds: dict[int, tuple[float, int, float]] = {}  # first item → when, sent, speed

    def take(self, job: JobSnapshot) -> None:
        now_s = self._clock_s()
        speeds: dict[int, tuple[float, int, float]] = {}
        spans: list[tuple[int, int, Moving]] = []
        for transfer in job.active:
            if not transfer.item_ids:
                continue
            key = transfer.item_ids[0][0]
            speeds[key] = self._measured(key, now_s, transfer.sent_bytes)
            size = max(transfer.size_bytes, 1)
            moving = Moving(
                min(transfer.sent_bytes / size, 1.0), speeds[key][2], transfer.verifying
            )
            spans += [(first, last, moving) for first, last in transfer.item_ids]
        self._speeds = speeds
        self._spans = sorted(spans, key=lambda span: span[0])
        self._firsts = [first for first, _, _ in self._spans]
        self._waiting = dict(job.waiting)

    def _measured(self, key: int, now_s: float, sent_bytes: int) -> tuple[float, int, float]:
        before = self._speeds.get(key)
        if before is None or sent_bytes < before[1]:
            return now_s, sent_bytes, 0.0
        passed_s = now_s - before[0]
        if passed_s < 0.05:
            return before
        speed = (sent_bytes - before[1]) / passed_s
        smooth = speed if not before[2] else before[2] + _SMOOTHING * (speed - before[2])
        return now_s, sent_bytes, smooth

    def of(self, item_id: int) -> Moving | None:
        place = bisect_right(self._firsts, item_id) - 1
        if place < 0:
            return None
        _, last, moving = self._spans[place]
        return moving if item_id <= last else None

    def waits_for(self, item_id: int) -> str | None:
        """Why it waits to be tried again; None when it does not."""
        return self._waiting.get(item_id)

    def spans(self) -> list[tuple[int, int]]:
        """Item ranges that look other than their stored rows."""
        waiting = [(item_id, item_id) for item_id in self._waiting]
        return [(first, last) for first, last, _ in self._spans] + waiting

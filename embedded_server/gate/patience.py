"""How long a connection may take over what it sends and reads, told by what moves, not in all.

    HEAD ──headers whole──> BODY ──body whole──> IDLE ──next byte──> HEAD

A head must be whole within a time. A body, and a reader of an answer, must move at least so many
bytes in each stretch of time: a large file over a slow line passes, a client that trickles a byte
now and then to hold a connection does not. Time in which the server itself does not read counts
for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

_LEAST_MOVED_BYTES = 4_096  # in each `idle_s`: 70 bytes a second at the usual 60 s
_TICKS_A_LIMIT = 4
_LONGEST_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    head_s: float = 20.0
    idle_s: float = 60.0
    head_bytes: int = 64 << 10

    @property
    def tick_s(self) -> float:
        return min(self.head_s / _TICKS_A_LIMIT, self.idle_s / _TICKS_A_LIMIT, _LONGEST_TICK_S)


class Stage(Enum):
    HEAD = auto()
    BODY = auto()
    IDLE = auto()


class WakingClock:
    """Seconds in which this process ran. Asleep, stopped or starved it counts one tick at most.

    So a machine that wakes up does not find all its uploads too slow at once.
    """

    def __init__(self, tick_s: float, now_s: float) -> None:
        self._longest_step_s = 2 * tick_s
        self._last_s = now_s
        self.awake_s = 0.0

    def tick(self, now_s: float) -> None:
        """`now_s` is monotonic."""
        self.awake_s += min(max(now_s - self._last_s, 0.0), self._longest_step_s)
        self._last_s = now_s


class Patience:
    """One connection's account; all times are of one `WakingClock`."""

    __slots__ = ("_limits", "_moved_in", "_moved_out", "_since_out_s", "_since_s", "came", "stage")

    def __init__(self, limits: Limits, awake_s: float) -> None:
        self._limits = limits
        self.came = 0  # bytes of this stage
        self._moved_out = 0
        self._since_out_s = awake_s
        self.enter(Stage.HEAD, awake_s)

    def enter(self, stage: Stage, awake_s: float) -> None:
        self.stage = stage
        self.came = 0
        self._moved_in = 0
        self._since_s = awake_s

    @property
    def has_too_long_a_head(self) -> bool:
        return self.stage is Stage.HEAD and self.came > self._limits.head_bytes

    def is_over_for_sender(self, awake_s: float, *, server_reads: bool) -> bool:
        """Whether what the client sends came too slowly."""
        if self.stage is Stage.IDLE:
            return False
        if self.stage is Stage.HEAD:
            return awake_s - self._since_s > self._limits.head_s
        if not server_reads or self.came - self._moved_in >= _LEAST_MOVED_BYTES:
            self._moved_in = self.came
            self._since_s = awake_s
        return awake_s - self._since_s > self._limits.idle_s

    def is_over_for_reader(self, awake_s: float, *, waiting_bytes: int, taken_bytes: int) -> bool:
        """Whether the client leaves its answer lying: `waiting_bytes` of it are still here."""
        if not waiting_bytes or taken_bytes - self._moved_out >= _LEAST_MOVED_BYTES:
            self._moved_out = taken_bytes
            self._since_out_s = awake_s
        return awake_s - self._since_out_s > self._limits.idle_s

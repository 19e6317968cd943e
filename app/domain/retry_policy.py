"""When to try again: capped exponential back-off with full jitter, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import LakeBusy, LakeDropError, Remedy


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter as in Brooker, "Exponential Backoff And Jitter" (AWS, 2015).

    `attempts` counts all tries of one file or call, the first included. A server's own wish
    (Retry-After) is honoured up to `longest_wish_s`, so that an absurd one cannot park a job.
    """

    attempts: int = 8
    base_s: float = 0.5
    cap_s: float = 20.0
    longest_wish_s: float = 120.0

    def wait_s(self, error: LakeDropError, tries: int, chance: float) -> float | None:
        """Seconds until the next try after `tries` failed ones, or None: do not try again.

        `chance` is uniform in [0, 1).
        """
        if error.remedy is not Remedy.TRY_LATER or tries >= self.attempts:
            return None
        wait_s = chance * min(self.cap_s, self.base_s * 2.0 ** max(tries - 1, 0))
        if isinstance(error, LakeBusy) and error.retry_after_s is not None:
            return max(wait_s, min(max(error.retry_after_s, 0.0), self.longest_wish_s))
        return wait_s

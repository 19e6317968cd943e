"""Runs in turn, `sync` between, told as the median of the pairs' ratios with their spread."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Contestant:
    """`run` is measured; `before` and `after` are not."""

    name: str
    before: Callable[[], None]
    run: Callable[[], None]
    after: Callable[[], None]


def nothing() -> None:
    """For a contestant that needs nothing done before or after."""


def seconds(contestant: Contestant) -> float:
    contestant.before()
    os.sync()
    began_s = time.perf_counter()
    contestant.run()
    took_s = time.perf_counter() - began_s
    contestant.after()
    return took_s


def in_turn(peer: Contestant, ours: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round; every round runs the peer too."""
    times: dict[str, list[float]] = {contestant.name: [] for contestant in [peer, *ours]}
    for number in range(rounds):
        for contestant in [peer, *ours]:
            times[contestant.name].append(seconds(contestant))
        told = "  ".join(f"{name} {series[-1]:.2f} s" for name, series in times.items())
        say(f"  round {number + 1}: {told}")
    return times


def tell_ratios(times: dict[str, list[float]], peer: str) -> None:
    say(f"  {peer}: median {statistics.median(times[peer]):.2f} s")
    for name, series in times.items():
        if name == peer:
            continue
        ratios = sorted(mine / its for mine, its in zip(series, times[peer], strict=True))
        say(
            f"  {name}: median {statistics.median(series):.2f} s, "
            f"{statistics.median(ratios):.2f} of the peer's time "
            f"(from {ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} rounds)"
        )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(**more: str) -> dict[str, str]:
    """As a user's own: Python keeps its compiled modules, no key is set."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "LAKEDROP_API_KEY")
    kept = {name: text for name, text in os.environ.items() if name not in left_out}
    return {**kept, **more}


def lakedrop(home: Path, *arguments: str) -> None:
    """The command line as a user runs it, on a lake of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment(LAKEDROP_HOME=str(home), LAKEDROP_ENGINE_LINGER_S="600"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"lakedrop {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

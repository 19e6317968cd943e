"""Healthy requests while slowhttptest holds hundreds of connections: their p99 beside that alone.

Each attack is run in turn with a stretch of quiet. The server keeps its usual limits, so nearly all
of the attack's connections stand while the healthy requests are timed.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from pathlib import Path

import httpx

from embedded_server import contract
from tests.benchmarks.measuring import environment, say
from tests.support.needs import needs_tool
from tests.support.real_server import RealServer

_CONNECTIONS = 400
_ATTACK_S = 18
_REQUESTS = 3_000

# -H: heads that never end; -B: bodies that trickle; -X: answers that nobody reads.
_ATTACKS = {
    "slow heads": ["-H", "-i", "5", "-t", "GET"],
    "slow bodies": ["-B", "-i", "5", "-s", "100000", "-x", "20", "-t", "POST"],
    "slow reads": ["-X", "-k", "3", "-n", "5", "-w", "10", "-y", "20", "-z", "8"],
}


def run(scratch: Path, rounds: int) -> None:
    tool = needs_tool("slowhttptest")
    say(f"Slow clients: {_CONNECTIONS} at once, healthy requests meanwhile ({rounds} rounds)")
    with RealServer(scratch / "slow", environment=environment()) as server:
        for what, flags in _ATTACKS.items():
            ratios = []
            for _ in range(rounds):
                alone_s = _p99_s(server.address)
                ratios.append(_p99_under_attack_s(tool, server.address, flags) / alone_s)
            say(
                f"  {what}: p99 of healthy requests is {statistics.median(ratios):.2f} of its own"
                f" (from {min(ratios):.2f} to {max(ratios):.2f})"
            )


def _p99_under_attack_s(tool: str, address: str, flags: list[str]) -> float:
    route = contract.UPLOAD_ROUTE + "?sync_id=1" if "-B" in flags else contract.LIST_ROUTE
    usual = ["-c", str(_CONNECTIONS), "-r", "200", "-l", str(_ATTACK_S), "-p", "3"]
    with subprocess.Popen(
        # With the least priority: an attacker has a machine of its own.
        ["nice", "-n", "19", tool, *flags, *usual, "-u", address + route],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as attack:
        time.sleep(4)  # all of its connections stand by then
        took_s = _p99_s(address)
        attack.terminate()
    return took_s


def _p99_s(address: str) -> float:
    times = []
    with httpx.Client(base_url=address, timeout=60) as http:
        for _ in range(_REQUESTS):
            began_s = time.perf_counter()
            http.get(contract.LIST_ROUTE).raise_for_status()
            times.append(time.perf_counter() - began_s)
    return statistics.quantiles(times, n=100)[98]

"""`make bench`: all benchmarks, on a scratch folder of the disk that the tree lies on.

python -m tests.benchmarks [--rounds 9] [--only small|big|history|memory|slow|window|server]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks import (
    big_file,
    long_history,
    server_bars,
    slow_clients,
    small_files,
    window_rows,
    window_start,
)
from tests.benchmarks.measuring import ROOT

_PARTS = ("small", "big", "history", "memory", "slow", "window", "server")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=_PARTS)
    chosen = parser.parse_args()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    try:
        if chosen.only in (None, "small"):
            small_files.run(scratch, chosen.rounds)
        if chosen.only in (None, "big"):
            big_file.run(scratch)
        if chosen.only in (None, "server"):
            server_bars.run(scratch, chosen.rounds)
        if chosen.only in (None, "history"):
            long_history.run(scratch, chosen.rounds)
        if chosen.only in (None, "memory"):
            long_history.run_memory(scratch)
        if chosen.only in (None, "slow"):
            slow_clients.run(scratch, chosen.rounds)
        if chosen.only in (None, "window"):
            window_start.run(scratch, chosen.rounds)
            window_rows.run(scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()

"""One 2 GiB file: the peak memory of the engine and of the server."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from tests.benchmarks.measuring import lakedrop, say
from tests.benchmarks.small_files import lakedrop_stop

SIZE_BYTES = 2 * 1024**3
_MIB = 1024 * 1024


def run(scratch: Path) -> None:
    say("one file of 2 GiB, durable and verified")
    home, source = scratch / "big-home", scratch / "big.bin"
    with source.open("wb") as file:
        for _ in range(SIZE_BYTES // (64 * _MIB)):
            file.write(os.urandom(64 * _MIB))
    try:
        began_s = time.perf_counter()
        lakedrop(home, "upload", str(source), "--to", "/big", "--mode", "incremental")
        took_s = time.perf_counter() - began_s
        stored = home / "lake" / "files" / "big" / "big.bin"
        if stored.stat().st_size != SIZE_BYTES:
            raise SystemExit("the file is not whole in the lake")
        say(f"  {SIZE_BYTES / _MIB / took_s:.0f} MiB/s")
        for name, peak_bytes in _peaks(home).items():
            say(f"  peak memory of the {name}: {peak_bytes / _MIB:.0f} MiB")
    finally:
        lakedrop_stop(home)


def _peaks(home: Path) -> dict[str, int]:
    """Peak resident bytes (VmHWM) of the engine of this home, and of its server. Linux only."""
    peaks: dict[str, int] = {}
    for process in psutil.process_iter(["cmdline", "environ", "pid"]):
        words = process.info["cmdline"] or []
        if (process.info["environ"] or {}).get("LAKEDROP_HOME") != str(home):
            continue
        for name, word in (("engine", "engine"), ("server", "embedded_server")):
            if word in words:
                status = Path(f"/proc/{process.info['pid']}/status").read_text(encoding="ascii")
                line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
                peaks[name] = int(line.split()[1]) * 1024
    return peaks

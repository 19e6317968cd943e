"""A million uploads and a million syncs: far pages beside the first one, the start, and the memory.

The bars: a far page costs at most twice the first one, the server's memory stays under 150 MiB
whatever it is asked, and it is there about as soon as on an empty lake.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from embedded_server import contract
from embedded_server.contract_extensions import LAKE_ENTRIES_ROUTE, LAKE_ZIP_ROUTE, MANIFEST_ROUTE
from tests.benchmarks.long_catalog import (
    BEGAN_MS,
    LARGE_SYNC,
    SYNCS,
    TOP,
    UPLOADS,
    WHOLE_SYNC,
    add_a_million_files,
    bound_key,
    fill,
)
from tests.benchmarks.measuring import ROOT, environment, say
from tests.support.real_server import RealServer

_FAR = 900_000
_MOST_RATIO = 2.0
_MOST_MIB = 150.0
_MOST_START_RATIO = 1.5
_FEWEST_ROUNDS = 9
_ZIPPED_FOLDERS, _ZIPPED_FILES = 10, 1_000
_WIDE = 1_000_000  # files in one folder
_HALF_MS = BEGAN_MS + UPLOADS // 2 * 1_000

Fields = dict[str, str]


def run(scratch: Path, rounds: int) -> None:
    say(f"a catalog of {UPLOADS:,} uploads and {SYNCS:,} syncs")
    lake = scratch / "history-lake"
    fill(lake)
    key = bound_key(lake, TOP)
    rounds = max(rounds, _FEWEST_ROUNDS)
    _tell_over([*_pages(lake, key, rounds), *_starts(lake, scratch / "empty-lake", rounds)])


def run_memory(scratch: Path) -> None:
    say(f"memory on a catalog of {2 * UPLOADS:,} uploads and {SYNCS:,} syncs")
    lake = scratch / "memory-lake"
    fill(lake)
    key = bound_key(lake, TOP)
    add_a_million_files(lake)
    _tell_over(_memory(lake, key))


def _tell_over(names: Iterable[str]) -> None:
    over = list(names)
    if over:
        raise SystemExit(f"over the bar: {', '.join(over)}")


# -- pages -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    route: str
    fields: Fields
    key: str | None = None  # bound to a path


def _questions(key: str) -> Iterator[_Asked]:
    for name, route in (("history", contract.HISTORY_ROUTE), ("list", contract.LIST_ROUTE)):
        yield _Asked(f"the contract's {name}", route, {})
        yield _Asked(f"the contract's {name}, for a bound key", route, {}, key)
    of_uploads: list[Fields] = [
        {},
        {"sync_id": str(LARGE_SYNC)},
        {"status": "Finished"},
        {"status": "Failed"},
        {"type": "IncrementalSync"},
        {"since": str(_HALF_MS)},
        {"text": "part-00"},
        {"text": "table9"},
        {"sync_id": str(LARGE_SYNC), "status": "Finished", "since": str(_HALF_MS)},
        {"text": "table9", "status": "Finished", "type": "FullSync", "until": str(_HALF_MS)},
        {"text": "part-00", "sync_id": str(LARGE_SYNC)},
    ]
    of_syncs: list[Fields] = [
        {},
        {"status": "Finished"},
        {"type": "IncrementalSync"},
        {"since": str(_HALF_MS)},
        {"text": "nightly"},
        {"text": "table9", "status": "Failed", "type": "IncrementalSync", "since": str(_HALF_MS)},
    ]
    for route, all_fields in (
        (contract.HISTORY_QUERY_ROUTE, of_uploads),
        (contract.SYNCS_QUERY_ROUTE, of_syncs),
    ):
        for fields in all_fields:
            what = "uploads" if route == contract.HISTORY_QUERY_ROUTE else "syncs"
            told = ", ".join(fields) or "everything"
            yield _Asked(f"query of {what} by {told}", route, fields)
            if len(fields) < 2:
                yield _Asked(f"query of {what} by {told}, for a bound key", route, fields, key)


def _pages(lake: Path, key: str, rounds: int) -> Iterator[str]:
    with _served(lake) as (_, client):
        for asked in _questions(key):
            if _is_slow(client, asked, rounds):
                yield asked.name


def _is_slow(client: httpx.Client, asked: _Asked, rounds: int) -> bool:
    began_s = time.perf_counter()
    total = _page(client, asked, 0)
    once_s = time.perf_counter() - began_s
    far = min(_FAR, total * 9 // 10)
    _page(client, asked, far)  # both pages are in memory from here on
    calls = max(1, min(20, int(0.02 / _seconds(lambda: _page(client, asked, far), 1))))
    first, last, ratios = [], [], []
    for _ in range(rounds):
        first.append(_seconds(lambda: _page(client, asked, 0), calls))
        last.append(_seconds(lambda: _page(client, asked, far), calls))
        ratios.append(last[-1] / first[-1])
    ratio = statistics.median(ratios)
    say(
        f"  {asked.name}: asked first {once_s * 1000:.0f} ms, then from=0"
        f" {statistics.median(first) * 1000:.1f} ms, from={far}"
        f" {statistics.median(last) * 1000:.1f} ms, ratio {ratio:.2f} of at most {_MOST_RATIO}"
        f" (from {min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds)"
    )
    return ratio > _MOST_RATIO


def _page(client: httpx.Client, asked: _Asked, offset: int, size: int = 10) -> int:
    """How many there are of them; the contract's own calls do not tell, so all."""
    body = _get(client, asked, {"from": str(offset), "size": str(size)}).json()
    rows = body if isinstance(body, list) else body["rows"]
    if len(rows) != size:
        raise SystemExit(f"{asked.name} from {offset} gave {len(rows)} rows")
    return UPLOADS if isinstance(body, list) else int(body["total"])


def _get(client: httpx.Client, asked: _Asked, more: Fields) -> httpx.Response:
    headers = {} if asked.key is None else {"Authorization": f"Bearer {asked.key}"}
    answer = client.get(asked.route, params={**asked.fields, **more}, headers=headers)
    if answer.status_code != 200:
        raise SystemExit(f"{asked.name} gave {answer.status_code}: {answer.text:.200}")
    return answer


def _seconds(work: Callable[[], object], calls: int) -> float:
    """Of one call; a short one alone is not measured well."""
    began_s = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began_s) / calls


# -- the start -------------------------------------------------------------------------------


def _starts(lake: Path, empty: Path, rounds: int) -> Iterator[str]:
    _start_s(empty)
    first, last = [], []
    for _ in range(rounds):
        first.append(_start_s(empty))
        last.append(_start_s(lake))
    ratios = [far / near for near, far in zip(first, last, strict=True)]
    ratio = statistics.median(ratios)
    say(
        f"  from the start to the first answer: {statistics.median(last):.2f} s, on an empty lake"
        f" {statistics.median(first):.2f} s, ratio {ratio:.2f} of at most {_MOST_START_RATIO}"
        f" (from {min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds)"
    )
    if ratio > _MOST_START_RATIO:
        yield "the start"


def _start_s(lake: Path) -> float:
    began_s = time.perf_counter()
    with _served(lake) as (_, client):
        client.get(contract.LIST_ROUTE).raise_for_status()
        return time.perf_counter() - began_s


# -- memory ----------------------------------------------------------------------------------


def _memory(lake: Path, key: str) -> Iterator[str]:
    """Half of the uploads are those of one sync."""
    for number in range(_ZIPPED_FOLDERS * _ZIPPED_FILES):
        folder = lake / f"files/zipped/{number // _ZIPPED_FILES}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"part-{number}.parquet").write_bytes(b"PAR1")
    (lake / "files/wide").mkdir()
    for number in range(_WIDE):
        (lake / f"files/wide/part-{number:07}.parquet").touch()
    with _served(lake) as (server, client):
        pid = server.process.pid
        say(f"  memory after a start with {2 * UPLOADS:,} uploads: {_peak_mib(pid):.0f} MiB")
        for asked in _questions(key):
            for offset in ("0", str(_FAR)):
                _get(client, asked, {"from": offset, "size": "1000"})
        say(f"  peak after all those pages, 1,000 rows each: {_peak_mib(pid):.0f} MiB")
        for wanted in ("json", "csv"):
            fields = {"sync_id": str(WHOLE_SYNC), "format": wanted}
            size_mib, took_s = _streamed(client, MANIFEST_ROUTE, fields)
            say(f"  a manifest of 1,000,000 files as {wanted}: {size_mib:.0f} MiB, {took_s:.1f} s")
        client.get(LAKE_ENTRIES_ROUTE, params={"path": "/zipped/1"}).raise_for_status()
        for begin in (0, _FAR, _WIDE - 1_000):
            wide = {"path": "/wide", "from": str(begin), "size": "1000"}
            size_mib, took_s = _streamed(client, LAKE_ENTRIES_ROUTE, wide)
            say(f"  a page from {begin:,} of {_WIDE:,} entries: {took_s:.1f} s")
        size_mib, took_s = _streamed(client, LAKE_ZIP_ROUTE, {"path": "/zipped"})
        files = _ZIPPED_FOLDERS * _ZIPPED_FILES
        say(f"  a zip of {files:,} files: {size_mib:.0f} MiB, {took_s:.1f} s")
        served_mib = _peak_mib(pid)
    say(f"  peak memory of the server: {served_mib:.0f} MiB of at most {_MOST_MIB:.0f}")
    verified_mib, took_s = _verified(lake)
    say(f"  verify: {took_s:.0f} s, {verified_mib:.0f} MiB of at most {_MOST_MIB:.0f}")
    if served_mib > _MOST_MIB:
        yield "the server's memory"
    if verified_mib > _MOST_MIB:
        yield "the memory of verify"


def _streamed(client: httpx.Client, route: str, fields: Fields) -> tuple[float, float]:
    """(MiB, seconds)"""
    began_s, size_bytes = time.perf_counter(), 0
    with client.stream("GET", route, params=fields) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            size_bytes += len(piece)
    return size_bytes / (1 << 20), time.perf_counter() - began_s


def _verified(lake: Path) -> tuple[float, float]:
    """(peak MiB, seconds); nearly all files are missing, and each of them is told."""
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded_server", "verify", "--lake", str(lake)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 1:
        raise SystemExit(f"verify ended with {process.returncode}")
    return used.ru_maxrss / 1024, time.perf_counter() - began_s


def _peak_mib(pid: int) -> float:
    """Peak resident memory (VmHWM). Linux only."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@contextmanager
def _served(lake: Path) -> Iterator[tuple[RealServer, httpx.Client]]:
    with (
        RealServer(lake, environment=environment()) as server,
        httpx.Client(base_url=server.address, timeout=120) as client,
    ):
        yield server, client

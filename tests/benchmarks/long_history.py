"""A million uploads and 20,000 syncs: a far page beside the first one, totals, and the memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from embedded_server import contract
from embedded_server.catalog.opening import open_catalog
from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.lake_path import LakePath
from embedded_server.domain.upload import UploadRow
from embedded_server.storage.disk import Disk
from embedded_server.storage.local_lake import open_layout
from tests.benchmarks.measuring import say
from tests.support.real_server import RealServer

UPLOADS = 1_000_000
SYNCS = 20_000
FAR = 900_000
_LARGE_SYNC = 1  # has as many uploads as all others together
_ROWS_A_CALL = 5_000
_BEGAN_MS = 1_700_000_000_000
_MOST_RATIO = 2.0
_MOST_MIB = 150.0

Fields = dict[str, str]


def run(scratch: Path, rounds: int) -> None:
    say(f"a catalog of {UPLOADS:,} uploads and {SYNCS:,} syncs")
    lake = scratch / "history-lake"
    _fill(lake)
    with RealServer(lake) as server, httpx.Client(base_url=server.address, timeout=60) as client:
        too_slow = [name for name, ask in _questions(client).items() if _is_slow(name, ask, rounds)]
        peak_mib = _peak_mib(server.process.pid)
    say(f"  peak memory of the server: {peak_mib:.0f} MiB")
    if too_slow or peak_mib > _MOST_MIB:
        raise SystemExit(f"over the bar: {', '.join(too_slow) or f'{peak_mib:.0f} MiB'}")


def _questions(client: httpx.Client) -> dict[str, tuple[Callable[[int], None], int]]:
    """What is asked, each from a row on; and the far row of each."""

    def plain(route: str) -> Callable[[int], None]:
        return lambda offset: _get(client, route, {"from": str(offset), "size": "10"})

    def query(**fields: str) -> Callable[[int], None]:
        return lambda offset: _get(
            client, contract.HISTORY_QUERY_ROUTE, {**fields, "from": str(offset), "size": "10"}
        )

    half = str(_BEGAN_MS + UPLOADS // 2 * 1_000)
    return {
        "the contract's history": (plain(contract.HISTORY_ROUTE), FAR),
        "the contract's list": (plain(contract.LIST_ROUTE), SYNCS * 9 // 10),
        "query of all": (query(), FAR),
        "query of one sync": (query(sync_id=str(_LARGE_SYNC)), FAR // 2),
        "query of one status": (query(status="Finished"), FAR),
        "query of one type": (query(type="IncrementalSync"), FAR * 2 // 5),
        "query of a time": (query(since=half), FAR // 2),
        "query of a sync, status and time": (
            query(sync_id=str(_LARGE_SYNC), status="Finished", since=half),
            FAR // 4,
        ),
        "query of a text": (query(text="part-00"), FAR),
    }


def _is_slow(name: str, asked: tuple[Callable[[int], None], int], rounds: int) -> bool:
    ask, far = asked
    ask(0)  # both pages are in memory from here on
    calls = max(1, min(10, int(0.02 / _seconds(lambda: ask(far), 1))))
    first, last, ratios = [], [], []
    for _ in range(max(rounds, 9)):
        first.append(_seconds(lambda: ask(0), calls))
        last.append(_seconds(lambda: ask(far), calls))
        ratios.append(last[-1] / first[-1])
    ratio = statistics.median(ratios)
    say(
        f"  {name}: from=0 {statistics.median(first) * 1000:.1f} ms,"
        f" from={far} {statistics.median(last) * 1000:.1f} ms, ratio {ratio:.2f}"
        f" (from {min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"
    )
    return ratio > _MOST_RATIO


def _seconds(work: Callable[[], None], calls: int) -> float:
    """Of one call; a short one alone is not measured well."""
    began_s = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began_s) / calls


def _get(client: httpx.Client, route: str, fields: Fields) -> None:
    answer = client.get(route, params=fields)
    body = answer.json()
    rows = body if isinstance(body, list) else body["rows"]
    if answer.status_code != 200 or len(rows) != 10:
        raise SystemExit(f"{route} {fields} gave {answer.status_code}, {len(rows)} rows")


def _fill(lake: Path) -> None:
    catalog = open_catalog(open_layout(str(lake), Disk()).catalog)
    types = list(SyncType)
    for number in range(SYNCS):
        path = LakePath(("data", f"table{number % 97}"))
        # Most of them are incremental, as most uploads are.
        catalog.add_sync(f"sync {number}", path, types[number % 7 > 0], _BEGAN_MS + number)
    for start in range(0, UPLOADS, _ROWS_A_CALL):
        numbers = range(start, start + _ROWS_A_CALL)
        catalog.add_finished_uploads([_upload(number) for number in numbers])
    catalog.close()


def _upload(number: int) -> UploadRow:
    is_failed = number % 100 == 99
    sync_id = _LARGE_SYNC if number % 2 else 2 + number * (SYNCS - 1) // UPLOADS
    began_ms = _BEGAN_MS + number * 1_000
    return UploadRow(
        sync_id,
        f"/data/table{number % 97}/2024-{number % 12 + 1:02}",
        f"part-{number % 1_000:05}-{number:08}.parquet",
        20_000,
        "" if is_failed else f"{number:064x}",
        began_ms,
        began_ms + 12,
        SyncStatus.FAILED if is_failed else SyncStatus.FINISHED,
        "the connection ended before the file had arrived whole" if is_failed else "",
        0 if is_failed else began_ms * 1_000_000,
    )


def _peak_mib(pid: int) -> float:
    """Peak resident memory (VmHWM). Linux only."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

"""A lake's catalog with a million uploads and a million syncs, as a long life would leave it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from embedded_server.catalog.opening import open_catalog
from embedded_server.storage.disk import Disk
from embedded_server.storage.local_lake import open_layout
from tests.benchmarks.measuring import ROOT, environment

UPLOADS = 1_000_000
SYNCS = 1_000_000
BEGAN_MS = 1_700_000_000_000
LARGE_SYNC = 1  # has as many uploads as all others together
WHOLE_SYNC = SYNCS - 100  # has all that `add_a_million_files` adds
RUNNING_SYNCS = 20
TOP = "/data"

# One statement each: rows by the million, through the same triggers as those of a server.
_SYNCS = f"""
INSERT INTO syncs (name, path, sync_type, status, started_at_ms, ended_at_ms, total_files,
                   num_failed, message, fed_at_ms, watched_at_ms)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {SYNCS - 1})
SELECT printf('nightly %d of table %d', i % 365, i % 97), printf('{TOP}/table%d', i % 97),
       iif(i % 7, 'IncrementalSync', 'FullSync'),
       iif(i >= {SYNCS - RUNNING_SYNCS}, 'Syncing', iif(i % 50 = 49, 'Failed', 'Finished')),
       {BEGAN_MS} + i * 1000, iif(i >= {SYNCS - RUNNING_SYNCS}, 0, {BEGAN_MS} + i * 1000 + 500),
       0, 0, iif(i % 50 = 49, 'expired: nothing came for 7 days', ''),
       {BEGAN_MS} + i * 1000, {BEGAN_MS} + i * 1000
FROM n"""

_COLUMNS = """sync_id, folder, file_name, size_bytes, sha256, started_at_ms, ended_at_ms, status,
    message, mtime_ns, key_name"""

_UPLOADS = f"""
INSERT INTO uploads ({_COLUMNS})
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {UPLOADS - 1})
SELECT iif(i % 2, {LARGE_SYNC}, 2 + i * ({SYNCS} - 2) / {UPLOADS}),
       printf('{TOP}/table%d/2024-%02d', i % 97, i % 12 + 1),
       printf('part-%05d-%08d.parquet', i % 1000, i), 20000,
       iif(i % 100 = 99, '', printf('%064x', i * 7919)),
       {BEGAN_MS} + i * 1000, {BEGAN_MS} + i * 1000 + 12,
       iif(i % 100 = 99, 'Failed', 'Finished'),
       iif(i % 100 = 99, 'the connection ended before the file had arrived whole', ''),
       iif(i % 100 = 99, 0, ({BEGAN_MS} + i * 1000) * 1000000), ''
FROM n"""

_FILES = f"""
INSERT INTO uploads ({_COLUMNS})
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
SELECT {WHOLE_SYNC}, printf('{TOP}/whole/%d', i % 1000), printf('file-%08d.parquet', i), 20000,
       printf('%064x', i * 7919), {BEGAN_MS} + {UPLOADS} * 1000 + i,
       {BEGAN_MS} + {UPLOADS} * 1000 + i + 12, 'Finished', '', {BEGAN_MS} * 1000000, ''
FROM n"""


def fill(lake: Path) -> None:
    _insert(lake, _SYNCS, _UPLOADS)


def add_a_million_files(lake: Path) -> None:
    """Of one sync; the lake has no server now."""
    _insert(lake, _FILES)


def _insert(lake: Path, *statements: str) -> None:
    catalog = open_catalog(open_layout(str(lake), Disk()).catalog)
    try:
        for statement in statements:
            catalog.write(lambda db, it=statement: db.exec_driver_sql(it))  # type: ignore[misc]
    finally:
        catalog.close()


def bound_key(lake: Path, path: str) -> str:
    """A key that may see no more than what is at and below `path`."""
    command = ["-m", "embedded_server", "keys", "add", "bench", "--lake", str(lake)]
    added = subprocess.run(
        [sys.executable, *command, "--path", path],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(),
    )
    return added.stdout.split()[-1]

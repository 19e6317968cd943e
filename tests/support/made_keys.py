"""Keys as a person makes them: `lakedrop keys add`, on a lake at rest or beside its server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]


def made_key(lake: Path, name: str, *flags: str) -> str:
    done = subprocess.run(
        [*(sys.executable, "-m", "embedded_server", "keys", "add", name), "--lake", lake, *flags],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=_REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

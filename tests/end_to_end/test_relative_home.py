"""`LAKEDROP_HOME` as a person types it: relative to where they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.home import Home, own_home


def test_a_relative_home_means_the_same_to_the_engine(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a")
    with own_home(tmp_path / "my home") as home:
        done = subprocess.run(
            [sys.executable, "-m", "app", "upload", "a.csv", "--to", "/data", "--mode", "full"],
            cwd=tmp_path,
            env=Home(Path("my home")).environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (home.files / "data" / "a.csv").read_bytes() == b"a"

"""The committed samples are what the script makes, and stay small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.unit.repo.tree import ROOT

SAMPLES = ROOT / "resources" / "samples"


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_script_makes_the_committed_samples_again_byte_for_byte(tmp_path: Path) -> None:
    script = ROOT / "resources" / "make_samples.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    made, committed = files_below(tmp_path), files_below(SAMPLES)
    assert sorted(made) == sorted(committed)
    assert [path for path in made if made[path] != committed[path]] == []


def test_the_samples_are_small_and_hold_what_the_demo_shows() -> None:
    samples = files_below(SAMPLES)
    assert sum(map(len, samples.values())) < 200 * 1024
    top = {path.split("/")[0] for path in samples}
    assert top == {"transactions", "khách hàng"}
    assert "khách hàng/bán hàng/2026/tháng 11/đơn hàng.csv" in samples
    assert {Path(path).suffix for path in samples} == {".csv", ".parquet"}


def test_the_two_forms_of_a_month_hold_the_same_orders() -> None:
    folder = SAMPLES / "transactions"
    lines = (folder / "orders-2026-09.csv").read_text(encoding="utf-8").splitlines()
    table = pq.read_table(folder / "orders-2026-09.parquet")
    assert [int(line.split(",")[0]) for line in lines[1:]] == table["order_id"].to_pylist()

"""`lakedrop receipt`: an upload's outcome, file by file, as it can be kept."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from tests.support.home import Home, tree


def _uploaded(home: Home, folder: Path) -> str:
    done = home.run("upload", f"{folder}/", "--to", "/data/x", "--mode", "full", "--json")
    return str(json.loads(done.stdout.splitlines()[-1])["job_id"])


def test_every_file_of_an_upload_is_told_with_digest_and_answer(
    home: Home, sales: Path, tmp_path: Path
) -> None:
    job = _uploaded(home, sales)
    kept = tmp_path / "receipt.csv"
    kept.write_text("an older one")

    written = home.run("receipt", job, "--output", str(kept))
    shown = home.run("receipt", job)
    told = home.run("receipt", job, "--format", "json")

    assert (written.returncode, shown.returncode, told.returncode) == (0, 0, 0), written.stderr
    assert written.stdout == ""
    assert kept.read_bytes().startswith(b"\xef\xbb\xbfpath,size,")  # spreadsheets see UTF-8 by it
    rows = list(csv.DictReader(kept.read_text("utf-8-sig").splitlines()))
    lake = tree(home.files / "data" / "x")
    assert {row["path"]: (int(row["size"]), row["sha256"]) for row in rows} == {
        f"/data/x/{name}": (len(data), hashlib.sha256(data).hexdigest())
        for name, data in lake.items()
    }
    assert len(rows) == 3
    assert {(row["sent"], row["assurance"]) for row in rows} == {("yes", "verified")}
    assert {row["answer"] for row in rows} == {"stored with this SHA-256"}
    assert all(Path(row["source"]).is_file() for row in rows)
    assert list(csv.DictReader(shown.stdout.splitlines())) == rows
    whole = json.loads(told.stdout)
    assert (whole["state"], whole["files_verified"], whole["destination"]) == (
        "finished",
        3,
        "/data/x",
    )
    assert [(f["path"], f["sha256"], f["sent"]) for f in whole["files"]] == [
        (row["path"], row["sha256"], True) for row in rows
    ]
    assert sorted(tmp_path.glob(".receipt*")) == []


def test_an_upload_says_where_its_receipt_lies(home: Home, sales: Path) -> None:
    done = home.run("upload", f"{sales}/", "--to", "/data/x", "--mode", "full", "--json")
    result = json.loads(done.stdout.splitlines()[-1])
    asked = home.run("receipt", str(result["job_id"]), "--format", "json")

    assert Path(result["receipt"]).parent == home.places.receipts
    assert Path(result["receipt"]).read_text("utf-8") == asked.stdout
    assert Path(result["receipt"]).with_suffix(".csv").is_file()

    told = home.run("upload", f"{sales}/", "--to", "/data/y", "--mode", "full")
    [line] = [line for line in told.stderr.splitlines() if line.startswith("Receipt: ")]
    assert Path(line.split()[1]).is_file()


def test_what_did_not_arrive_is_told_as_such(home: Home, sales: Path) -> None:
    (sales / "a.csv").rename(sales / "caf\udce9.csv")  # no Unicode: the lake cannot take it
    job = _uploaded(home, sales)

    told = json.loads(home.run("receipt", job, "--format", "json").stdout)

    assert (told["state"], told["files_planned"]) == ("needs_attention", 3)
    failed = [file for file in told["files"] if not file["sent"]]
    assert [(f["path"], f["sha256"], f["assurance"]) for f in failed] == [
        ("/data/x/caf\udce9.csv", "", "none")
    ]
    assert failed[0]["answer"] not in ("", "failed")


def test_what_cannot_be_told_or_written_is_an_error_in_words(
    home: Home, sales: Path, tmp_path: Path
) -> None:
    job = _uploaded(home, sales)
    nowhere = home.run("receipt", job, "--output", str(tmp_path / "no" / "r.csv"))
    unknown = home.run("receipt", "4711")

    assert (nowhere.returncode, unknown.returncode) == (1, 2)
    assert "cannot be written" in nowhere.stderr
    assert "4711" in unknown.stderr
    assert "Traceback" not in nowhere.stderr + unknown.stderr

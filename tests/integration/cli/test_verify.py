"""`lakedrop verify RECEIPT`: an upload's receipt against the lake and the source of today."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home
from tests.support.plain_server import running_plain_server
from tests.support.real_server import SAMPLE_KEY, RealServer

_TEAM_KEY = "a-key-of-the-team-that-nobody-guesses"


def _receipt(home: Home, folder: Path, *options: str, **environment: str) -> Path:
    done = home.run(
        *("upload", f"{folder}/", "--to", "/data/x", "--mode", "incremental", "--json"),
        *options,
        **environment,
    )
    return Path(json.loads(done.stdout.splitlines()[-1])["receipt"])


def _told(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(path below the destination → (lake, source), the result)."""
    *lines, result = map(json.loads, done.stdout.splitlines())
    return {
        line["path"].removeprefix("/data/x/"): (line["lake"], line["source"]) for line in lines
    }, result


def test_a_receipt_is_true_until_something_changes(home: Home, sales: Path) -> None:
    (sales / "Bán hàng").mkdir()
    (sales / "Bán hàng" / "Tháng mười.csv").write_text("đ")
    receipt = _receipt(home, sales)
    names = {path.relative_to(sales).as_posix() for path in sales.rglob("*") if path.is_file()}
    assert len(names) == 4

    for form in (receipt, receipt.with_suffix(".csv")):
        where = ("--connection", "local") if form.suffix == ".csv" else ()
        done = home.run("verify", str(form), *where, "--json")
        told, result = _told(done)
        assert (done.returncode, done.stderr) == (0, "")
        assert told == dict.fromkeys(names, ("same", "same"))
        assert (result["files"], result["not_sent"]) == (4, 0)
    for_people = home.run("verify", str(receipt))
    assert (for_people.returncode, for_people.stdout) == (0, "")
    assert for_people.stderr.splitlines() == [
        "In the lake: 4 same.",
        "At the source: 4 same.",
    ]


def test_what_changed_or_went_is_told_on_its_side(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("same", "lake-bytes", "lake-gone", "lake-new", "bytes", "size", "gone", "folder")
    for name in names:
        (folder / name).write_text("12345")
    receipt = _receipt(home, folder)
    lake = home.files / "data" / "x"
    (lake / "lake-bytes").write_text("54321")  # beside the server
    (lake / "lake-gone").unlink()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lake-new").write_text("54321")
    again = home.run(
        "upload", f"{tmp_path}/other/", "--to", "/data/x", "--mode", "incremental", "--json"
    )
    assert again.returncode == 0
    before = (folder / "bytes").stat()
    (folder / "bytes").write_text("54321")
    os.utime(folder / "bytes", ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "size").write_text("1")
    (folder / "gone").unlink()
    (folder / "folder").unlink()
    (folder / "folder").mkdir()

    done = home.run("verify", str(receipt), "--json")
    told, result = _told(done)
    assert done.returncode == 1
    assert told == {
        "same": ("same", "same"),
        "lake-bytes": ("changed", "same"),
        "lake-gone": ("gone", "same"),
        "lake-new": ("changed", "same"),
        "bytes": ("same", "changed"),
        "size": ("same", "changed"),
        "gone": ("same", "gone"),
        "folder": ("same", "gone"),
    }
    assert result["lake"] == {"same": 5, "changed": 2, "gone": 1, "not checked": 0}
    for_people = home.run("verify", str(receipt), "--no-sources")
    assert for_people.returncode == 1
    assert sorted(for_people.stdout.splitlines()) == [
        "changed in the lake  /data/x/lake-bytes  (changed beside the server)",
        "changed in the lake  /data/x/lake-new  (other bytes)",
        "gone in the lake  /data/x/lake-gone",
    ]
    (lake / "lake-bytes").unlink()  # the lake alone decides then
    only = receipt.with_name("only.json")
    head, *rows = receipt.read_text().splitlines()
    kept = [row for row in rows if '"/data/x/gone"' in row or '"/data/x/same"' in row]
    only.write_text(
        "\n".join([head, *(row.removesuffix(",") + "," for row in kept)])[:-1] + "\n]}\n"
    )
    assert home.run("verify", str(only), "--no-sources").returncode == 0


def test_a_plain_server_cannot_say_and_nothing_is_called_the_same(
    home: Home, sales: Path, tmp_path: Path
) -> None:
    with running_plain_server(tmp_path / "plain", SAMPLE_KEY) as server:
        where = ("--server", server.address)
        receipt = _receipt(home, sales, *where, LAKEDROP_API_KEY=SAMPLE_KEY)
        unnamed = home.run("verify", str(receipt), LAKEDROP_API_KEY=SAMPLE_KEY)
        done = home.run("verify", str(receipt), *where)
        told, _ = _told(home.run("verify", str(receipt), *where, "--json"))

    # An address that only a file names gets nothing, a key of the environment least of all.
    assert (unnamed.returncode, unnamed.stdout) == (2, "")
    assert f"--server {server.address}" in unnamed.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "The lake cannot be checked: this server tells no digests.",
        "In the lake: 3 not checked.",
        "At the source: 3 same.",
    ]
    assert set(told.values()) == {("not checked", "same")}


def test_a_strict_server_is_asked_with_the_key(home: Home, sales: Path, tmp_path: Path) -> None:
    with _strict(tmp_path) as server:
        where = ("--server", server.address)
        receipt = _receipt(home, sales, *where, LAKEDROP_API_KEY=_TEAM_KEY)
        done = home.run("verify", str(receipt), *where, LAKEDROP_API_KEY=_TEAM_KEY)
        without = home.run("verify", str(receipt), *where)
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "In the lake: 3 same.")
    assert without.returncode == 2
    assert "LAKEDROP_API_KEY" in without.stderr


@contextmanager
def _strict(tmp_path: Path) -> Iterator[RealServer]:
    program = ("-m", "embedded_server", "--strict", "--insecure-lan")
    with RealServer(tmp_path / "strict", api_key=_TEAM_KEY, program=program) as server:
        yield server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "path,size\n/a,1\n",
        '{"connection": "local", "files": 3}',
        '{"connection": "local", "state": "finished", "mode": "", "files": [\n{"path": 1}\n]}',
        "path,size,sha256,sent,assurance,answer,source\n/a,x,,yes,verified,,/a\n",
        "\udcff",
    ],
)
def test_what_is_no_receipt_is_wrong_use(home: Home, tmp_path: Path, text: str) -> None:
    file = tmp_path / "receipt"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    done = home.run("verify", str(file), "--connection", "local")
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "no receipt of LakeDrop's" in done.stderr


def test_a_cut_receipt_is_not_taken_for_a_whole_one(home: Home, sales: Path) -> None:
    receipt = _receipt(home, sales)
    cut = receipt.with_name("cut.json")
    lines = receipt.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:-2]))
    done = home.run("verify", str(cut))
    assert done.returncode == 2
    assert "is cut" in done.stderr
    gone = home.run("verify", str(receipt.with_name("no.json")))
    assert gone.returncode == 2

    # As another tool writes it, JSON is JSON.
    cut.write_text(json.dumps(json.loads(receipt.read_text()), indent=2, ensure_ascii=False))
    assert home.run("verify", str(cut)).returncode == 0


def test_both_kinds_of_verify_are_told_apart(home: Home, tmp_path: Path) -> None:
    ours = home.run("verify", "--help")
    lakes = home.run("verify", "--lake", str(tmp_path), "--help")
    assert (ours.returncode, lakes.returncode) == (0, 0)
    assert "RECEIPT" in ours.stdout
    assert "verify --lake DIR" in ours.stdout
    assert "--no-sources" not in lakes.stdout
    assert "--sync" in lakes.stdout
    assert "lakedrop verify RECEIPT" in lakes.stdout
    assert home.run("verify").returncode == 2

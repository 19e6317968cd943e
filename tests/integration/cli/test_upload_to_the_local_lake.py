"""`lakedrop upload` as a person runs it: exit codes, JSON lines, and what lies in the lake."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.support.home import Home, tree


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_folder_keeps_its_name_and_its_contents_do_not(home: Home, sales: Path) -> None:
    kept = home.run("upload", str(sales), "--to", "/data/kept", "--mode", "incremental")
    bare = home.run("upload", f"{sales}/", "--to", "/data/bare", "--mode", "incremental")

    assert (kept.returncode, bare.returncode) == (0, 0), kept.stderr + bare.stderr
    assert tree(home.files / "data" / "kept" / "sales") == tree(sales)
    assert tree(home.files / "data" / "bare") == tree(sales)
    assert "3 files, 5.0 kB uploaded and verified" in bare.stdout


def test_json_tells_each_files_digest_and_the_result_last(home: Home, sales: Path) -> None:
    done = home.run("upload", f"{sales}/", "--to", "/data/x", "--mode", "full", "--json")

    told = events(done.stdout)
    files = {event["path"]: event for event in told if event["event"] == "file"}
    assert done.returncode == 0
    assert done.stderr == ""
    assert {path: event["sha256"] for path, event in files.items()} == {
        f"/data/x/{name}": hashlib.sha256(content).hexdigest()
        for name, content in tree(sales).items()
    }
    assert {event["assurance"] for event in files.values()} == {"verified"}
    assert told[0]["event"] == "found"
    assert told[-1]["event"] == "result"
    assert told[-1]["files_verified"] == told[-1]["files"] == 3
    assert told[-1]["exit_code"] == 0


def test_an_incremental_upload_sends_what_is_new_and_tells_the_rest(
    home: Home, sales: Path
) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "incremental")
    assert home.run(*upload).returncode == 0
    (sales / "a.csv").write_bytes(b"id\n3\n")  # as long as before
    again = home.run(*upload, "--json")
    for_people = home.run(*upload)
    everything = events(home.run(*upload, "--send-all", "--json").stdout)

    *told, result = events(again.stdout)
    assert (again.returncode, result["exit_code"]) == (0, 0)
    assert {it["path"]: it["state"] for it in told if it["event"] == "file"} == {
        f"/data/x/{name}": "uploaded" if name == "a.csv" else "already_in_lake"
        for name in tree(sales)
    }
    assert (result["files_verified"], result["files_already_in_lake"]) == (3, 2)
    assert tree(home.files / "data" / "x") == tree(sales)
    assert "0 sent, 3 files already there" in for_people.stdout
    assert everything[-1]["files_already_in_lake"] == 0
    checked = home.run("verify", result["receipt"], "--json")  # those are vouched for, too
    assert (checked.returncode, events(checked.stdout)[-1]["files"]) == (0, 3)


def test_a_full_sync_over_data_needs_yes_and_moves_the_old_data_to_the_trash(
    home: Home, sales: Path
) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "full")
    assert home.run(*upload).returncode == 0
    (sales / "a.csv").write_bytes(b"id\n3\n")

    refused = home.run(*upload)
    assert refused.returncode == 2
    assert "3 files, 5.0 kB at /data/x move to the trash" in refused.stderr
    assert "--yes" in refused.stderr
    assert (home.files / "data" / "x" / "a.csv").read_bytes() == b"id\n1\n"

    agreed = home.run(*upload, "--yes")
    assert agreed.returncode == 0, agreed.stderr
    assert tree(home.files / "data" / "x") == tree(sales)
    assert b"id\n1\n" in tree(home.trash).values()


def test_a_missing_file_is_told_before_anything_starts(home: Home, tmp_path: Path) -> None:
    done = home.run(
        "upload", str(tmp_path / "no.csv"), "--to", "/data/x", "--mode", "full", "--json"
    )

    assert done.returncode == 2
    assert [event["event"] for event in events(done.stdout)] == ["error"]
    assert events(done.stdout)[0]["kind"] == "WrongUse"
    assert not home.places.runtime_file.exists()


def test_an_empty_folder_is_nothing_to_add_and_needs_consent_to_replace(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    upload = ("upload", str(tmp_path / "nothing") + "/", "--to", "/data/x", "--mode")

    assert home.run(*upload, "incremental").returncode == 2
    assert home.run(*upload, "full", "--yes").returncode == 2
    assert home.run(*upload, "full", "--yes", "--allow-empty").returncode == 0


def test_data_that_shrinks_a_lot_needs_a_consent_of_its_own_besides_yes(
    home: Home, sales: Path
) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "full", "--yes")
    assert home.run(*upload).returncode == 0
    before = tree(home.files / "data" / "x")
    (sales / "tháng 10" / "đơn hàng.csv").unlink()  # nearly all bytes

    refused = home.run(*upload)
    assert refused.returncode == 2
    assert "would shrink by more than 50 %: there are 3 files, 5.0 kB" in refused.stderr
    assert "--allow-shrink" in refused.stderr
    assert tree(home.files / "data" / "x") == before

    assert home.run(*upload, "--max-shrink", "100").returncode == 0
    assert tree(home.files / "data" / "x") == tree(sales)
    (sales / "empty.csv").unlink()
    (sales / "a.csv").write_bytes(b"i")
    assert home.run(*upload, "--allow-shrink").returncode == 0
    assert tree(home.files / "data" / "x") == tree(sales)


def test_an_empty_folder_among_others_needs_a_consent_of_its_own_besides_yes(
    home: Home, sales: Path, tmp_path: Path
) -> None:
    (tmp_path / "usb").mkdir()
    upload = ("upload", str(sales), str(tmp_path / "usb"), "--to", "/data/x", "--mode", "full")

    refused = home.run(*upload, "--yes", "--allow-shrink")
    assert refused.returncode == 2
    assert "--allow-empty" in refused.stderr
    assert tree(home.files) == {}
    assert home.run(*upload, "--yes", "--allow-empty").returncode == 0


def test_links_are_left_out_and_told(home: Home, sales: Path) -> None:
    (sales / "link.csv").symlink_to(sales / "a.csv")

    done = home.run("upload", f"{sales}/", "--to", "/data/x", "--mode", "incremental")
    assert done.returncode == 0
    assert "link.csv" in done.stderr
    assert "link.csv" not in tree(home.files)


def test_junk_is_left_out_and_told_unless_it_is_wanted(home: Home, sales: Path) -> None:
    for junk in (".DS_Store", "tháng 10/Thumbs.db", "tháng 10/big.csv.crdownload"):
        (sales / junk).write_bytes(b"junk")
    (sales / "_delta_log").mkdir()
    (sales / "_delta_log" / "0.json").write_bytes(b"{}")

    upload = ("upload", f"{sales}/", "--mode", "incremental", "--to")
    done = home.run(*upload, "/data/x")
    assert done.returncode == 0, done.stderr
    assert set(tree(home.files / "data" / "x")) == {
        "a.csv",
        "empty.csv",
        "tháng 10/đơn hàng.csv",
        "_delta_log/0.json",
    }
    assert f"{sales}/.DS_Store: a file that macOS keeps for itself" in done.stderr
    assert f"{sales}/tháng 10/big.csv.crdownload: an unfinished download" in done.stderr

    assert home.run(*upload, "/data/all", "--keep-junk").returncode == 0
    assert tree(home.files / "data" / "all") == tree(sales)


def test_patterns_take_and_leave_out_and_a_wrong_one_is_refused(home: Home, sales: Path) -> None:
    (sales / "notes.txt").write_bytes(b"mine")
    upload = ("upload", str(sales), "--to", "/data/x", "--mode", "incremental")

    done = home.run(*upload, "--include", "*.csv", "--exclude", "/empty.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert set(tree(home.files / "data" / "x")) == {"sales/a.csv", "sales/tháng 10/đơn hàng.csv"}
    left_out = {e["source"]: e["reason"] for e in events(done.stdout) if e["event"] == "left_out"}
    assert left_out == {
        str(sales / "notes.txt"): "matches no pattern that this upload includes",
        str(sales / "empty.csv"): "excluded by a pattern of this upload",
    }

    refused = home.run(*upload, "--exclude", "#recycle")
    assert refused.returncode == 2
    assert "--exclude" in refused.stderr


def test_names_are_told_before_the_start_and_are_those_that_the_server_refuses(
    home: Home, sales: Path
) -> None:
    for name in ("NUL.txt", "a:b.csv", "dot."):
        (sales / name).write_bytes(b"x")
    (sales / "A.csv").write_bytes(b"twin")
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--json", "--mode")

    told = events(home.run(*upload, "incremental").stdout)
    bewares = [event["message"] for event in told if event["event"] == "beware"]
    failed = {e["path"] for e in told if e["event"] == "file" and e["state"] == "failed"}
    assert failed == {f"/data/x/{name}" for name in ("NUL.txt", "a:b.csv", "dot.")}
    assert all(path in bewares[0] for path in failed)
    assert "/data/x/A.csv and /data/x/a.csv" in bewares[1]

    refused = home.run(*upload, "full", "--yes")
    assert refused.returncode == 2
    assert "NUL.txt" in refused.stdout
    assert "--exclude" in refused.stdout


def test_jobs_and_history_show_what_was_done_newest_first(home: Home, sales: Path) -> None:
    for name in ("first", "second"):
        done = home.run(
            *("upload", str(sales / "a.csv"), "--to", "/data/x", "--mode", "incremental"),
            *("--name", name),
        )
        assert done.returncode == 0

    jobs, history = home.rows("jobs"), home.rows("history", "--job", "1")
    assert [job["name"] for job in jobs] == ["second", "first"]
    assert [row["file_name"] for row in history] == ["a.csv"]
    table = home.run("jobs").stdout.splitlines()
    assert len(table) == 3
    assert table[1].split()[:3] == ["2", "second", "/data/x"]


def test_a_name_that_no_lake_takes_fails_alone_with_a_reason_and_exits_1(
    home: Home, sales: Path
) -> None:
    (sales / "NUL.txt").write_bytes(b"no name on Windows")

    done = home.run("upload", f"{sales}/", "--to", "/data/x", "--mode", "incremental")
    assert done.returncode == 1
    assert "NUL.txt" in done.stderr
    assert "3 of 4 files" in done.stdout
    assert len(tree(home.files)) == 3


def test_a_full_sync_with_a_file_missing_leaves_the_old_data_alone(home: Home, sales: Path) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "full", "--yes")
    assert home.run(*upload).returncode == 0
    before = tree(home.files)
    (sales / "caf\udce9.csv").write_bytes(b"no Unicode")  # planned, and fails when it is sent
    (sales / "a.csv").unlink()

    assert home.run(*upload).returncode == 1
    assert tree(home.files) == before


def test_the_environments_key_is_no_matter_to_the_local_lake(home: Home, sales: Path) -> None:
    done = home.run(
        *("upload", str(sales), "--to", "/data/x", "--mode", "incremental"),
        LAKEDROP_API_KEY="canary-key-of-a-remote",
    )

    assert done.returncode == 0, done.stderr
    for log in (path for path in home.places.state.rglob("*") if path.is_file()):
        assert b"canary-key-of-a-remote" not in log.read_bytes()

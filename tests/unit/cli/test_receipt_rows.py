"""A receipt's rows, where names and servers' words are made to do harm."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from app.cli.words import shown
from app.domain.receipt import CsvForm, JsonForm, cell, row_of, write
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType


def _item(**changed: object) -> dict[str, Any]:
    item: dict[str, Any] = {
        "lake_path": "/data/x/a.csv",
        "size_bytes": 5,
        "sha256": "ab" * 32,
        "state": "uploaded",
        "assurance": "verified",
        "message": "",
        "source": "/home/me/a.csv",
    }
    return item | changed


def _job() -> JobSnapshot:
    return JobSnapshot(
        job_id=7,
        name="n",
        connection="local",
        destination="/data/x",
        mode=SyncType.FULL,
        state=JobState.FINISHED,
        message="",
        intake_done=True,
        sync_id=1,
        plain_server=False,
        files=1,
        bytes=5,
        files_arrived=1,
        files_verified=1,
        files_failed=0,
        files_cancelled=0,
        files_left_out=0,
        bytes_sent=5,
        speed_bytes_s=0.0,
        waiting_reason="",
    )


def _written(form: str, *, for_eyes: bool = False, **changed: object) -> str:
    out = io.StringIO()
    csv_form = CsvForm(out, line_end="\n", shown=shown if for_eyes else str)
    write([JsonForm(out, _job()) if form == "json" else csv_form], [row_of(_item(**changed))])
    return out.getvalue()


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(begin: str) -> None:
    words = f'{begin}HYPERLINK("http://x","y")'
    text = _written("csv", state="failed", assurance="none", message=words)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["answer"] == f"'{words}"
    assert (
        json.loads(_written("json", assurance="none", message=words))["files"][0]["answer"] == words
    )  # JSON is exact


@pytest.mark.parametrize("text", ["/data/=1+1.csv", "Tháng một", "a-b", ""])
def test_all_else_is_told_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_names_keep_to_their_cell_and_steer_no_terminal() -> None:
    path = '/data/x/a",b\n\x1b[2J.csv'
    (row,) = csv.DictReader(io.StringIO(_written("csv", lake_path=path), newline=""))
    assert row["path"] == path
    assert "\x1b" not in _written("csv", lake_path=path, for_eyes=True)
    assert json.loads(_written("json", lake_path=path))["files"][0]["path"] == path


@pytest.mark.parametrize(
    ("state", "assurance", "message", "sent", "answer"),
    [
        ("uploaded", "verified", "", True, "stored with this SHA-256"),
        ("uploaded", "acknowledged", "", True, "acknowledged, no SHA-256 told"),
        ("already_in_lake", "verified", "", False, "already in the lake with this SHA-256"),
        ("failed", "none", "The server says no.", False, "The server says no."),
        ("cancelled", "none", "", False, "cancelled"),
        ("queued", "none", "", False, "queued"),
    ],
)
def test_nothing_counts_as_sent_that_did_not_arrive(
    state: str, assurance: str, message: str, sent: bool, answer: str
) -> None:
    row = row_of(_item(state=state, assurance=assurance, message=message))
    assert (row["sent"], row["assurance"], row["answer"]) == (sent, assurance, answer)

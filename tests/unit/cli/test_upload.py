"""`lakedrop upload` against a scripted engine: what it asks, does, tells and returns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.arguments import parser
from app.domain.errors import (
    ConnectionNotUsable,
    LakeRefused,
    LakeUnreachable,
    WrongUse,
)
from app.domain.upload_job import JobState
from tests.support.fake_engine import snapshot
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.upload_script import SHA, Script, item


def test_a_job_whose_files_are_all_verified_is_told_and_exits_0(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    assert upload("--name", "nightly") == 0

    assert "2 files, 30 bytes uploaded and verified" in lakedrop.out
    assert "(sync 7)" in lakedrop.out
    asked = script.engine.args_of("add_job")
    assert asked["connection"] == {"name": "local"}
    assert asked["mode"] == "IncrementalSync"
    assert asked["name"] == "nightly"
    assert asked["destination"] == "/data/x"
    assert script.engine.args_of("start_job")["consents"] == {
        "empty_full_sync": False,
        "empty_sources": False,
        "shrink": False,
        "same_names_on_plain_server": False,
        "end_without_failed_files": True,
    }


def test_what_the_lake_had_already_is_told_apart_from_what_was_sent(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    done = {"sync_id": 7, "files_arrived": 2, "files_verified": 2, "files_already_in_lake": 1}
    script.last = snapshot(JobState.FINISHED, **done)

    assert upload() == 0
    assert "2 files, 30 bytes in the lake and verified" in lakedrop.out
    assert "1 sent, 1 file already there: /data/x (sync 7)" in lakedrop.out
    assert script.engine.args_of("add_job")["send_all"] is False
    assert upload("--send-all", "--json") == 0
    assert script.engine.args_of("add_job")["send_all"] is True
    assert lakedrop.events()[-1]["files_already_in_lake"] == 1


def test_a_finished_job_with_a_file_that_is_not_verified_exits_1(
    script: Script, upload: Callable[..., int]
) -> None:
    script.last = snapshot(JobState.FINISHED, sync_id=7, files_arrived=2, files_verified=1)

    assert upload() == 1


def test_on_a_plain_server_acknowledged_is_enough(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.last = snapshot(JobState.FINISHED, sync_id=7, files_arrived=2, plain_server=True)

    assert upload() == 0
    assert "acknowledged" in lakedrop.out
    assert "verified" not in lakedrop.out


def test_failed_files_are_told_in_words_and_exit_1(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.items = [item(number, "failed", "no permission") for number in range(1, 31)]
    script.last = snapshot(JobState.FINISHED, sync_id=7, files=30, files_failed=30)

    assert upload() == 1
    assert lakedrop.err.count("no permission") == 20
    assert "… and 10 more; --json lists all" in lakedrop.err
    assert "30 failed" in lakedrop.out


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.NEEDS_ATTENTION])
def test_a_job_that_does_not_finish_is_told_with_its_reason_and_exits_1(
    state: JobState, script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.last = snapshot(state, message="The API key is wrong.")

    assert upload() == 1
    assert "The API key is wrong." in lakedrop.out


def test_a_source_that_is_missing_starts_nothing(lakedrop: CommandLine, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"nothing\.csv"):
        lakedrop.run(
            "upload", str(tmp_path / "nothing.csv"), "--to", "/data/x", "--mode", "incremental"
        )
    assert lakedrop.attached == 0


def test_a_destination_that_is_no_folder_of_a_lake_starts_nothing(
    lakedrop: CommandLine, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match="/data/sales"):
        lakedrop.run("upload", str(tmp_path), "--to", "data", "--mode", "incremental")
    assert lakedrop.attached == 0


def test_json_tells_every_file_and_ends_with_the_result(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.draft = snapshot(files_left_out=1)
    script.items = [item(1), item(2, "failed", "no permission")]
    script.last = snapshot(
        JobState.FINISHED, sync_id=7, files_arrived=1, files_verified=1, files_failed=1
    )

    assert upload("--json") == 1
    events = lakedrop.events()
    assert [event["event"] for event in events] == [
        "found",
        "left_out",
        "progress",
        "file",
        "file",
        "result",
    ]
    assert events[3] == {
        "event": "file",
        "source": "/home/an/1.csv",
        "path": "/data/x/1.csv",
        "size_bytes": 15,
        "state": "uploaded",
        "assurance": "verified",
        "sha256": SHA,
        "message": "",
    }
    assert events[-1]["exit_code"] == 1
    assert events[-1]["sync_id"] == 7
    assert events[-1]["state"] == "finished"


def test_json_lists_every_page_of_files(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.items = [item(number) for number in range(1, 2_002)]

    upload("--json")

    paths = [event["path"] for event in lakedrop.events() if event["event"] == "file"]
    assert len(paths) == len(set(paths)) == 2_001


def test_what_is_left_out_is_told(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.draft = snapshot(files_left_out=1)

    upload()
    assert "/home/an/link: a symbolic link" in lakedrop.err


def test_a_name_with_escape_sequences_cannot_steer_the_terminal(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.items = [item(1, "failed", "bad \x1b[2J name‮")]
    script.last = snapshot(JobState.FINISHED, files_failed=1)

    upload()
    assert "bad \\x1b[2J name\\u202e" in lakedrop.err
    assert "\x1b" not in lakedrop.err


def test_without_a_key_a_remote_is_refused_before_a_job_is_made(
    script: Script, upload: Callable[..., int]
) -> None:
    with pytest.raises(ConnectionNotUsable, match="LAKEDROP_API_KEY"):
        upload("--server", "https://lake.example")
    assert "add_job" not in script.engine.commands()


def test_on_a_terminal_a_missing_key_is_asked_for_without_echo(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    lakedrop.on_terminal, lakedrop.typed_secret = True, "canary-key"

    assert upload("--server", "https://lake.example") == 0
    assert script.engine.args_of("add_job")["key"] == "canary-key"
    assert "provide_key" not in script.engine.commands()  # it would wake other jobs too
    assert "canary-key" not in lakedrop.out + lakedrop.err


def test_a_key_in_the_keyring_is_left_to_the_engine(
    script: Script, upload: Callable[..., int]
) -> None:
    script.engine.answers["connections"] = lambda _: {
        "connections": [{"name": "prod", "base_url": "https://x", "has_key": True}]
    }

    assert upload("--connection", "prod") == 0
    assert script.engine.args_of("add_job")["key"] is None


def test_the_environments_key_is_not_sent_to_the_local_lake(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    lakedrop.environment_key = "canary-key"

    assert upload() == 0
    assert script.engine.args_of("add_job")["key"] is None


def test_plain_http_to_another_machine_needs_its_own_option(
    lakedrop: CommandLine, upload: Callable[..., int]
) -> None:
    with pytest.raises(ConnectionNotUsable, match="--allow-plain-http"):
        upload("--server", "http://lake.example")
    assert lakedrop.attached == 0


@pytest.mark.parametrize("error", [LakeUnreachable("no route"), LakeRefused("not here")])
def test_a_server_that_cannot_tell_what_is_there_ends_the_command_and_the_draft(
    error: LakeRefused, script: Script, upload: Callable[..., int]
) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise error

    script.engine.answers["impact"] = fail

    with pytest.raises(type(error), match=error.message):
        upload()
    assert "cancel_job" in script.engine.commands()


@pytest.mark.parametrize(
    "wrong",
    [
        ["upload", "x", "--to", "/d"],
        ["upload", "x", "--mode", "full"],
        ["upload", "x", "--to", "/d", "--mode", "both"],
        ["upload", "x", "--to", "/d", "--mode", "full", "--server", "u", "--connection", "c"],
        ["jobs", "--limit", "0"],
        ["jobs", "--limit", "many"],
        ["nothing"],
    ],
)
def test_a_wrong_command_line_exits_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(wrong)
    assert caught.value.code == 2
    assert "usage: lakedrop" in capsys.readouterr().err

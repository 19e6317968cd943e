"""`lakedrop upload` against a scripted engine: what it asks, does, tells and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from app.domain.impact import Impact
from app.domain.odd_names import OddNames
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType
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


def test_a_full_sync_asks_with_the_numbers_and_goes_on_after_yes(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.full()
    lakedrop.on_terminal, lakedrop.typed = True, "y\n"

    assert upload(mode="full") == 0
    assert "412 files, 9.0 GB at /data/x move to the trash" in lakedrop.err
    assert "2 files, 30 bytes take their place. Go on? [y/N]" in lakedrop.err
    assert not script.engine.args_of("start_job")["consents"]["end_without_failed_files"]


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "what?\n"])
def test_any_other_answer_cancels_the_job_and_starts_nothing(
    answer: str, script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.full()
    lakedrop.on_terminal, lakedrop.typed = True, answer

    assert upload(mode="full") == 1
    assert "cancel_job" in script.engine.commands()
    assert "start_job" not in script.engine.commands()


def test_without_a_terminal_a_full_sync_over_data_needs_yes(
    script: Script, upload: Callable[..., int]
) -> None:
    script.full()

    with pytest.raises(WrongUse, match=r"412 files.*--yes"):
        upload(mode="full")
    assert "cancel_job" in script.engine.commands()
    assert "start_job" not in script.engine.commands()
    script.engine.requests.clear()
    script.started = False
    script.last = snapshot(JobState.FINISHED, files_arrived=2, files_verified=2)
    assert upload("--yes", mode="full") == 0


def test_a_full_sync_onto_nothing_asks_nothing(script: Script, upload: Callable[..., int]) -> None:
    script.full(replaced_files=0, replaced_bytes=0)

    assert upload(mode="full") == 0


def test_unknown_numbers_are_said_and_asked_about_too(
    script: Script, upload: Callable[..., int]
) -> None:
    script.full(replaced_files=None, replaced_bytes=None, plain_server=True)

    with pytest.raises(WrongUse, match=r"cannot tell what is at /data/x.*--yes"):
        upload(mode="full")


def test_an_empty_full_sync_needs_a_consent_of_its_own_besides_yes(
    script: Script, upload: Callable[..., int]
) -> None:
    script.draft = snapshot(files=0, bytes=0)
    script.full(new_files=0, new_bytes=0)

    with pytest.raises(WrongUse, match="--allow-empty"):
        upload("--yes", mode="full")
    script.started = False
    with pytest.raises(WrongUse, match="--yes"):
        upload("--allow-empty", mode="full")
    script.started = False
    script.last = snapshot(JobState.FINISHED, files=0, bytes=0)
    assert upload("--allow-empty", "--yes", mode="full") == 0
    assert script.engine.args_of("start_job")["consents"]["empty_full_sync"]


def test_data_that_shrinks_a_lot_needs_a_consent_of_its_own_besides_yes(
    script: Script, upload: Callable[..., int]
) -> None:
    script.full(before_files=412, before_bytes=9_000_000_000)
    done = script.last

    with pytest.raises(WrongUse, match=r"shrink by more than 50 %: there are 412 .*--allow-shrink"):
        upload("--yes", mode="full")
    assert "start_job" not in script.engine.commands()
    script.started = False
    with pytest.raises(WrongUse, match="--yes"):
        upload("--allow-shrink", mode="full")
    script.started, script.last = False, done
    assert upload("--allow-shrink", "--yes", mode="full") == 0
    assert script.engine.args_of("start_job")["consents"]["shrink"]


def test_the_question_about_shrinking_tells_when_it_only_knows_the_last_sync(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    unknown = {"replaced_files": None, "replaced_bytes": None, "plain_server": True}
    script.full(**unknown, before_files=9, before_bytes=60, before_is_last_sync=True)
    lakedrop.on_terminal, lakedrop.typed = True, "y\nn\n"

    assert upload(mode="full") == 1
    assert "your last full sync there had 9 files, 60 bytes" in lakedrop.err
    assert "start_job" not in script.engine.commands()


def test_the_share_that_data_may_shrink_by_goes_to_the_engine(
    script: Script, upload: Callable[..., int]
) -> None:
    upload()
    assert script.engine.args_of("add_job")["most_shrink_percent"] == 50
    script.started = False
    upload("--max-shrink", "80")
    assert script.engine.args_of("add_job")["most_shrink_percent"] == 80


@pytest.mark.parametrize("share", ["101", "-1", "half", "5.5", ""])
def test_a_share_that_is_none_is_wrong_use(upload: Callable[..., int], share: str) -> None:
    with pytest.raises(SystemExit):
        upload("--max-shrink", share)


def test_an_empty_folder_among_others_needs_a_consent_of_its_own_besides_yes(
    script: Script, upload: Callable[..., int]
) -> None:
    script.full(empty_sources=("/mnt/usb",))
    done = script.last

    with pytest.raises(WrongUse, match=r"no file in /mnt/usb.*--allow-empty"):
        upload("--yes", mode="full")
    assert "start_job" not in script.engine.commands()
    script.started, script.last = False, done
    assert upload("--allow-empty", "--yes", mode="full") == 0
    assert script.engine.args_of("start_job")["consents"]["empty_sources"]


def test_patterns_go_to_the_engine_as_they_are(script: Script, upload: Callable[..., int]) -> None:
    upload("--include", "*.csv", "--exclude", "a/", "--exclude", "!b", "--keep-junk")
    assert script.engine.args_of("add_job")["picking"] == {
        "include": ["*.csv"],
        "exclude": ["a/", "!b"],
        "keep_junk": True,
    }


def test_names_that_will_be_refused_are_told_before_an_incremental_sync_starts(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    odd = OddNames((("/data/x/NUL", "the file name is the name of a device"),), 9, ())
    script.impact = Impact(
        SyncType.INCREMENTAL, "/data/x", 2, 30, 0, 0, plain_server=False, odd_names=odd
    )
    assert upload() == 0
    assert (
        "Beware: The server will refuse /data/x/NUL (the file name is the name of a device)"
        in lakedrop.err
    )
    assert "and 8 more" in lakedrop.err
    script.started = False
    script.impact = replace(script.impact, plain_server=True)
    assert upload() == 0
    assert "may refuse" in lakedrop.err


def test_a_full_sync_with_a_name_that_will_be_refused_is_not_begun(
    script: Script, upload: Callable[..., int]
) -> None:
    odd = OddNames((("/data/x/NUL", "is a device"),), 1, ())
    script.full(odd_names=odd)
    with pytest.raises(WrongUse, match=r"/data/x/NUL \(is a device\).*--exclude"):
        upload("--yes", mode="full")
    assert "start_job" not in script.engine.commands()


def test_twins_are_told_before_the_start(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    odd = OddNames(twins=(("/data/x/a", "/data/x/A"),))
    script.impact = Impact(
        SyncType.INCREMENTAL, "/data/x", 2, 30, 0, 0, plain_server=False, odd_names=odd
    )
    assert upload("--json") == 0
    told = [event["message"] for event in lakedrop.events() if event["event"] == "beware"]
    assert len(told) == 1
    assert "/data/x/a and /data/x/A" in told[0]


def test_nothing_to_add_is_wrong_use(script: Script, upload: Callable[..., int]) -> None:
    script.impact = Impact(SyncType.INCREMENTAL, "/data/x", 0, 0, 0, 0, plain_server=False)

    with pytest.raises(WrongUse, match="nothing to upload"):
        upload()
    assert "start_job" not in script.engine.commands()


def test_same_names_on_a_plain_server_need_a_consent_of_their_own(
    script: Script, upload: Callable[..., int]
) -> None:
    script.impact = Impact(
        SyncType.INCREMENTAL, "/data/x", 2, 30, None, None, plain_server=True, same_names=("a.csv",)
    )

    with pytest.raises(WrongUse, match=r"a\.csv.*--allow-same-names"):
        upload("--yes")
    script.started = False
    script.last = snapshot(JobState.FINISHED, files_arrived=2, plain_server=True)
    assert upload("--allow-same-names") == 0
    assert script.engine.args_of("start_job")["consents"]["same_names_on_plain_server"]


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

"""`lakedrop retry`: a job that needs attention goes on, told as `upload` tells it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from app.domain import sentences
from app.domain.errors import WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from tests.support.fake_engine import snapshot
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.upload_script import Script

KEY = "canary-key"


def resting(**changes: Any) -> JobSnapshot:
    return snapshot(JobState.NEEDS_ATTENTION, message="1 file did not arrive.", **changes)


@pytest.fixture
def attention(script: Script) -> Script:
    """A job that rests until it is tried again, and then goes well."""
    script.draft = resting()
    return script


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_upload_that_needs_attention_says_how_to_go_on(
    options: tuple[str, ...], script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.last = resting()

    assert upload(*options) == 1
    assert "lakedrop retry 1" in lakedrop.out


def test_data_that_would_shrink_needs_its_consent_with_the_retry(
    script: Script, lakedrop: CommandLine
) -> None:
    message = sentences.SHRINKS(
        destination="/data/x", before="9 files (9 bytes)", after="1 file (1 bytes)", percent=50
    )
    script.draft = script.last = snapshot(JobState.NEEDS_ATTENTION, message=message)
    lakedrop.on_terminal = True  # trying again is offered, but not for this

    assert lakedrop.run("retry", "1") == 1
    assert script.engine.args_of("retry_job") == {"job_id": 1}
    assert "lakedrop retry 1 --allow-shrink" in lakedrop.out
    assert "again?" not in lakedrop.err
    lakedrop.run("retry", "1", "--allow-shrink")
    assert script.engine.args_of("retry_job") == {"job_id": 1, "allow_shrink": True}


def test_the_job_is_tried_again_and_followed_to_its_end(
    attention: Script, lakedrop: CommandLine
) -> None:
    assert lakedrop.run("retry", "1") == 0
    assert attention.engine.args_of("retry_job") == {"job_id": 1}
    assert "2 files, 30 bytes uploaded and verified" in lakedrop.out


def test_json_tells_every_file_and_the_result_last(
    attention: Script, lakedrop: CommandLine
) -> None:
    assert lakedrop.run("retry", "1", "--json") == 0
    told = lakedrop.events()
    assert [event["event"] for event in told] == ["progress", "file", "file", "result"]
    assert told[-1]["exit_code"] == 0
    assert told[-1]["go_on_with"] == ""


def test_what_needs_attention_again_exits_1(attention: Script, lakedrop: CommandLine) -> None:
    attention.last = resting()

    assert lakedrop.run("retry", "1") == 1
    assert "lakedrop retry 1" in lakedrop.out


def test_a_job_that_needs_no_retry_is_wrong_use_in_the_engines_words(
    attention: Script, lakedrop: CommandLine
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise WrongUse("Job 1 is finished: there is nothing to retry.")

    attention.draft = attention.last
    attention.engine.answers["retry_job"] = refuse
    lakedrop.environment_key = KEY

    with pytest.raises(WrongUse, match="nothing to retry"):
        lakedrop.run("retry", "1")
    assert "provide_key" not in attention.engine.commands()


@pytest.mark.parametrize("label", ["prod", "https://lake.example", "http://lake.example"])
def test_the_environments_key_comes_first(
    label: str, attention: Script, lakedrop: CommandLine
) -> None:
    attention.draft = resting(connection=label)
    attention.engine.answers["connections"] = lambda _: {"connections": [{"name": "prod"}]}
    lakedrop.environment_key = KEY

    assert lakedrop.run("retry", "1") == 0
    commands = attention.engine.commands()
    assert commands.index("provide_key") < commands.index("retry_job")
    assert attention.engine.args_of("provide_key") == {"job_id": 1, "key": KEY}
    assert KEY not in lakedrop.out + lakedrop.err


@pytest.mark.parametrize("label", ["local", "removed"])
def test_the_environments_key_goes_to_nobody_else(
    label: str, attention: Script, lakedrop: CommandLine
) -> None:
    attention.draft = resting(connection=label)
    lakedrop.environment_key = KEY

    assert lakedrop.run("retry", "1") == 0
    assert "provide_key" not in attention.engine.commands()


def test_a_job_that_the_key_alone_sets_going_is_not_tried_twice(
    attention: Script, lakedrop: CommandLine
) -> None:
    def provide(_: dict[str, Any]) -> dict[str, Any]:
        attention.started = True
        return {}

    attention.draft = resting(connection="https://lake.example", problem="ConnectionNotUsable")
    attention.engine.answers["provide_key"] = provide
    lakedrop.environment_key = KEY

    assert lakedrop.run("retry", "1") == 0
    assert "retry_job" not in attention.engine.commands()


@pytest.mark.parametrize("label", ["local", "https://lake.example"])
def test_a_paused_job_is_resumed_and_followed_to_its_end(
    label: str, script: Script, lakedrop: CommandLine
) -> None:
    def resume(_: dict[str, Any]) -> dict[str, Any]:
        script.started = True
        return {}

    script.draft = snapshot(JobState.PAUSED, connection=label)
    script.engine.answers["resume_job"] = resume
    lakedrop.environment_key = KEY

    assert lakedrop.run("retry", "1") == 0
    commands = script.engine.commands()
    assert script.engine.args_of("resume_job") == {"job_id": 1}
    assert "retry_job" not in commands
    assert ("provide_key" in commands) == (label != "local")
    assert "2 files, 30 bytes uploaded and verified" in lakedrop.out


def test_ctrl_c_on_a_resumed_job_cancels_it(script: Script, lakedrop: CommandLine) -> None:
    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        script.started = True
        script.last = snapshot(JobState.UPLOADING, sync_id=7)
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    script.draft = snapshot(JobState.PAUSED)
    script.engine.answers["resume_job"] = interrupted

    assert lakedrop.run("retry", "1") == 130
    assert script.engine.args_of("cancel_job") == {"job_id": 1}


def test_ctrl_c_cancels_it_as_it_does_an_upload(attention: Script, lakedrop: CommandLine) -> None:
    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        attention.started = True
        attention.last = snapshot(JobState.UPLOADING, sync_id=7)
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    attention.engine.answers["retry_job"] = interrupted

    assert lakedrop.run("retry", "1") == 130
    assert attention.engine.args_of("cancel_job") == {"job_id": 1}


def test_a_number_that_is_none_is_refused(
    lakedrop: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        lakedrop.run("retry", "nightly")
    assert "'nightly' is not a whole number" in capsys.readouterr().err

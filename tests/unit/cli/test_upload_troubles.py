"""`lakedrop upload` when it is interrupted, or its engine dies in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from app.cli.interrupts import Interrupted, Interrupts
from app.domain.errors import WrongUse
from app.domain.upload_job import JobState
from app.link.engine_errors import EngineGone
from embedded_server.contract import SyncType
from tests.support.fake_engine import snapshot
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.upload_script import Script


def test_ctrl_c_cancels_tells_what_stays_and_exits_130(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.last = snapshot(JobState.UPLOADING, sync_id=7)

    def interrupted(args: dict[str, Any]) -> dict[str, Any]:
        script.started = True
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    script.engine.answers["start_job"] = interrupted

    assert upload() == 130
    assert "cancel_job" in script.engine.commands()
    assert "What was published by then (1 file) stays at /data/x" in lakedrop.err


def test_a_second_ctrl_c_ends_the_waiting_but_not_the_cancelling(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    def interrupted_at_once_again(_: dict[str, Any]) -> dict[str, Any]:
        script.started = True
        script.last = snapshot(JobState.UPLOADING, sync_id=7)
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)  # before it is even known that the cancel arrived
        return {}

    script.engine.answers |= {"start_job": interrupted_at_once_again, "cancel_job": interrupted}

    assert upload() == 130
    assert script.engine.commands().count("cancel_job") == 1
    assert "goes on cancelling by itself" in lakedrop.err


def test_after_the_first_signal_the_others_wait_until_they_are_let_in() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # amid what deals with the first
        with pytest.raises(Interrupted), interrupts.let_in():
            pytest.fail("one that waited was not let in")
        with pytest.raises(Interrupted), interrupts.let_in():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)


def test_sigterm_does_the_same_with_143(script: Script, upload: Callable[..., int]) -> None:
    script.last = snapshot(JobState.UPLOADING, sync_id=7)

    def terminated(args: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    script.engine.answers["start_job"] = terminated

    assert upload() == 143
    assert "cancel_job" in script.engine.commands()


def test_ctrl_c_while_the_job_is_asked_for_still_cancels_it(
    script: Script, upload: Callable[..., int]
) -> None:
    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        return {"job_id": 1}

    script.engine.answers["add_job"] = interrupted

    assert upload() == 130
    assert script.engine.args_of("cancel_job") == {"job_id": 1}


def test_a_cancelled_full_sync_on_a_plain_server_warns_of_the_next_one(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.full(replaced_files=0, replaced_bytes=0, plain_server=True)

    def cancel(_: dict[str, Any]) -> dict[str, Any]:
        script.last = snapshot(
            JobState.CANCELLED,
            mode=SyncType.FULL,
            sync_id=7,
            plain_server=True,
            files_arrived=1,
        )
        return {}

    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        script.started = True
        script.last = snapshot(JobState.UPLOADING, sync_id=7)
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    script.engine.answers |= {"start_job": interrupted, "cancel_job": cancel}

    assert upload(mode="full") == 130
    assert "published by the next full sync of /data/x" in lakedrop.err


@pytest.mark.parametrize("state", [JobState.NEEDS_ATTENTION, JobState.FAILED, JobState.CANCELLED])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_however_a_full_sync_on_a_plain_server_ends_unfinished_its_staged_files_are_told(
    state: JobState,
    options: tuple[str, ...],
    script: Script,
    upload: Callable[..., int],
    lakedrop: CommandLine,
) -> None:
    script.full(replaced_files=0, replaced_bytes=0, plain_server=True)
    script.last = snapshot(state, mode=SyncType.FULL, sync_id=7, plain_server=True, files_arrived=1)

    assert upload(*options, mode="full") == 1
    told = lakedrop.out if options else lakedrop.err
    assert "what was sent so far (1 file) is kept staged by this server" in told
    assert "published by the next full sync of /data/x" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"sync_id": None, "plain_server": True, "mode": SyncType.FULL},
        {"sync_id": 7, "plain_server": False, "mode": SyncType.FULL},
        {"sync_id": 7, "plain_server": True, "mode": SyncType.INCREMENTAL},
    ],
)
def test_where_nothing_is_staged_for_others_nobody_is_warned(
    changes: dict[str, Any], script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    script.last = snapshot(JobState.FAILED, **changes)

    assert upload() == 1
    assert "staged" not in lakedrop.out + lakedrop.err


def test_a_retry_whose_answer_was_lost_with_the_engine_is_no_failure(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    done = script.last
    script.last = snapshot(JobState.NEEDS_ATTENTION, message="1 file of 2 did not arrive.")

    def die(_: dict[str, Any]) -> dict[str, Any]:
        if script.last is done:
            raise WrongUse("Job 1 is uploading: there is nothing to retry.")
        script.last = done
        script.engine.drop_screens()
        return {}

    script.engine.answers["retry_job"] = die
    lakedrop.on_terminal, lakedrop.typed = True, "y\n"

    assert upload() == 0


def test_an_engine_that_dies_in_the_middle_is_replaced_and_the_job_goes_on(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    lakedrop.environment_key = "canary-key"
    done = script.last
    script.last = snapshot(JobState.UPLOADING, sync_id=7)
    watches = 0

    def watch(_: dict[str, Any]) -> dict[str, Any]:
        nonlocal watches
        watches += 1
        if watches == 2:  # the first look at the running job
            script.engine.drop_screens()
            script.last = done
        return (script.last if script.started else script.draft).to_wire()

    script.engine.answers["watch"] = watch

    assert upload("--server", "https://lake.example") == 0
    assert lakedrop.attached == 2
    assert script.engine.commands().count("add_job") == 1
    assert script.engine.args_of("provide_key") == {"job_id": 1, "key": "canary-key"}
    assert "canary-key" not in lakedrop.out + lakedrop.err


def test_a_start_whose_answer_was_lost_with_the_engine_is_no_failure(
    script: Script, upload: Callable[..., int]
) -> None:
    def die(_: dict[str, Any]) -> dict[str, Any]:
        if script.started:
            raise WrongUse("Job 1 is uploading and cannot be started now.")
        script.started = True
        script.engine.drop_screens()
        return {}

    script.engine.answers["start_job"] = die

    assert upload() == 0


def test_files_are_looked_for_anew_when_the_engine_died_meanwhile(
    script: Script, upload: Callable[..., int]
) -> None:
    jobs = 0

    def add(_: dict[str, Any]) -> dict[str, Any]:
        nonlocal jobs
        jobs += 1
        return {"job_id": jobs}

    def watch(args: dict[str, Any]) -> dict[str, Any]:
        if args["job_id"] == 1 and script.engine.commands().count("watch") == 1:
            script.engine.drop_screens()
        if args["job_id"] == 1:
            return snapshot(JobState.CANCELLED, job_id=1, intake_done=False).to_wire()
        state = script.last if script.started else script.draft
        return (state.to_wire()) | {"job_id": args["job_id"]}

    script.engine.answers |= {"add_job": add, "watch": watch}

    assert upload() == 0
    assert script.engine.args_of("start_job")["job_id"] == 2


def test_engines_that_keep_dying_are_given_up(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    def die(_: dict[str, Any]) -> dict[str, Any]:
        script.engine.drop_screens()
        return {}

    script.engine.answers["start_job"] = die

    with pytest.raises(EngineGone):
        upload()
    assert lakedrop.attached < 10


def test_a_job_that_rests_for_want_of_the_key_after_a_restart_is_given_it_again(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    lakedrop.environment_key = "canary-key"
    done = script.last

    def start(_: dict[str, Any]) -> dict[str, Any]:
        if not script.started:
            script.started = True
            script.last = snapshot(JobState.NEEDS_ATTENTION, problem="ConnectionNotUsable")
            script.engine.drop_screens()
            return {}
        raise WrongUse("started already")

    def provide(_: dict[str, Any]) -> dict[str, Any]:
        if script.engine.commands().count("provide_key") == 2:
            script.last = done
        return {}

    script.engine.answers |= {"start_job": start, "provide_key": provide}

    assert upload("--server", "https://lake.example") == 0


def test_on_a_terminal_what_needs_attention_can_be_tried_again(
    script: Script, upload: Callable[..., int], lakedrop: CommandLine
) -> None:
    done = script.last
    script.last = snapshot(JobState.NEEDS_ATTENTION, message="1 file of 2 did not arrive.")

    def retry(_: dict[str, Any]) -> dict[str, Any]:
        script.last = done
        return {}

    script.engine.answers["retry_job"] = retry
    lakedrop.on_terminal, lakedrop.typed = True, "y\n"

    assert upload() == 0
    assert "1 file of 2 did not arrive. Try what is left again?" in lakedrop.err

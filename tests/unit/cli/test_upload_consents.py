"""What `lakedrop upload` asks or holds back before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.domain.errors import (
    WrongUse,
)
from app.domain.impact import Impact
from app.domain.odd_names import OddNames
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType
from tests.support.fake_engine import snapshot
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.upload_script import Script


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

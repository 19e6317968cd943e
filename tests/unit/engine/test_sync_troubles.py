"""A sync run in trouble: calls that fail, servers that refuse or stay away, lost answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.connections import Connection
from app.domain.errors import (
    ConnectionNotUsable,
    FileRefused,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeFull,
    LakeRefused,
    LakeUnreachable,
    SyncAlreadyEnded,
)
from app.domain.queue_item import ItemState
from app.domain.retry_policy import RetryPolicy
from app.domain.upload_job import JobState
from app.engine.run_ports import RunSettings
from embedded_server.contract import SyncType
from tests.support.fake_lake import FAKE_KEY, FakeLake
from tests.unit.engine.house import (
    DESTINATION,
    ONE_BY_ONE,
    RESTS,
    THREE,
    House,
    in_lake,
    write_files,
)


@pytest.mark.parametrize("call", ["capabilities", "start_sync", "upload_batch", "end_sync"])
@pytest.mark.parametrize(
    "error",
    [LakeUnreachable("cut"), LakeBusy("busy", 0.0), LakeBroken("500")],
    ids=lambda e: e.kind,
)
def test_a_call_that_fails_for_a_moment_is_made_again(
    tmp_path: Path, call: str, error: LakeUnreachable
) -> None:
    lake = FakeLake()
    lake.fail(call, error, times=2)
    with House(tmp_path, lake) as house:
        done = house.wait(house.start(write_files(tmp_path / "in", **THREE)), *RESTS)

    assert (done.state, done.files_verified, done.waiting_reason) == (JobState.FINISHED, 3, "")
    assert done.bytes_sent == 6
    assert lake.published == in_lake(**THREE)


def test_a_lost_answer_to_a_batch_counts_nothing_twice(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload_batch", LakeUnreachable("the answer was lost"), after=True)
    with House(tmp_path, lake) as house:
        done = house.wait(house.start(write_files(tmp_path / "in", **THREE)), *RESTS)

    assert done.state is JobState.FINISHED
    assert (done.files_arrived, done.bytes_sent) == (3, 6)
    assert lake.published == in_lake(**THREE)


def test_the_servers_wish_to_wait_holds_all_files_up(tmp_path: Path) -> None:
    """It asks for a year: nothing more is sent, and the reason stands in the snapshot."""
    lake = FakeLake(extensions=frozenset({"digest"}))
    lake.fail("upload", LakeBusy("Come back later.", retry_after_s=3e7))
    patient = RetryPolicy(attempts=3, base_s=0.0, cap_s=0.0, longest_wish_s=3e7)
    settings = RunSettings(workers=1, retry=patient)
    files = {f"f{number}": b"x" for number in range(20)}
    with House(tmp_path, lake, settings=settings) as house:
        job_id = house.start(write_files(tmp_path / "in", **files))
        house.sighting.wait_for(
            lambda: house.engine.snapshot(job_id).waiting_reason == "Come back later.",
            "the reason told",
        )
        house.engine.cancel_job(job_id)
        house.wait(job_id, JobState.CANCELLED)
    assert len(lake.calls_of("upload")) == 1


def test_a_server_that_stays_away_leaves_all_files_in_the_queue(tmp_path: Path) -> None:
    lake = FakeLake(extensions=frozenset({"digest"}))
    lake.fail("upload", LakeUnreachable("Nobody answers."), times=10_000)
    files = {f"f{number}": b"x" for number in range(50)}
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **files))
        rests = house.wait(job_id, *RESTS)

        assert (rests.state, rests.problem) == (JobState.NEEDS_ATTENTION, "LakeUnreachable")
        assert rests.message.startswith("Nobody answers.")
        assert rests.files_failed < 5  # not the whole queue, for a fault that is not theirs
        assert rests.bytes_sent == 0
    assert len(lake.calls_of("upload")) < 50


def test_one_file_that_breaks_the_line_does_not_stop_the_others(tmp_path: Path) -> None:
    lake = FakeLake(extensions=frozenset({"digest"}))
    lake.fail("upload", LakeUnreachable("cut"), times=10_000, file_name="f0.csv")
    files = {f"f{number}": b"x" for number in range(50)}
    with House(tmp_path, lake, settings=ONE_BY_ONE) as house:
        job_id = house.start(write_files(tmp_path / "in", **files))
        rests = house.wait(job_id, *RESTS)
        house.engine.retry_job(job_id)
        again = house.wait(job_id, *RESTS)

    assert rests.state is again.state is JobState.NEEDS_ATTENTION
    assert again.files_arrived == 49


def test_tries_of_a_file_are_counted_anew_after_a_retry_by_hand(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", LakeBroken("500"), times=5, file_name="a.csv")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        house.wait(job_id, JobState.NEEDS_ATTENTION)
        house.engine.retry_job(job_id)
        done = house.wait(job_id, *RESTS)
        assert house.items(job_id)["a.csv"].tries == 3
    assert done.state is JobState.FINISHED


# -- batches -----------------------------------------------------------------------------------


def test_one_bad_part_fails_alone(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("upload", FileRefused("Not this one."), file_name="a.csv")
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        rests = house.wait(job_id, *RESTS)
        states = house.states(job_id)

    assert rests.state is JobState.NEEDS_ATTENTION
    assert states.pop("a.csv") is ItemState.FAILED
    assert set(states.values()) == {ItemState.UPLOADED}
    assert lake.calls_of("upload") == []


@pytest.mark.parametrize("refusal", [FileRefused("No."), LakeRefused("No batches today.")])
def test_a_batch_that_is_refused_as_a_whole_goes_file_by_file(
    tmp_path: Path, refusal: LakeRefused
) -> None:
    lake = FakeLake()
    lake.fail("upload_batch", refusal)
    with House(tmp_path, lake) as house:
        done = house.wait(house.start(write_files(tmp_path / "in", **THREE)), *RESTS)

    assert (done.state, done.files_arrived, done.bytes_sent) == (JobState.FINISHED, 3, 6)
    assert len(lake.calls_of("upload")) == 3
    assert lake.published == in_lake(**THREE)


def test_batches_keep_the_servers_limits(tmp_path: Path) -> None:
    lake = FakeLake(batch_max_files=4, batch_max_bytes=100)
    files = {f"small{number:02}": b"x" * 40 for number in range(9)} | {"large": b"y" * 101}
    with House(tmp_path, lake) as house:
        done = house.wait(house.start(write_files(tmp_path / "in", **files)), *RESTS)

    assert done.state is JobState.FINISHED
    assert max(len(call.files) for call in lake.calls_of("upload_batch")) == 2  # 2 × 40 bytes
    assert (DESTINATION, "large.csv") in [call.files[0] for call in lake.calls_of("upload")]
    assert lake.published == in_lake(**files)


# -- what stops a run --------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [None, frozenset({"digest"})], ids=["batched", "single"])
def test_a_full_lake_stops_the_run_with_its_files_still_queued(
    tmp_path: Path, extensions: frozenset[str] | None
) -> None:
    lake = FakeLake(extensions=extensions)
    lake.fail("upload", LakeFull("No space left."), times=10_000)
    files = {f"f{number}": b"x" for number in range(40)}
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **files))
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.problem) == (JobState.NEEDS_ATTENTION, "LakeFull")
        assert rests.message == "No space left."
        assert set(house.states(job_id).values()) == {ItemState.QUEUED}
        assert len(lake.calls_of("upload")) <= RunSettings().workers


def test_an_unknown_key_needs_attention_and_goes_on_when_the_key_comes(tmp_path: Path) -> None:
    remote = Connection("prod", "https://client.example.com")
    keys: list[str] = []
    lake = FakeLake()

    def key_of(_: object) -> str:
        if not keys:
            raise ConnectionNotUsable("There is no key.")
        return keys[-1]

    with House(tmp_path, lake, key_of=key_of) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE), connection=remote)
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.problem) == (JobState.NEEDS_ATTENTION, "ConnectionNotUsable")
        other_job = house.start(tmp_path / "in", connection=remote)
        house.wait(other_job, JobState.NEEDS_ATTENTION)

        keys.append(FAKE_KEY)
        house.engine.key_arrived(other_job)  # wakes that one alone
        house.wait(other_job, JobState.FINISHED)
        assert house.engine.snapshot(job_id).state is JobState.NEEDS_ATTENTION
        house.engine.key_arrived(job_id)
        assert house.wait(job_id, JobState.FINISHED).files_arrived == 3
        house.engine.key_arrived(job_id)  # nothing waits any more
        assert house.engine.snapshot(job_id).state is JobState.FINISHED


def test_a_wrong_key_is_told_and_sends_nothing(tmp_path: Path) -> None:
    lake = FakeLake()
    with House(tmp_path, lake.with_key("wrong")) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        rests = house.wait(job_id, *RESTS)
        assert (rests.state, rests.problem) == (JobState.NEEDS_ATTENTION, InvalidApiKey.__name__)
        assert rests.files_failed == 0
    assert lake.names_sent() == []


def test_a_refused_destination_fails_the_job(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("start_sync", LakeRefused("Not there."))
    with House(tmp_path, lake) as house:
        rests = house.wait(house.start(write_files(tmp_path / "in", **THREE)), *RESTS)
    assert (rests.state, rests.message) == (JobState.FAILED, "Not there.")


# -- the end -----------------------------------------------------------------------------------


def test_a_lost_answer_to_end_means_success_the_second_time(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("end_sync", LakeUnreachable("the answer was lost"), after=True)
    with House(tmp_path, lake) as house:
        folder = write_files(tmp_path / "in", **THREE)
        done = house.wait(house.start(folder, mode=SyncType.FULL), *RESTS)
    assert done.state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)
    assert len(lake.calls_of("end_sync")) == 2


def test_already_ended_at_the_first_end_is_somebody_elses_doing(tmp_path: Path) -> None:
    lake = FakeLake()
    lake.fail("end_sync", SyncAlreadyEnded("The sync has ended."))
    with House(tmp_path, lake) as house:
        rests = house.wait(house.start(write_files(tmp_path / "in", **THREE)), *RESTS)
    assert (rests.state, rests.problem) == (JobState.FAILED, "SyncAlreadyEnded")


def test_an_end_whose_answers_were_all_lost_is_success_after_a_retry_by_hand(
    tmp_path: Path,
) -> None:
    lake = FakeLake()
    lake.fail("end_sync", LakeUnreachable("nobody there"), times=2)
    lake.fail("end_sync", LakeUnreachable("the answer was lost"), after=True)  # the third and last
    with House(tmp_path, lake) as house:
        job_id = house.start(write_files(tmp_path / "in", **THREE))
        assert house.wait(job_id, *RESTS).state is JobState.NEEDS_ATTENTION
        house.engine.retry_job(job_id)
        assert house.wait(job_id, *RESTS).state is JobState.FINISHED
    assert lake.published == in_lake(**THREE)

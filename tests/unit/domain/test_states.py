"""The states of jobs and items, and the moves between them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.queue_item import (
    ARRIVED,
    FINAL,
    IN_FLIGHT,
    Assurance,
    IllegalMove,
    ItemState,
    QueueItem,
)
from app.domain.upload_job import ENDED, PAUSABLE, RUNNING, JobState, UploadJob
from embedded_server.contract import SyncType

ITEM = QueueItem(1, 2, "/in/a", "/data/x", "a", 7, 0)
JOB = UploadJob(2, LOCAL_LAKE, "/data/x", SyncType.FULL, "nightly")


def moves_of_item(state: ItemState) -> set[ItemState]:
    item = QueueItem(1, 2, "/in/a", "/data/x", "a", 7, 0, state)
    allowed = set()
    for to in ItemState:
        try:
            assert item.moved_to(to).state is to
        except IllegalMove:
            continue
        allowed.add(to)
    return allowed


def moves_of_job(state: JobState) -> set[JobState]:
    job = UploadJob(2, LOCAL_LAKE, "/data/x", SyncType.FULL, "nightly", state)
    allowed = set()
    for to in JobState:
        try:
            assert job.moved_to(to).state is to
        except IllegalMove:
            continue
        allowed.add(to)
    return allowed


def test_a_file_goes_from_queued_to_uploaded() -> None:
    done = (
        ITEM.moved_to(ItemState.UPLOADING)
        .moved_to(ItemState.VERIFYING)
        .arrived(Assurance.VERIFIED, "ab")
    )
    assert (done.state, done.assurance, done.sha256) == (
        ItemState.UPLOADED,
        Assurance.VERIFIED,
        "ab",
    )
    assert ITEM.state is ItemState.QUEUED  # a value, never changed


def test_a_file_is_never_uploaded_without_having_been_checked() -> None:
    into_uploaded = {state for state in ItemState if ItemState.UPLOADED in moves_of_item(state)}
    assert into_uploaded == {ItemState.VERIFYING}


def test_what_arrived_or_was_cancelled_stays_and_what_failed_can_be_tried_again() -> None:
    assert {state for state in ItemState if not moves_of_item(state)} == ARRIVED | {
        ItemState.CANCELLED
    }
    assert moves_of_item(ItemState.FAILED) == {ItemState.QUEUED}


@pytest.mark.parametrize("state", sorted(IN_FLIGHT))
def test_whatever_is_in_flight_can_be_queued_again_and_cancelled(state: ItemState) -> None:
    assert {ItemState.QUEUED, ItemState.CANCELLED, ItemState.FAILED} <= moves_of_item(state)


def test_every_state_of_a_file_is_queued_in_flight_or_final() -> None:
    assert {ItemState.QUEUED} | IN_FLIGHT | FINAL == set(ItemState)
    assert not IN_FLIGHT & FINAL


def test_an_illegal_move_names_who_and_where() -> None:
    with pytest.raises(IllegalMove, match="item 1: queued to uploaded"):
        ITEM.moved_to(ItemState.UPLOADED)
    with pytest.raises(IllegalMove, match="job 2: draft to finished"):
        JOB.moved_to(JobState.FINISHED)


def test_a_move_takes_the_old_message_away() -> None:
    queued = JOB.moved_to(JobState.QUEUED)
    rests = queued.moved_to(JobState.NEEDS_ATTENTION, "no key", "ConnectionNotUsable")
    assert (rests.message, rests.waits_for_key) == ("no key", True)
    again = rests.moved_to(JobState.QUEUED)
    assert (again.message, again.problem, again.waits_for_key) == ("", "", False)


def test_a_job_finishes_only_from_ending_and_ends_only_from_uploading() -> None:
    assert {s for s in JobState if JobState.FINISHED in moves_of_job(s)} == {JobState.ENDING}
    assert {s for s in JobState if JobState.ENDING in moves_of_job(s)} == {JobState.UPLOADING}


def test_an_ended_job_never_moves_again() -> None:
    assert {state for state in JobState if not moves_of_job(state)} == ENDED


def test_a_job_is_paused_before_its_end_begins_and_goes_on_in_the_queue() -> None:
    assert {s for s in JobState if JobState.PAUSED in moves_of_job(s)} == PAUSABLE
    assert RUNNING - {JobState.ENDING} == PAUSABLE
    assert moves_of_job(JobState.PAUSED) == {JobState.QUEUED, JobState.CANCELLED}


def test_a_window_lists_all_but_the_drafts_of_a_command_line() -> None:
    assert {state for state in JobState if replace(JOB, state=state).is_shown} == set(JobState) - {
        JobState.DRAFT
    }
    assert replace(JOB, kept=True).is_shown


def test_every_running_job_can_come_to_rest() -> None:
    for state, rest in itertools.product(RUNNING, (JobState.NEEDS_ATTENTION, JobState.FAILED)):
        assert rest in moves_of_job(state)
    cancellable = {state for state in JobState if JobState.CANCELLED in moves_of_job(state)}
    assert cancellable == set(JobState) - ENDED - {JobState.ENDING}


@pytest.mark.parametrize(
    ("problem", "waits"),
    [("InvalidApiKey", True), ("ConnectionNotUsable", True), ("LakeFull", False), ("", False)],
)
def test_only_the_want_of_a_key_is_mended_by_a_key(problem: str, waits: bool) -> None:
    rests = JOB.moved_to(JobState.QUEUED).moved_to(JobState.NEEDS_ATTENTION, "…", problem)
    assert rests.waits_for_key is waits

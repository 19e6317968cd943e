"""A window watches all jobs at once: those that are there, that come, change and go."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Client, Connection
from typing import Any

import pytest

from app.domain.errors import WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.link.protocol import decode, encode
from tests.support.fake_engine import snapshot
from tests.unit.engine.served import KEY, WITHIN_S, Jobs, Served, served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="speaks over a Unix socket")


class ManyJobs(Jobs):
    """By number; `hidden` ones are not for windows. Counts who was looked at how often."""

    def __init__(self, **states: JobState) -> None:
        super().__init__()
        self.all: dict[int, tuple[int, JobSnapshot]] = {}
        self.hidden: set[int] = set()
        self.looked_at: Counter[int] = Counter()
        for name, state in states.items():
            self.put(int(name.removeprefix("job")), state)

    def put(self, job_id: int, state: JobState, **changes: Any) -> None:
        version, _ = self.all.get(job_id, (0, None))
        self.all[job_id] = (version + 1, snapshot(state, job_id=job_id, **changes))

    def version(self, job_id: int) -> int:
        self.looked_at[job_id] += 1
        return self._of(job_id)[0]

    def snapshot(self, job_id: int) -> JobSnapshot:
        return self._of(job_id)[1]

    def shown(self) -> list[int]:
        return [job_id for job_id in self.all if job_id not in self.hidden]

    def _of(self, job_id: int) -> tuple[int, JobSnapshot]:
        if job_id not in self.all:
            raise WrongUse(f"There is no job {job_id}.")
        return self.all[job_id]


class Window:
    """Speaks the protocol by hand, so that each frame is seen."""

    def __init__(self, channel: Connection[Any, Any]) -> None:
        self._channel = channel

    def watch_jobs(self) -> dict[int, str]:
        self._channel.send_bytes(encode({"id": 1, "command": "watch_jobs", "args": {}}))
        answer = self.next()
        return {job["job_id"]: job["state"] for job in answer["result"]["jobs"]}

    def next(self) -> dict[str, Any]:
        assert self._channel.poll(WITHIN_S), "nothing came"
        return decode(self._channel.recv_bytes())

    def next_job(self) -> JobSnapshot:
        return JobSnapshot.from_wire(self.next()["job"])


@contextmanager
def window(engine: Served) -> Iterator[Window]:
    channel = Client(engine.address, authkey=KEY)
    try:
        yield Window(channel)
    finally:
        channel.close()


def test_a_window_is_told_of_jobs_that_are_there_that_change_and_that_come() -> None:
    jobs = ManyJobs(job1=JobState.FINISHED, job2=JobState.DRAFT, job3=JobState.DRAFT)
    jobs.hidden.add(3)
    with served(jobs=jobs) as engine, window(engine) as screen:
        assert screen.watch_jobs() == {1: "finished", 2: "draft"}
        jobs.put(2, JobState.QUEUED)
        engine.service.job_changed(2)
        assert (job := screen.next_job()).job_id == 2
        assert job.state is JobState.QUEUED
        engine.service.job_changed(3)  # still nobody else's business
        jobs.put(4, JobState.DRAFT)
        engine.service.job_changed(4)
        assert screen.next_job().job_id == 4
        jobs.hidden.clear()
        engine.service.job_changed(3)
        assert screen.next_job().job_id == 3


def test_a_window_is_told_which_jobs_are_gone_and_other_screens_live_on() -> None:
    jobs = ManyJobs(job1=JobState.FINISHED, job2=JobState.FINISHED)
    with served(jobs=jobs) as engine, window(engine) as screen, engine.screen() as other:
        watch = other.watch(2)
        screen.watch_jobs()
        del jobs.all[2]
        engine.service.job_changed(2)
        assert screen.next() == {"event": "gone", "job_ids": [2]}
        assert not watch.wait(0)
        jobs.put(1, JobState.CANCELLED)
        engine.service.job_changed(1)
        assert screen.next_job().job_id == 1
        assert other.request("echo", a=1) == {"a": 1}


def test_what_comes_changes_and_goes_amid_the_answer_is_not_missed() -> None:
    engine: Served

    class Racing(ManyJobs):
        """Three things happen after the jobs were listed and before the answer has left."""

        raced = False

        def shown(self) -> list[int]:
            listed = super().shown()
            if not self.raced:
                self.raced = True
                self.put(1, JobState.CANCELLED)
                self.put(9, JobState.QUEUED)
                for job_id in (1, 9):
                    engine.service.job_changed(job_id)
            return listed

        def snapshot(self, job_id: int) -> JobSnapshot:
            taken = super().snapshot(job_id)
            if job_id == 2 and 2 in self.all:
                del self.all[2]
                engine.service.job_changed(2)
            return taken

    jobs = Racing(job1=JobState.NEEDS_ATTENTION, job2=JobState.FINISHED)
    with served(jobs=jobs) as engine, window(engine) as screen:
        first = screen.watch_jobs()
        assert first[2] == "finished"
        seen = [screen.next(), screen.next()]
        assert {"event": "gone", "job_ids": [2]} in seen
        assert 9 in [event["job"]["job_id"] for event in seen if event["event"] == "job"]


def test_jobs_at_rest_cost_nothing_while_another_runs() -> None:
    jobs = ManyJobs(**{f"job{number}": JobState.FINISHED for number in range(2, 202)})
    jobs.put(1, JobState.UPLOADING)
    with served(jobs=jobs) as engine, window(engine) as screen:
        assert len(screen.watch_jobs()) == 201
        for number in range(1, 11):
            jobs.put(1, JobState.UPLOADING, bytes_sent=number)  # without a word, as counters do
            while screen.next_job().bytes_sent != number:
                pass
    of_others = {jobs.looked_at[number] for number in range(2, 202)}
    assert max(of_others) <= 2  # for the answer, and once when it had left


def test_a_job_that_begins_to_move_is_looked_at_again_and_again() -> None:
    jobs = ManyJobs(job1=JobState.DRAFT)
    with served(jobs=jobs) as engine, window(engine) as screen:
        screen.watch_jobs()
        jobs.put(1, JobState.DRAFT, intake_done=False)
        engine.service.job_changed(1)
        assert not screen.next_job().intake_done
        jobs.put(1, JobState.DRAFT, intake_done=False, files=7)  # found without a word
        assert screen.next_job().files == 7
        version, now = jobs.all[1]
        jobs.all[1] = (version + 1, replace(now, intake_done=True))
        assert screen.next_job().intake_done

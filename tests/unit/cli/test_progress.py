"""A running job shown: few lines in a log, a bar on a terminal."""

from __future__ import annotations

import re
import time

import pytest

from app.cli.progress import ProgressBar, ProgressLines, progress_show
from app.cli.terminal import Terminal
from app.domain.upload_job import JobState
from tests.support.fake_engine import snapshot
from tests.unit.cli.conftest import Stream


class Watch:
    """Seconds that a test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_log_gets_a_line_when_sending_and_ending_begin_and_one_every_few_seconds() -> None:
    err, watch = Stream(), Watch()
    lines = ProgressLines(Terminal(Stream(), Stream(), err), watch)

    lines.show(snapshot(JobState.QUEUED))
    for sent in range(30):
        lines.show(snapshot(JobState.UPLOADING, bytes_sent=sent))
    watch.now_s += 6
    lines.show(snapshot(JobState.UPLOADING, bytes_sent=30, files_arrived=2))
    lines.show(snapshot(JobState.ENDING, bytes_sent=30, files_arrived=2, files_failed=1))
    watch.now_s += 6
    lines.show(snapshot(JobState.FINISHED))

    assert err.getvalue().splitlines() == [
        "uploading: 0 of 2 files, 0 bytes of 30 bytes",
        "uploading: 2 of 2 files, 30 bytes of 30 bytes",
        "ending the sync: 2 of 2 files, 30 bytes of 30 bytes, 1 failed",
    ]


def test_a_quick_look_for_files_is_no_line_and_a_long_one_is() -> None:
    err, watch = Stream(), Watch()
    lines = ProgressLines(Terminal(Stream(), Stream(), err), watch)

    lines.show(snapshot(intake_done=False, files=1))
    assert err.getvalue() == ""
    watch.now_s += 6
    lines.show(snapshot(intake_done=False, files=9_000, bytes=2_000_000))
    assert err.getvalue() == "looking for files: 9,000 files, 2.0 MB\n"


def test_why_nothing_moves_is_told() -> None:
    err = Stream()
    lines = ProgressLines(Terminal(Stream(), Stream(), err), Watch())

    lines.show(snapshot(JobState.UPLOADING, waiting_reason="The server is busy."))
    assert "waiting (The server is busy.)" in err.getvalue()


@pytest.mark.parametrize(
    ("is_terminal", "term", "kind"),
    [
        (True, "xterm", ProgressBar),
        (True, "dumb", ProgressLines),
        (False, "xterm", ProgressLines),
    ],
)
def test_a_bar_is_drawn_only_where_it_can_be_redrawn(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, term: str, kind: type[object]
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal = Terminal(Stream(), Stream(), Stream(is_terminal=is_terminal))
    assert isinstance(progress_show(terminal), kind)


def test_the_bar_is_drawn_on_standard_error_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, err = Stream(), Stream(is_terminal=True)
    bar = ProgressBar(Terminal(Stream(), out, err))

    bar.show(snapshot(intake_done=False))
    bar.show(snapshot(JobState.UPLOADING, bytes_sent=15, speed_bytes_s=5.0, files_arrived=1))
    bar.hide()
    bar.hide()
    bar.show(snapshot(JobState.ENDING, bytes=0))
    bar.hide()

    assert "1 of 2 files" in err.getvalue()
    assert out.getvalue() == ""


def test_when_it_is_tried_again_is_told() -> None:
    now_ms = round(time.time() * 1000)
    for at_ms, told in ((now_ms + 3_600_000, r"; trying again in 3[56]\d\d s\)"), (1, r"busy\.\)")):
        err = Stream()
        waits = snapshot(
            JobState.UPLOADING, waiting_reason="The server is busy.", next_try_at_ms=at_ms
        )
        ProgressLines(Terminal(Stream(), Stream(), err), Watch()).show(waits)
        assert re.search(told, err.getvalue()), err.getvalue()

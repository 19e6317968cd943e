"""Ctrl-C, SIGTERM, and a kill -9 of the engine, in the middle of an upload."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home, tree
from tests.support.plain_server import RunningPlainServer, running_plain_server

KEY = "canary-key-4b1d"
SIZE_BYTES = 1_000_000


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[RunningPlainServer]:
    """Plain, and slow enough that an upload is surely under way when it is interrupted."""
    with running_plain_server(tmp_path / "plain", KEY, read_bytes_per_s=400_000) as server:
        yield server


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.bin").write_bytes(os.urandom(SIZE_BYTES))
    return folder


def start(home: Home, server: RunningPlainServer, source: Path, mode: str) -> subprocess.Popen[str]:
    return home.start(
        *("upload", f"{source}/", "--to", "/data/x", "--mode", mode, "--yes", "--json"),
        *("--server", server.address),
        LAKEDROP_API_KEY=KEY,
    )


def read_until_bytes_move(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["bytes_sent"] > 0:
            return
    pytest.fail(f"the upload ended before it sent anything: {process.stderr!r}")


def rest(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, err = process.communicate(timeout=100)
    assert "Traceback" not in err
    assert KEY not in out + err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_full_sync_is_cancelled_and_what_stays_is_told(
    number: signal.Signals, code: int, home: Home, slow_server: RunningPlainServer, many: Path
) -> None:
    process = start(home, slow_server, many, "full")
    read_until_bytes_move(process)

    process.send_signal(number)
    told = rest(process)

    assert process.returncode == code
    assert told[-1]["event"] == "result"
    assert told[-1]["state"] == "cancelled"
    assert told[-1]["exit_code"] == code
    assert "next full sync of /data/x" in told[-2]["message"]
    jobs = home.rows("jobs", "--server", slow_server.address, LAKEDROP_API_KEY=KEY)
    assert [job["sync_status"] for job in jobs] == ["Syncing"]


def test_ctrl_c_many_times_at_once_is_one_interruption(
    home: Home, slow_server: RunningPlainServer, many: Path
) -> None:
    process = start(home, slow_server, many, "full")
    read_until_bytes_move(process)

    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    rest(process)

    assert process.returncode == 130


@pytest.mark.parametrize("arguments", [("jobs",), ("connect", "list"), ("--help",)])
def test_ctrl_c_many_times_from_the_start_on_shows_no_traceback(
    arguments: tuple[str, ...], home: Home
) -> None:
    # The interpreter's own start, before a line of ours runs, is not ours to guard.
    program = (
        "import os, signal, threading\n"
        "def interrupt():\n"
        "    while True: os.kill(os.getpid(), signal.SIGINT)\n"
        "import app.__main__\n"
        "run = app.__main__._command\n"
        "def interrupted(arguments):\n"
        "    threading.Thread(target=interrupt, daemon=True).start()\n"
        "    return run(arguments)\n"
        "app.__main__._command = interrupted\n"
        f"raise SystemExit(app.__main__.main({list(arguments)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=home.environment(),
        timeout=60,
    )

    assert done.returncode == 130, done.stderr
    assert done.stderr == ""


def test_an_upload_survives_the_kill_of_its_engine(
    home: Home, slow_server: RunningPlainServer, many: Path
) -> None:
    process = start(home, slow_server, many, "full")
    read_until_bytes_move(process)
    first = home.engine()

    first.kill()
    told = rest(process)

    assert process.returncode == 0, told
    assert told[-1]["files_acknowledged"] == 8
    assert home.engine().pid != first.pid
    published = slow_server.root / "files" / "data" / "x"
    assert tree(published) == tree(many)
    jobs = home.rows("jobs", "--server", slow_server.address, LAKEDROP_API_KEY=KEY)
    assert [job["sync_status"] for job in jobs] == ["Finished"]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_on_a_terminal_the_question_is_asked_with_the_numbers(
    answer: str, code: int, home: Home, sales: Path
) -> None:
    upload = ("upload", f"{sales}/", "--to", "/data/x", "--mode", "full")
    assert home.run(*upload).returncode == 0
    (sales / "a.csv").write_bytes(b"new\n")

    out, returned = run_on_terminal(home, upload, {"Go on? [y/N]": answer})

    assert returned == code, out
    assert "3 files, 5.0 kB at /data/x move to the trash; 3 files, 5.0 kB take" in out
    now = (home.files / "data" / "x" / "a.csv").read_bytes()
    assert now == (b"new\n" if code == 0 else b"id\n1\n")


def test_a_key_typed_at_the_terminal_is_not_shown_and_kept_nowhere(
    home: Home, slow_server: RunningPlainServer, sales: Path
) -> None:
    upload = (
        *("upload", str(sales / "a.csv"), "--to", "/data/x", "--mode", "incremental"),
        *("--server", slow_server.address),
    )

    out, returned = run_on_terminal(home, upload, {"(for this run only): ": f"{KEY}\n"})

    assert returned == 0, out
    assert KEY not in out
    for kept in (home.folder).rglob("*"):
        if kept.is_file():
            assert KEY.encode() not in kept.read_bytes(), kept


def run_on_terminal(
    home: Home, arguments: tuple[str, ...], answers: dict[str, str]
) -> tuple[str, int]:
    """The command on a pseudo-terminal; types each answer when its question has appeared."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=home.environment(TERM="xterm", COLUMNS="200"),
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    seen, open_questions = b"", dict(answers)
    try:
        while chunk := _read(ours):
            seen += chunk
            for question, answer in list(open_questions.items()):
                if question.encode() in seen:
                    os.write(ours, answer.encode())
                    del open_questions[question]
    finally:
        os.close(ours)
    return seen.decode("utf-8", "replace"), process.wait(60)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that /dev/tty, where keys are typed, is this one


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other end is closed
        return b""

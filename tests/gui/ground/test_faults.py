"""Faults of the window's own go into its log, whoever met them, and are told on its thread.

In a process of their own: the hooks are the whole process's.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

BEGIN = """
import logging, sys, threading
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer, qCritical, qWarning
from app.ui.faults import Faults

application = QCoreApplication([])
faults = Faults()
faults.listen(Path(sys.argv[1]), also_on_stderr=sys.argv[2] == "told")

def tell():
    print("met", threading.current_thread() is threading.main_thread(), flush=True)
    application.quit()

faults.met.connect(tell)

def fail(*_):
    raise RuntimeError("what went wrong: báo cáo")
"""


def run(script: str, log: Path, *, told: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script, str(log), "told" if told else "quiet"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_fails_in_qts_loop_is_logged_and_told(tmp_path: Path) -> None:
    done = run("QTimer.singleShot(0, fail); application.exec()", tmp_path / "window.log")

    assert done.stdout == "met True\n"
    assert done.stderr == ""  # no traceback where a person would see it
    log = (tmp_path / "window.log").read_text("utf-8")
    assert "Traceback" in log
    assert "what went wrong: báo cáo" in log


def test_what_fails_on_another_thread_is_told_on_the_windows(tmp_path: Path) -> None:
    script = "threading.Thread(target=fail).start(); application.exec()"
    done = run(script, tmp_path / "window.log")

    assert done.stdout == "met True\n"
    assert done.stderr == ""
    assert "what went wrong" in (tmp_path / "window.log").read_text("utf-8")


def test_an_interrupt_is_no_fault(tmp_path: Path) -> None:
    done = run("raise KeyboardInterrupt", tmp_path / "window.log")

    assert done.stdout == ""
    assert "KeyboardInterrupt" in done.stderr
    assert (tmp_path / "window.log").read_text("utf-8") == ""


def test_qts_own_words_are_logged_with_their_weight(tmp_path: Path) -> None:
    run("qWarning('a warning'); qCritical('a grave one')", tmp_path / "window.log")

    log = (tmp_path / "window.log").read_text("utf-8")
    assert "WARNING app.ui.faults: Qt: a warning" in log
    assert "ERROR app.ui.faults: Qt: a grave one" in log


def test_faults_are_told_on_standard_error_where_that_is_wanted(tmp_path: Path) -> None:
    script = "QTimer.singleShot(0, fail); application.exec()"
    assert "what went wrong" in run(script, tmp_path / "window.log", told=True).stderr


def test_a_crash_leaves_its_stack_in_the_log(tmp_path: Path) -> None:
    done = run("import os; os.abort()", tmp_path / "window.log")

    assert done.returncode != 0
    assert "Fatal Python error" in (tmp_path / "window.log").read_text("utf-8")


def test_the_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    run("", tmp_path / "window.log")
    assert stat.S_IMODE((tmp_path / "window.log").stat().st_mode) == 0o600


def test_the_log_goes_on_where_it_was_until_it_is_large(tmp_path: Path) -> None:
    log = tmp_path / "window.log"
    run("logging.getLogger('x').info('first')", log)
    run("logging.getLogger('x').info('second')", log)
    assert [line.rpartition(" ")[2] for line in log.read_text("utf-8").splitlines()] == [
        "first",
        "second",
    ]

    with log.open("a", encoding="utf-8") as stream:
        stream.write("x" * (2 * 1024 * 1024))
    run("logging.getLogger('x').info('third')", log)

    assert log.read_text("utf-8").count("\n") == 1
    assert "first" in log.with_suffix(".old.log").read_text("utf-8")


def test_a_log_that_cannot_be_is_an_error_of_the_system(tmp_path: Path) -> None:
    done = run("", tmp_path / "missing" / "window.log")
    assert "FileNotFoundError" in done.stderr

"""The program as a whole: help, versions, pipes, `serve` and `demo`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.cli.demo import MARKER
from tests.support.home import Home, tree


def test_the_version_is_said(home: Home) -> None:
    done = home.run("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("LakeDrop 0.")


def test_the_help_names_the_commands_and_nothing_of_the_inside(home: Home) -> None:
    done = home.run("--help")

    assert done.returncode == 0
    assert "upload" in done.stdout
    assert "window" in done.stdout
    assert "engine" not in done.stdout.replace("upload engine", "")


@pytest.mark.parametrize(
    ("display", "told"),
    [("", "There is no display here"), (":9999", "The display :9999 does not answer")],
)
def test_without_a_display_the_window_says_what_works_instead(
    home: Home, display: str, told: str
) -> None:
    done = home.run(DISPLAY=display, WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")

    assert done.returncode == 1
    assert told in done.stderr
    assert "lakedrop upload --help" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_ends_the_command_quietly(home: Home, sales: Path) -> None:
    upload = ("upload", str(sales / "a.csv"), "--to", "/data/x", "--mode", "incremental")
    assert home.run(*upload).returncode == 0
    process = home.start("jobs", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(60) == 141
    assert errors == ""


@pytest.mark.parametrize("command", ["upload", "connect"])
def test_an_upload_starts_without_what_it_does_not_need(command: str) -> None:
    heavy = ("httpx", "keyring", "fastapi", "rich", "pydantic", "sqlalchemy", "sqlite3", "asyncio")
    program = (
        f"import sys, app.__main__, app.composition, app.cli.{command}, app.cli.context\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("place", ["config", "state", "run"])
def test_a_home_that_cannot_be_made_is_told_without_a_traceback(home: Home, place: str) -> None:
    (home.folder / place).write_text("in the way")

    done = home.run("jobs")
    (home.folder / place).unlink()
    assert done.returncode == 1
    assert place in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_queue_is_told_beside_what_was_asked_for(home: Home) -> None:
    home.places.make()
    home.places.journal.write_bytes(b"no database\n" * 900)
    done = home.run("jobs", "--json")
    assert (done.returncode, done.stdout) == (0, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(
        "lakedrop: The upload queue was damaged: The old upload queue is kept as"
    )
    assert "journal.db.damaged-1" in line


def test_serve_becomes_the_server_and_stops_cleanly(home: Home, tmp_path: Path) -> None:
    stands_in = tmp_path / "data"
    stands_in.mkdir()
    (stands_in / "json.py").write_text("raise SystemExit('a module of the user was run')")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "app", "serve", "--lake", "lake", "--port", "0"],
        cwd=stands_in,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=home.environment(
            LAKEDROP_API_KEY="canary-key", PYTHONPATH=str(Path(__file__).parents[3])
        ),
    )
    try:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        assert "http://127.0.0.1:" in first_line
        assert (stands_in / "lake").is_dir()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "canary-key" not in errors
    finally:
        process.kill()
        process.wait()


def test_serve_needs_no_output_that_is_open(home: Home, tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "app", "serve", "--lake", str(tmp_path / "lake"), "--show-key"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *serve],
        stderr=subprocess.PIPE,
        text=True,
        env=home.environment(),
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_demo_does_the_main_job_and_leaves_no_process(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = home.run("demo", "--folder", str(folder))

    assert done.returncode == 0, done.stderr
    lake = folder / "home" / "lake" / "files" / "data"
    assert len(tree(lake / "db" / "transactions")) > 1
    nested = [name for name in tree(lake / "crm") if name.count("/") > 1]
    assert nested
    assert not nested[0].isascii()
    for told in ("FullSync", "IncrementalSync", "without the window", str(lake.parent)):
        assert told in done.stdout
    assert not (folder / "home" / "run" / "engine.json").exists()

    again = home.run("demo", "--folder", str(folder))
    assert again.returncode == 0, again.stderr


def test_the_demo_wipes_no_folder_it_did_not_make(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "thesis.txt").write_text("years of work")

    done = home.run("demo", "--folder", str(folder))
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert (folder / "home" / "thesis.txt").exists()
    assert not (folder / MARKER).exists()


def test_the_wiped_demos_engine_is_ended_first(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    earlier = Home(folder / "home")
    folder.mkdir()
    (folder / MARKER).touch()
    assert earlier.run("connect", "list").returncode == 0
    engine = earlier.engine()

    assert home.run("demo", "--folder", str(folder)).returncode == 0
    # Where nobody collects orphans, an ended process is still listed.
    assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE

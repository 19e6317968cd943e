"""What the system lacks is installed by root on Debian, and told to everybody else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import system_needs
from system_needs import SetupFailed, SystemPackage, look_after_the_system
from tests.unit.repo.terminal import Terminal
from tests.unit.repo.tree import ROOT

LISTING = """
# for   need          package
run     lib:libGL.so.1  libgl1      # the window
run     font:*        fonts-dejavu-core
test    curl          curl        # the examples
test    bus-run       dbus-daemon # the keyring
bench   filezilla     filezilla
"""
FOR_THE_WINDOW = {"lib:libGL.so.1", "font:*"}
NO_SUCH_LIBRARY = "lib:libLakeDropHasNone.so.7"
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the list of system packages is for Linux"
)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_each_purpose_needs_what_the_one_before_it_does() -> None:
    needs = {
        what: [row.need for row in system_needs.system_packages(LISTING, what)]
        for what in ("run", "test", "bench")
    }
    assert needs["run"] == ["lib:libGL.so.1", "font:*"]
    assert needs["test"] == [*needs["run"], "curl", "bus-run"]
    assert needs["bench"] == [*needs["test"], "filezilla"]


def test_root_installs_only_what_is_missing(terminal: Terminal) -> None:
    terminal.has = {"apt-get", "curl", "font:*"}
    look_after_the_system(terminal.machine(is_root=True), LISTING, "test")
    assert terminal.commands == [
        "apt-get update -q",
        "apt-get install -y -q --no-install-recommends dbus-daemon libgl1",
    ]


def test_root_touches_nothing_when_nothing_is_missing(terminal: Terminal) -> None:
    terminal.has = {"apt-get", *FOR_THE_WINDOW}
    look_after_the_system(terminal.machine(is_root=True), LISTING, "run")
    assert (terminal.commands, terminal.said) == ([], [])


def test_anybody_else_is_told_the_exact_command(terminal: Terminal) -> None:
    terminal.has = {"apt-get", "font:*"}
    look_after_the_system(terminal.machine(), LISTING, "test")
    assert terminal.commands == []
    [advice] = terminal.said
    assert "lacks libGL.so.1, curl, bus-run." in advice
    assert "sudo apt-get install -y --no-install-recommends curl dbus-daemon libgl1\n" in advice
    assert "may not open" in advice
    assert "tests that need them are skipped" in advice


def test_without_apt_nothing_is_run_even_as_root(terminal: Terminal) -> None:
    terminal.has = set(FOR_THE_WINDOW)
    look_after_the_system(terminal.machine(is_root=True), LISTING, "test")
    assert terminal.commands == []
    assert "curl dbus-daemon" in terminal.said[0]


@pytest.mark.parametrize(("what", "in_ci"), [("run", False), ("run", True), ("test", False)])
def test_what_is_missing_stops_no_set_up(terminal: Terminal, what: str, *, in_ci: bool) -> None:
    look_after_the_system(terminal.machine(in_ci=in_ci), LISTING, what)
    assert "This system lacks libGL.so.1, a font" in terminal.said[0]


def test_what_ci_lacks_of_the_tests_stops_it(terminal: Terminal) -> None:
    terminal.has = {"apt-get", "curl", "bus-run", "font:*"}
    with pytest.raises(SetupFailed, match="sudo apt-get install"):
        look_after_the_system(terminal.machine(in_ci=True), LISTING, "test")


def test_a_failing_apt_is_told_and_stops_only_ci(terminal: Terminal) -> None:
    terminal.has, terminal.failing = {"apt-get"}, "install"
    look_after_the_system(terminal.machine(is_root=True), LISTING, "test")
    assert "apt-get failed" in terminal.said[-1]
    with pytest.raises(SetupFailed, match="apt-get failed"):
        look_after_the_system(terminal.machine(is_root=True, in_ci=True), LISTING, "test")


@on_linux
def test_a_library_is_here_when_the_systems_loader_loads_it() -> None:
    assert system_needs.is_here("lib:libc.so.6")
    assert not system_needs.is_here(NO_SUCH_LIBRARY)


@on_linux
def test_a_command_is_here_when_the_path_has_it() -> None:
    assert system_needs.is_here("sh")
    assert not system_needs.is_here("lakedrop-has-no-such-command")


def test_a_font_is_here_when_a_font_file_of_that_name_is(tmp_path: Path) -> None:
    folders = [tmp_path / "missing", tmp_path / "fonts"]
    (tmp_path / "fonts" / "truetype").mkdir(parents=True)
    assert not system_needs.has_font("*", folders)
    (tmp_path / "fonts" / "truetype" / "README.txt").touch()
    assert not system_needs.has_font("*", folders)
    (tmp_path / "fonts" / "truetype" / "Inter-Bold.TTF").touch()
    assert system_needs.has_font("*", folders)
    assert system_needs.has_font("Inter*", folders)
    assert not system_needs.has_font("DejaVu*", folders)


@on_linux
def test_fonts_are_looked_for_where_the_user_keeps_them(tmp_path: Path) -> None:
    folders = system_needs.font_folders({"HOME": str(tmp_path)})
    assert tmp_path / ".local" / "share" / "fonts" in folders
    moved = system_needs.font_folders({"HOME": "/h", "XDG_DATA_HOME": str(tmp_path)})
    assert tmp_path / "fonts" in moved


def test_every_line_of_the_real_list_is_understood() -> None:
    listing = (ROOT / "packaging" / "system-packages.txt").read_text(encoding="utf-8")
    rows = system_needs.system_packages(listing, "bench")
    written = [line for line in listing.splitlines() if line and not line.startswith("#")]
    assert len(rows) == len(written)
    assert len({row.need for row in rows}) == len(rows)
    assert SystemPackage("test", "curl", "curl") in rows

"""The rig itself, on a little window that does what it is told: it must see, act and complain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.window.real_window import FileManager, RealWindow, real_window
from tests.support.window.stand_in import STALL_S
from tests.support.window.x_session import XSession

STAND_IN = "tests.support.window.stand_in:run_window"


@pytest.fixture
def window(screen: XSession) -> Iterator[RealWindow]:
    with real_window(screen, os.environ, program=STAND_IN) as shown:
        yield shown


def test_folders_and_names_of_all_kinds_arrive_by_several_drags(
    window: RealWindow, files: FileManager, tmp_path: Path
) -> None:
    plain, vietnamese = tmp_path / "two words.csv", tmp_path / "dữ liệu bán hàng"
    plain.write_bytes(b"a")
    vietnamese.mkdir()

    files.drag([plain, vietnamese], window.see("dropZone").at)
    files.drag([tmp_path], window.see("dropZone").at)

    rows = window.wait_rows("table", 3)
    assert rows.column("Name") == [plain.name, vietnamese.name, tmp_path.name]
    assert rows.column("Folder")[0] == str(tmp_path)


def test_a_drop_where_nobody_takes_it_is_told(
    window: RealWindow, files: FileManager, tmp_path: Path
) -> None:
    assert not files.try_to_drag([tmp_path], window.see("do.greet").at, within_s=1)
    assert window.rows("table").count == 0


def test_a_form_is_filled_by_pointer_and_keys(window: RealWindow) -> None:
    window.fill("form.name", "Lan & Minh")
    window.fill("form.key", "secret")
    window.choose("form.choice", "staging")
    window.click("form.check")
    window.click("do.greet")

    window.wait_text("said", "hello Lan & Minh, staging")
    look = window.see("form.check")
    assert look.checked
    assert window.text("form.key") == "●" * 6, "the probe must not read a key"


def test_everything_is_reached_by_tab(window: RealWindow) -> None:
    window.click("form.name")
    window.hands.type("Lan")

    passed = window.tab_to("do.greet")
    window.hands.keys("space")

    assert passed == ["form.key", "form.choice", "form.check", "do.greet"]
    window.wait_text("said", "hello Lan")


def test_a_cell_is_clicked_where_it_lies(
    window: RealWindow, files: FileManager, tmp_path: Path
) -> None:
    files.drag([tmp_path / name for name in "abc"], window.see("dropZone").at)
    window.wait_rows("table", 3)

    window.click_cell("table", "b")
    window.hands.keys("shift+Down", "shift+End")

    assert window.rows("table").selected == [1, 2]


def test_a_window_that_did_not_come_back_to_its_events_for_a_while_is_seen(
    window: RealWindow,
) -> None:
    window.worst_stall_ms()
    window.click("do.stall")
    window.wait_text("said", "back again")

    assert window.worst_stall_ms() > STALL_S * 1000 - 10


def test_closing_by_the_window_managers_keys_ends_it_well(window: RealWindow) -> None:
    window.close()


def press_and_wait(screen: XSession, button: str, words: str) -> None:
    with real_window(screen, os.environ, program=STAND_IN) as window:
        window.click(button)
        window.wait_text("said", words)


def test_a_warning_of_qt_fails_the_test(screen: XSession) -> None:
    with pytest.raises(AssertionError, match="laid out badly"):
        press_and_wait(screen, "do.warn", "warned")


def test_a_traceback_fails_the_test(screen: XSession) -> None:
    with pytest.raises(AssertionError, match="a slot went wrong"):
        press_and_wait(screen, "do.fail", "failed")


def test_a_window_that_does_not_start_is_told_with_its_words(screen: XSession) -> None:
    with (
        pytest.raises(AssertionError, match="No module named 'nowhere'"),
        real_window(screen, os.environ, program="nowhere:run_window"),
    ):
        pass

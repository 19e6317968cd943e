"""What a person does on the Upload page, in their words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.window.real_window import FileManager, RealWindow, Rows
from tests.support.window.waiting import LONGEST_S, until

_THERE = {"Verified", "Uploaded", "Already there"}


class UploadPage:
    def __init__(self, window: RealWindow) -> None:
        self.window = window

    def drop(self, files: FileManager, *paths: Path, rows: int) -> None:
        """Anywhere on the window, here in its middle; `rows`: how many there are afterwards."""
        files.drag(paths, self.window.see("mainWindow").at)
        self.window.wait_rows("upload.table", rows)

    def add_folder_by_keys(self, folder: Path, *, rows: int) -> None:
        """By the shortcut, and Qt's own dialog, into which the path is typed."""
        self.window.hands.keys("ctrl+shift+o")
        until(self._dialog_is_active, lambda: f"the dialog is active: {self.window.windows()}")
        self.window.hands.type(str(folder))
        self.window.hands.keys("Return")
        self.window.wait_rows("upload.table", rows)

    def _dialog_is_active(self) -> bool:
        return any(one["active"] and one["title"] != "LakeDrop" for one in self.window.windows())

    def choose_full(self) -> None:
        self.window.click("upload.modeFull")

    def choose_incremental(self) -> None:
        self.window.click("upload.modeIncremental")

    def set_destination(self, lake_path: str) -> None:
        self.window.fill("upload.destination", lake_path)

    def set_name(self, name: str) -> None:
        self.window.fill("upload.name", name)

    def choose_connection(self, name: str) -> None:
        self.window.choose("upload.connection", name)

    def switch_contents_only(self) -> None:
        before = self.window.see("upload.contentsOnly").checked
        self.window.click("upload.contentsOnly")
        until(
            lambda: self.window.see("upload.contentsOnly").checked is not before,
            "contents only is switched",
        )

    def start(self) -> None:
        self.window.click("upload.start")

    def rows(self) -> Rows:
        return self.window.rows("upload.table")

    def job_texts(self) -> list[str]:
        """What each card of the list says, in one piece."""
        return ["\n".join(row) for row in self.window.rows("upload.jobList", spoken=True).rows]

    def wait_job(self, *words: str, within_s: float = LONGEST_S) -> None:
        """Until a card says all of these."""
        until(
            lambda: any(all(word in text for word in words) for text in self.job_texts()),
            lambda: f"a job says {words}; they say {self.job_texts()}\n{self.window.story()}",
            within_s=within_s,
        )

    def wait_finished(self, *, within_s: float = LONGEST_S) -> None:
        """The job says so, and so does each of its files."""
        self.wait_job("Finished", within_s=within_s)
        until(
            lambda: set(self.states()) <= _THERE,
            lambda: f"all files are there; they are {self.states()}",
            within_s=within_s,
        )

    def states(self) -> Sequence[str]:
        return self.rows().column("State")

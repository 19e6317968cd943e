"""Connections: the local lake, and remotes to add, test, edit and remove."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.domain.errors import LakeDropError
from app.domain.upload_job import ENDED, JobState
from app.ui.connections.connection_form import ConnectionForm, Typed
from app.ui.connections.connection_list import ConnectionList, Remote
from app.ui.context import Page, UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.tokens import Tone
from app.ui.widgets.banner import Banner, BannerAction
from app.ui.widgets.buttons import ElidedLabel, button, label

_LIST_WIDTH = 264
_FORM_WIDTH = 560


class ConnectionsPage(Page):
    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self._test_number = 0  # of the newest test: an older one's answer no longer counts
        self._is_saving = False
        self._lake_files = ""
        self._select_after = ""
        self._list = ConnectionList(context)
        self._list.setFixedWidth(_LIST_WIDTH)
        self._add = button(
            context.theme, self.tr("Add connection"), name="connections.add", icon="plus"
        )
        self._form = ConnectionForm(context)
        self._question = Banner(context.theme, "connections.question")
        self._result = Banner(context.theme, "connections.result")
        self._lay_out()
        self._list.chosen.connect(self._on_chosen)
        self._add.clicked.connect(lambda: self._unless_unsaved(self._begin_new))
        self._form.changed.connect(self._forget_result)
        self._form.test.connect(self._test)
        self._form.save.connect(self._save)
        self._form.remove.connect(self._ask_remove)
        QShortcut(QKeySequence.StandardKey.Save, self).activated.connect(self._save)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self._add)
        left.addWidget(self._list, 1)
        local = QWidget()
        lake = QVBoxLayout(local)
        lake.setContentsMargins(0, 0, 0, 0)
        lake.setSpacing(8)
        lake.addWidget(label(self.tr("Local lake"), role="heading"))
        words = label(
            self.tr("Files uploaded here stay on this machine. It needs no account and no key."),
            role="muted",
        )
        words.setWordWrap(True)
        lake.addWidget(words)
        self._place = ElidedLabel(middle=True)
        self._place.setObjectName("connections.lakeFolder")
        lake.addWidget(self._place)
        self._open = button(
            self.context.theme,
            self.tr("Open folder"),
            name="connections.openFolder",
            icon="folder",
        )
        self._open.setEnabled(False)
        self._open.clicked.connect(self._open_folder)
        buttons = QHBoxLayout()
        buttons.addWidget(self._open)
        buttons.addStretch(1)
        lake.addLayout(buttons)
        lake.addStretch(1)
        remote = QWidget()
        column = QVBoxLayout(remote)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._form)
        column.addStretch(1)
        self._right = QStackedWidget()
        self._right.addWidget(local)
        self._right.addWidget(remote)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._question)
        right.addWidget(self._result)
        right.addWidget(self._right, 1)
        holder = QWidget()
        holder.setLayout(right)
        holder.setMaximumWidth(_FORM_WIDTH)
        right.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addLayout(left)
        row.addWidget(holder, 3)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 14, 16, 14)
        whole.setSpacing(12)
        whole.addWidget(label(self.tr("Connections"), role="title"))
        whole.addLayout(row, 1)

    def entered(self) -> None:
        self._look()
        self.context.link.ask("lake", self._take_lake, self._tell_error, owner=self)

    # -- what is there -----------------------------------------------------------------------

    def _look(self) -> None:
        self.context.link.ask("connections", self._take, self._tell_error, owner=self)

    def _take(self, result: Result) -> None:
        remotes = [
            Remote(
                str(row["name"]),
                str(row["base_url"]),
                bool(row["allow_plain_http"]),
                str(row["key"]),
            )
            for row in result["connections"]
        ]
        self._form.set_keyring(bool(result["keyring"]))
        making_new = self._right.currentIndex() == 1 and self._form.stored is None
        self._list.show_remotes(remotes)
        if self._select_after:
            self._list.choose(self._select_after)
            self._select_after = ""
            self._show_chosen()
            self._result.tell(Tone.GOOD, self.tr("Saved"))
        elif making_new:
            self._list.clear_choice()
        elif not self._form.is_changed:
            self._show_chosen()

    def _take_lake(self, result: Result) -> None:
        self._lake_files = str(result["files"])
        self._place.setText(self._lake_files)
        self._open.setEnabled(True)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._lake_files))

    # -- choosing ----------------------------------------------------------------------------

    def _on_chosen(self, name: str) -> None:
        stored = self._form.stored
        before = stored.name if stored else ""

        def show() -> None:
            self._list.choose(name)
            self._show_chosen()

        if self._right.currentIndex() == 1 and self._form.is_changed:
            if stored is None:
                self._list.clear_choice()
            else:
                self._list.choose(before)
        self._unless_unsaved(show)

    def _unless_unsaved(self, do: Callable[[], None]) -> None:
        """At once, or after a yes to losing what was typed."""
        if self._right.currentIndex() == 0 or not self._form.is_changed:
            do()
            return
        self._ask(
            self.tr("Leave without saving?"),
            self.tr("What you typed for this connection would be lost."),
            self.tr("Do not save"),
            self.tr("Stay here"),
            do,
        )

    def _begin_new(self) -> None:
        self._close_banners()
        self._list.clear_choice()
        self._form.show_remote(None)
        self._right.setCurrentIndex(1)
        self._form.focus_first()

    def _show_chosen(self) -> None:
        self._close_banners()
        remote = self._list.remote
        self._form.show_remote(remote)
        self._right.setCurrentIndex(0 if remote is None else 1)

    def _close_banners(self) -> None:
        self._question.hide()
        self._forget_result()

    def _forget_result(self) -> None:
        """Also of a test that is still under way: it is about something else than what stands."""
        self._test_number += 1
        self._result.hide()

    # -- test, save, remove ------------------------------------------------------------------

    def _test(self) -> None:
        typed, stored = self._form.typed, self._form.stored
        as_stored = stored is not None and not typed.key and typed.base_url == stored.base_url
        connection = (
            {"name": stored.name}
            if stored is not None and as_stored
            else {"base_url": typed.base_url, "allow_plain_http": typed.allow_plain_http}
        )
        self._test_number += 1
        number = self._test_number
        self._result.tell(Tone.ACCENT, self.tr("Testing…"))

        def worked(result: Result) -> None:
            if number == self._test_number:
                self._tell_works(result)

        def failed(error: LakeDropError) -> None:
            if number == self._test_number:
                self._tell_error(error)

        self.context.link.ask(
            "check_connection",
            worked,
            failed,
            owner=self,
            connection=connection,
            key=typed.key or None,
        )

    def _tell_works(self, result: Result) -> None:
        if result["plain_server"]:
            text = self.tr("A server with the five calls of the upload API; address and key fit.")
        else:
            text = self.tr("A LakeDrop server, version {0}; address and key fit.").format(
                shown(str(result["version"]))
            )
        self._result.tell(Tone.GOOD, self.tr("The connection works"), text)

    def _save(self) -> None:
        save = self.findChild(QPushButton, "connections.save")
        if self._right.currentIndex() == 0 or save is None or not save.isEnabled():
            return
        if self._is_saving:
            return
        self._is_saving = True
        typed, stored = self._form.typed, self._form.stored

        def saved(_: Result) -> None:
            self._is_saving = False
            self._form.forget_key()
            self._select_after = typed.name
            self._look()
            self.context.navigator.connections_changed.emit()

        def refused(error: LakeDropError) -> None:
            self._is_saving = False
            self._tell_error(error)

        self.context.link.ask(
            "save_connection", saved, refused, owner=self, **_saving(typed, stored)
        )

    def _ask_remove(self) -> None:
        remote = self._form.stored
        if remote is None:
            return
        using = sum(
            job.connection == remote.name
            and job.state not in ENDED
            and job.state is not JobState.DRAFT
            for job in self.context.link.jobs.values()
        )
        text = self.tr("Its address and its key are forgotten. What was uploaded stays there.")
        if using:
            text += " " + self.tr("%n upload(s) still use it and would stop.", "", using)
        self._ask(
            self.tr("Remove “{0}”?").format(shown(remote.name)),
            text,
            self.tr("Remove it"),
            self.tr("Keep it"),
            lambda: self._do_remove(remote.name),
        )

    def _do_remove(self, name: str) -> None:
        def removed(_: Result) -> None:
            self._form.show_remote(None)
            self._list.choose("")
            self._show_chosen()
            self._look()
            self.context.navigator.connections_changed.emit()

        self.context.link.ask("remove_connection", removed, self._tell_error, owner=self, name=name)

    # -- what is told ------------------------------------------------------------------------

    def _ask(self, title: str, text: str, yes: str, no: str, do: Callable[[], None]) -> None:
        def agree() -> None:
            self._question.hide()
            do()

        self._question.forget_actions()
        self._question.tell(
            Tone.WARN,
            title,
            text,
            [
                BannerAction(no, "connections.confirmNo", self._question.hide),
                BannerAction(yes, "connections.confirmYes", agree, "danger"),
            ],
        )
        refuse = self._question.findChild(QPushButton, "connections.confirmNo")
        if refuse is not None:
            refuse.setFocus()

    def _tell_error(self, error: LakeDropError) -> None:
        said = self.context.errors.present(error)
        self._result.tell(Tone.BAD, said.title, said.text)


def _saving(typed: Typed, stored: Remote | None) -> dict[str, object]:
    """The arguments of `save_connection`."""
    return {
        "name": typed.name,
        "base_url": typed.base_url,
        "allow_plain_http": typed.allow_plain_http,
        "key": typed.key or None,
        "replace": stored is not None and stored.name == typed.name,
        "was": stored.name if stored is not None and stored.name != typed.name else None,
        "keep_key": stored is not None and not typed.key,
        "session_only": typed.session_only and bool(typed.key),
    }

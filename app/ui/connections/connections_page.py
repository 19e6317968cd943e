"""Connections: the local lake, and remotes to add, test, edit and remove."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.errors import LakeDropError
from app.domain.upload_job import ENDED, JobState
from app.ui.connections.connection_form import ConnectionForm, Typed
from app.ui.connections.connection_list import ConnectionList, Remote
from app.ui.connections.local_lake_panel import LocalLakePanel
from app.ui.context import Page, UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.tokens import Tone
from app.ui.widgets.banner import Banner, BannerAction
from app.ui.widgets.buttons import button, label

_LIST_WIDTH = 264
_FORM_WIDTH = 560


class ConnectionsPage(Page):
    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self._test_number = 0  # of the newest test: an older one's answer no longer counts
        self._is_saving = False
        self._shown_number = 0  # grows whenever the form is filled anew
        self._select_after = ""
        self._list = ConnectionList(context)
        self._list.setFixedWidth(_LIST_WIDTH)
        self._add = button(
            context.theme, self.tr("Add connection"), name="connections.add", icon="plus"
        )
        self._local = LocalLakePanel(context)
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
        self._form.use.connect(self._use)
        QShortcut(QKeySequence.StandardKey.Save, self).activated.connect(self._save)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self._add)
        left.addWidget(self._list, 1)
        self._form.hide()
        # What is told stands below, so that no button moves while somebody is about to press it.
        right = QVBoxLayout()
        right.setSpacing(10)
        for widget in (self._local, self._form, self._question, self._result):
            right.addWidget(widget)
        right.addStretch(1)
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
        self.context.link.ask("lake", self._local.take, self._tell_no_look, owner=self)

    # -- what is there -----------------------------------------------------------------------

    def _look(self) -> None:
        self.context.link.ask("connections", self._take, self._tell_no_look, owner=self)

    def _tell_no_look(self, error: LakeDropError) -> None:
        if self._result.isHidden():  # else what is told there was asked for
            self._tell_error(error)

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
        self._list.show_remotes(remotes)
        by_name = {remote.name: remote for remote in remotes}
        stored = self._form.stored
        if self._select_after in by_name:  # else an answer from before it was saved
            self._list.choose(self._select_after)
            self._show(by_name[self._select_after])
        elif self._is_form_shown and stored is not None:
            self._follow_stored(stored, by_name.get(stored.name))

    def _follow_stored(self, before: Remote, now: Remote | None) -> None:
        """Somebody else may have changed or removed what the form is about."""
        if now == before:
            self._list.choose(before.name)
        elif self._form.is_changed:
            self._form.take_stored(now)
            if now is None:
                self._list.clear_choice()
                self._tell_gone(before)
            else:
                self._list.choose(now.name)
        else:
            self._forget_result()
            self._list.choose(now.name if now else "")
            self._show(now)

    def _tell_gone(self, remote: Remote) -> None:
        self._result.tell(
            Tone.WARN,
            self.tr("“{0}” was removed meanwhile").format(shown(remote.name)),
            self.tr("Save adds it again, with the key that you type."),
        )

    # -- choosing ----------------------------------------------------------------------------

    @property
    def _is_form_shown(self) -> bool:
        return not self._form.isHidden()

    def _on_chosen(self, name: str) -> None:
        stored = self._form.stored

        def show() -> None:
            self._list.choose(name)
            self._show_chosen()

        if self._is_form_shown and self._form.is_changed:
            if stored is None:
                self._list.clear_choice()
            else:
                self._list.choose(stored.name)
        self._unless_unsaved(show)

    def _unless_unsaved(self, do: Callable[[], None]) -> None:
        """At once, or after a yes to losing what was typed."""
        if not self._is_form_shown or not self._form.is_changed:
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
        self._show(None, new=True)
        self._form.focus_first()

    def _show_chosen(self) -> None:
        self._close_banners()
        self._show(self._list.remote)

    def _show(self, remote: Remote | None, *, new: bool = False) -> None:
        """The local lake for None, unless a new one is to be typed."""
        self._shown_number += 1
        self._select_after = ""
        self._form.show_remote(remote)
        self._form.setVisible(new or remote is not None)
        self._local.setVisible(not new and remote is None)

    def _use(self) -> None:
        remote = self._form.stored
        if remote is not None:
            name = remote.name
            self._unless_unsaved(lambda: self._leave_for_upload(name))

    def _leave_for_upload(self, name: str) -> None:
        self._show_chosen()  # what was typed is given up
        self.context.navigator.new_upload.emit(name)

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
        is_stored = (
            stored is not None
            and not typed.key
            and (typed.base_url, typed.allow_plain_http)
            == (stored.base_url, stored.allow_plain_http)
        )
        connection = (
            {"name": stored.name}
            if stored is not None and is_stored
            else {"base_url": typed.base_url, "allow_plain_http": typed.allow_plain_http}
        )
        key_of = stored.name if stored is not None and self._form.keeps_key else None
        self._test_number += 1
        number = self._test_number
        self._result.tell(Tone.ACCENT, self.tr("Testing…"))

        def worked(result: Result) -> None:
            if number == self._test_number and typed == self._form.typed:
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
            key_of=key_of,
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
        if not self._is_form_shown or save is None or not save.isEnabled() or self._is_saving:
            return
        self._is_saving = True
        self._forget_result()
        typed, stored, number = self._form.typed, self._form.stored, self._shown_number
        self._result.tell(Tone.ACCENT, self.tr("Saving…"))

        def saved(result: Result) -> None:
            self._is_saving = False
            if number == self._shown_number:
                self._show_saved(typed, int(result.get("jobs_that_stay", 0)))
            self._look()
            if stored is not None and stored.name != typed.name:
                self.context.navigator.connection_renamed.emit(stored.name, typed.name)
            self.context.navigator.connections_changed.emit()

        def refused(error: LakeDropError) -> None:
            self._is_saving = False
            if number == self._shown_number:
                self._tell_error(error)

        self.context.link.ask(
            "save_connection",
            saved,
            refused,
            owner=self,
            **_saving(typed, stored, keep_key=self._form.keeps_key, place=self._form.key_place),
        )

    def _show_saved(self, typed: Typed, jobs_that_stay: int) -> None:
        if typed == self._form.typed:
            self._form.forget_key()
            self._select_after = typed.name
        else:  # typed on meanwhile: that is a change of what was saved
            key = "session" if typed.session_only else "keyring"
            saved = Remote(typed.name, typed.base_url, typed.allow_plain_http, key)
            if typed.key == self._form.typed.key:
                self._form.forget_key()
            self._form.take_stored(saved)
        if jobs_that_stay:
            text = self.tr(
                "%n upload(s) under way stay with the server before, and need its key again.",
                "",
                jobs_that_stay,
            )
            self._result.tell(Tone.WARN, self.tr("Saved"), text)
        else:
            self._result.tell(Tone.GOOD, self.tr("Saved"))

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


def _saving(
    typed: Typed, stored: Remote | None, *, keep_key: bool, place: str
) -> dict[str, object]:
    """The arguments of `save_connection`."""
    return {
        "name": typed.name,
        "base_url": typed.base_url,
        "allow_plain_http": typed.allow_plain_http,
        "key": typed.key or None,
        "replace": False,
        "was": stored.name if stored is not None else None,
        "keep_key": keep_key,
        "key_place": place if keep_key and place else None,
        "session_only": typed.session_only and bool(typed.key),
    }

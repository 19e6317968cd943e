"""A remote's name, address and key, to type, test and save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.connections import (
    checked_base_url,
    checked_name,
    is_open_to_others,
    is_same_server,
)
from app.domain.errors import ConnectionNotUsable
from app.ui.connections.connection_list import Remote
from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.widgets.buttons import button, label, restyle


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """What stands in the form; `key` is "" where nothing was typed, and never shown in a repr."""

    name: str
    base_url: str
    allow_plain_http: bool
    key: str
    session_only: bool


class ConnectionForm(QWidget):
    """What is typed leads; only `show_remote` and `forget_key` put other things in its place."""

    changed = Signal()  # something else stands in the form than before, by whatever way
    test = Signal()
    save = Signal()
    remove = Signal()
    use = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stored: Remote | None = None
        self._has_keyring = True
        self._is_filling = False
        self._name = self._line("connections.name", self.tr("Name"))
        self._url = self._line("connections.url", self.tr("Address"))
        self._url.setPlaceholderText("https://client.example.com")
        self._key = self._line("connections.key", self.tr("API key"))
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._key.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhSensitiveData
        )
        self._show = QCheckBox(self.tr("Show"))
        self._show.setObjectName("connections.showKey")
        self._show.setAccessibleName(self.tr("Show the API key"))
        self._plain = QCheckBox(self.tr("Allow unencrypted http for this connection"))
        self._plain.setObjectName("connections.plainHttp")
        self._plain.setAccessibleName(self._plain.text())
        self._plain_warning = label(
            self.tr("Everybody on the way can read the key and the data."), role="problem"
        )
        self._session = QCheckBox(self.tr("Keep the key for this session only"))
        self._session.setObjectName("connections.sessionOnly")
        self._session.setAccessibleName(self._session.text())
        self._no_keyring = label(
            self.tr("This machine has no keyring: the key is forgotten when LakeDrop ends."),
            role="muted",
        )
        self._moves = label(role="muted", name="connections.keyMoves")
        self._problem = label(role="problem", name="connections.problem")
        for words in (self._plain_warning, self._no_keyring, self._moves, self._problem):
            words.setWordWrap(True)
        self._test = button(
            context.theme, self.tr("Test connection"), name="connections.test", icon="plug-zap"
        )
        self._save = button(
            context.theme, self.tr("Save"), name="connections.save", icon="check", kind="primary"
        )
        self._remove = button(
            context.theme,
            self.tr("Remove"),
            name="connections.remove",
            icon="trash-2",
            kind="danger",
        )
        self._use = button(
            context.theme,
            self.tr("Use for a new upload"),
            name="connections.use",
            icon="upload",
        )
        self._lay_out()
        self._connect()

    def _line(self, name: str, spoken: str) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(name)
        line.setAccessibleName(spoken)
        line.textChanged.connect(self._on_edit)
        return line

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(10)
        row = 0
        for text, line in (
            (self.tr("Name"), self._name),
            (self.tr("Address"), self._url),
            (self.tr("API key"), self._key),
        ):
            grid.addWidget(label(text, role="field"), row, 0)
            grid.addWidget(line, row + 1, 0, 1, 1 if line is self._key else 2)
            row += 2
        grid.addWidget(self._show, row - 1, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._remove)
        buttons.addStretch(1)
        buttons.addWidget(self._test)
        buttons.addWidget(self._save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(grid)
        for widget in (
            self._session,
            self._moves,
            self._no_keyring,
            self._plain,
            self._plain_warning,
        ):
            column.addWidget(widget)
        column.addLayout(buttons)
        onward = QHBoxLayout()
        onward.addWidget(self._use)
        onward.addStretch(1)
        column.addLayout(onward)
        # Below the buttons, which would jump away under the pointer otherwise.
        column.addWidget(self._problem)

    def _connect(self) -> None:
        self._show.toggled.connect(
            lambda on: self._key.setEchoMode(
                QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password
            )
        )
        self._plain.toggled.connect(self._on_edit)
        self._session.toggled.connect(self._on_edit)
        self._test.clicked.connect(self.test)
        self._save.clicked.connect(self.save)
        self._remove.clicked.connect(self.remove)
        self._use.clicked.connect(self.use)

    # -- what is shown -----------------------------------------------------------------------

    def show_remote(self, remote: Remote | None) -> None:
        """Of a stored one, or empty for a new one."""
        with self._filling():
            self._stored = remote
            self._name.setText(remote.name if remote else "")
            self._url.setText(remote.base_url if remote else "")
            self._plain.setChecked(remote.allow_plain_http if remote else False)
            self._session.setChecked(remote is not None and remote.key == "session")
            self._key.setText("")
            self._show.setChecked(False)
        self._show_stored()

    def take_stored(self, remote: Remote | None) -> None:
        """How it is stored by now, under what is typed; None where it was removed."""
        self._stored = remote
        self._show_stored()

    def _show_stored(self) -> None:
        remote = self._stored
        has_key = remote is not None and remote.key != "none"
        self._key.setPlaceholderText(self.tr("unchanged") if has_key else "")
        self._remove.setVisible(remote is not None)
        self._use.setVisible(remote is not None)
        self._look_over(tell=False)

    def set_keyring(self, has_keyring: bool) -> None:
        self._has_keyring = has_keyring
        self._look_over(tell=self.is_changed)

    def forget_key(self) -> None:
        """What was typed does not stay in the field."""
        with self._filling():
            self._key.setText("")  # `clear` could be undone
            self._show.setChecked(False)

    @contextmanager
    def _filling(self) -> Iterator[None]:
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False

    def focus_first(self) -> None:
        self._name.setFocus()

    @property
    def stored(self) -> Remote | None:
        return self._stored

    @property
    def typed(self) -> Typed:
        return Typed(
            self._name.text().strip(),
            self._url.text().strip().rstrip("/"),
            self._plain.isChecked(),
            self._key.text().strip(),
            self._session.isChecked() or not self._has_keyring,
        )

    @property
    def is_changed(self) -> bool:
        typed, stored = self.typed, self._stored
        if stored is None:
            return bool(typed.name or typed.base_url or typed.key)
        return bool(
            typed.key
            or typed.name != stored.name
            or typed.base_url != stored.base_url
            or typed.allow_plain_http != stored.allow_plain_http
            or self.key_place
        )

    @property
    def keeps_key(self) -> bool:
        """Whether the stored key goes on to be used: nothing was typed, and it is its server."""
        typed, stored = self.typed, self._stored
        return (
            stored is not None and not typed.key and is_same_server(stored.base_url, typed.base_url)
        )

    @property
    def key_place(self) -> str:
        """Where a kept key is to go, `keyring` or `session`; "" where it stays."""
        stored = self._stored
        if stored is None or stored.key == "none" or self.typed.key:
            return ""
        place = "session" if self.typed.session_only else "keyring"
        return "" if place == stored.key else place

    def tell_problem(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    # -- checks ------------------------------------------------------------------------------

    def _on_edit(self) -> None:
        if not self._is_filling:
            self._look_over(tell=True)
            self.changed.emit()

    def _look_over(self, *, tell: bool) -> None:
        """Says what is wrong while somebody types; Save waits until nothing is."""
        if not self._has_keyring:
            with self._filling():
                self._session.setChecked(True)
        self._session.setEnabled(self._has_keyring)
        self._no_keyring.setVisible(not self._has_keyring)
        typed = self.typed
        risky = is_open_to_others(typed.base_url)
        self._plain.setVisible(risky)
        self._plain_warning.setVisible(risky)
        self._say_where_the_key_goes()
        name_problem = self._problem_of_name(typed.name)
        url_problem = self._problem_of_url(typed)
        key_problem = "" if url_problem else self._problem_of_key(typed)
        restyle(self._name, wrong=bool(name_problem and typed.name and tell))
        restyle(self._url, wrong=bool(url_problem and self._url.text() and tell))
        restyle(self._key, wrong=bool(key_problem and tell))
        told = (
            (self._url.text() and url_problem) or key_problem or (typed.name and name_problem) or ""
        )
        self.tell_problem(told if tell else "")
        self._save.setEnabled(not name_problem and not url_problem and not key_problem)
        self._test.setEnabled(not url_problem and not key_problem)

    def _say_where_the_key_goes(self) -> None:
        words = {
            "session": self.tr(
                "Save takes the stored key out of the keyring; it is forgotten when LakeDrop ends."
            ),
            "keyring": self.tr("Save puts the key of this session into the keyring."),
        }.get(self.key_place, "")
        self._moves.setText(words)
        self._moves.setVisible(bool(words))

    def _problem_of_name(self, name: str) -> str:
        try:
            checked_name(name)
        except ConnectionNotUsable:
            return self.tr(
                "A name has letters, digits, spaces, '.', '-' or '_', at most 64; “local” is taken."
            )
        return ""

    def _problem_of_url(self, typed: Typed) -> str:
        try:
            checked_base_url(typed.base_url, allow_plain_http=True)
        except ConnectionNotUsable:
            return self.tr(
                "The address looks like https://client.example.com, without user name, password "
                "or query."
            )
        try:
            checked_base_url(typed.base_url, allow_plain_http=typed.allow_plain_http)
        except ConnectionNotUsable:
            return self.tr(
                "This address is not encrypted. Use https://, or allow unencrypted http."
            )
        return ""

    def _problem_of_key(self, typed: Typed) -> str:
        stored = self._stored
        if stored is None or stored.key == "none" or typed.key or self.keeps_key:
            return ""
        return self.tr(
            "The stored key stays with its own server, {0}. Type the API key for this one."
        ).format(shown(stored.base_url))

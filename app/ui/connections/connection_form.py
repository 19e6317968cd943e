"""A remote's name, address and key, to type, test and save."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.connections import checked_base_url, checked_name
from app.domain.errors import ConnectionNotUsable
from app.ui.connections.connection_list import Remote
from app.ui.context import UiContext
from app.ui.widgets.buttons import button, label, restyle

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """What stands in the form; `key` is "" where nothing was typed, and never shown in a repr."""

    name: str
    base_url: str
    allow_plain_http: bool
    key: str
    session_only: bool


class ConnectionForm(QWidget):
    changed = Signal()  # a person typed something
    test = Signal()
    save = Signal()
    remove = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stored: Remote | None = None
        self._has_keyring = True
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
        self._problem = label(role="problem", name="connections.problem")
        for words in (self._plain_warning, self._no_keyring, self._problem):
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
        self._lay_out()
        self._connect()

    def _line(self, name: str, spoken: str) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(name)
        line.setAccessibleName(spoken)
        line.textEdited.connect(self._on_edit)
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
            grid.addWidget(line, row + 1, 0)
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
            self._no_keyring,
            self._plain,
            self._plain_warning,
            self._problem,
        ):
            column.addWidget(widget)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self._show.toggled.connect(
            lambda on: self._key.setEchoMode(
                QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password
            )
        )
        self._plain.clicked.connect(self._on_edit)
        self._session.clicked.connect(self._on_edit)
        self._test.clicked.connect(self.test)
        self._save.clicked.connect(self.save)
        self._remove.clicked.connect(self.remove)

    # -- what is shown -----------------------------------------------------------------------

    def show_remote(self, remote: Remote | None) -> None:
        """Of a stored one, or empty for a new one."""
        self._stored = remote
        self._name.setText(remote.name if remote else "")
        self._url.setText(remote.base_url if remote else "")
        self._plain.setChecked(remote.allow_plain_http if remote else False)
        self._session.setChecked(remote is not None and remote.key == "session")
        self.forget_key()
        self._key.setPlaceholderText(
            self.tr("unchanged") if remote and remote.key != "none" else ""
        )
        self._remove.setVisible(remote is not None)
        self._look_over(tell=False)

    def set_keyring(self, has_keyring: bool) -> None:
        self._has_keyring = has_keyring
        self._look_over(tell=False)

    def forget_key(self) -> None:
        """What was typed does not stay in the field."""
        self._key.setText("")  # `clear` could be undone
        self._show.setChecked(False)

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
            self._key.text(),
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
        )

    def tell_problem(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    # -- checks ------------------------------------------------------------------------------

    def _on_edit(self) -> None:
        self._look_over(tell=True)
        self.changed.emit()

    def _look_over(self, *, tell: bool) -> None:
        """Says what is wrong while somebody types; Save waits until nothing is."""
        typed = self.typed
        parts = urlsplit(typed.base_url) if "[" not in typed.base_url else None
        risky = parts is not None and parts.scheme == "http" and parts.hostname not in _LOOPBACK
        self._plain.setVisible(risky)
        self._plain_warning.setVisible(risky)
        self._session.setChecked(self._session.isChecked() or not self._has_keyring)
        self._session.setEnabled(self._has_keyring)
        self._no_keyring.setVisible(not self._has_keyring)
        name_problem = self._problem_of_name(typed.name)
        url_problem = self._problem_of_url(typed)
        restyle(self._name, wrong=bool(name_problem and typed.name and tell))
        restyle(self._url, wrong=bool(url_problem and typed.base_url and tell))
        told = (typed.base_url and url_problem) or (typed.name and name_problem) or ""
        self.tell_problem(told if tell else "")
        self._save.setEnabled(not name_problem and not url_problem)
        self._test.setEnabled(not url_problem)

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
            return self.tr("This address is not encrypted. Use https://, or allow it below.")
        return ""

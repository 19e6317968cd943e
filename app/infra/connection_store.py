"""The named remotes in a TOML file that a person may read and mend; never a key in it.

The engine alone writes it. A file that cannot be understood is told with its path and left as it
is, since it may hold what somebody typed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from app.domain.connections import Connection, checked_base_url, checked_name
from app.domain.errors import ConnectionNotUsable

_TABLE = "connections"
_TEXTS = ("ca_file", "client_certificate", "client_key")
_UNVERIFIED = "unverified"
_HEAD = "# LakeDrop's remote instances. Their API keys are not here but in the system's keyring.\n"


class TomlConnectionStore:
    """`ports.ConnectionStore` on one file: a table `[connections.NAME]` each.

    Every method raises `ConnectionNotUsable` for a file that is broken or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Connection]:
        """In the order they were added."""
        return [self._connection(name, entry) for name, entry in self._table(self._read()).items()]

    def find(self, name: str) -> Connection | None:
        entry = self._table(self._read()).get(name)
        return None if entry is None else self._connection(name, entry)

    def save(self, connection: Connection, was: str | None = None) -> None:
        """Adds, or replaces in its place; what else stands in the file stays."""
        document = self._read()
        name, old = checked_name(connection.name), was or connection.name
        entry: dict[str, Any] = {
            "base_url": connection.base_url,
            "allow_plain_http": connection.allow_plain_http,
        }
        for field in (*_TEXTS, _UNVERIFIED):
            if value := getattr(connection, field):
                entry[field] = value
        table = self._table(document)
        if old in table:
            kept = ((key, each) for key, each in table.items() if key == old or key != name)
            document[_TABLE] = {
                (name if key == old else key): (entry if key == old else each) for key, each in kept
            }
        else:
            document[_TABLE] = table | {name: entry}
        self._write(document)

    def remove(self, name: str) -> bool:
        document = self._read()
        if self._table(document).pop(name, None) is None:
            return False
        self._write(document)
        return True

    def _read(self) -> dict[str, Any]:
        try:
            document = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as cause:
            raise ConnectionNotUsable(
                f"The list of connections cannot be read: {cause.strerror}: {self._path}"
            ) from cause
        except ValueError as cause:  # no UTF-8, or no TOML
            raise self._broken(str(cause)) from cause
        if not isinstance(document.get(_TABLE, {}), dict):
            raise self._broken(f"{_TABLE!r} must be a table")
        return document

    @staticmethod
    def _table(document: dict[str, Any]) -> dict[str, Any]:
        table = document.get(_TABLE, {})
        return table if isinstance(table, dict) else {}

    def _connection(self, name: str, entry: object) -> Connection:
        fields = entry if isinstance(entry, dict) else {}
        base_url, plain = fields.get("base_url"), fields.get("allow_plain_http", False)
        if not isinstance(base_url, str) or not isinstance(plain, bool):
            raise self._broken(
                f"connection {name!r} needs base_url, a text, and may have allow_plain_http, "
                "true or false"
            )
        texts = {field: fields.get(field, "") for field in _TEXTS}
        unverified = fields.get(_UNVERIFIED, False)
        are_texts = all(isinstance(text, str) for text in texts.values())
        if not are_texts or not isinstance(unverified, bool):
            raise self._broken(
                f"connection {name!r} may have {', '.join(_TEXTS)}, texts, and {_UNVERIFIED}, "
                "true or false"
            )
        try:
            url = checked_base_url(base_url, allow_plain_http=plain)
            return Connection(checked_name(name), url, plain, **texts, unverified=unverified)
        except ConnectionNotUsable as cause:
            raise self._broken(f"connection {name!r}: {cause.message}") from cause

    def _broken(self, why: str) -> ConnectionNotUsable:
        return ConnectionNotUsable(
            f"The list of connections is broken ({why}). Mend it or move it away: {self._path}"
        )

    def _write(self, document: dict[str, Any]) -> None:
        """Wholly old or wholly new, also across a power cut."""
        target = self._path.resolve()  # a link that somebody keeps there stays a link
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(_HEAD + tomli_w.dumps(document))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(target)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    Path(name).unlink()
                raise
            _sync_folder(target.parent)
        except OSError as cause:
            raise ConnectionNotUsable(
                f"The list of connections cannot be written: {cause.strerror}: {self._path}"
            ) from cause


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there; its rename is journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

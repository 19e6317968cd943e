"""The owner's commands about keys, as they come over the back door or from the command line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from embedded_server.catalog.sql_catalog import SqlCatalog
from embedded_server.domain.errors import InvalidParam
from embedded_server.services.key_book import KeyBook
from embedded_server.services.keys import Keys


class KeyCalls:
    def __init__(self, book: KeyBook) -> None:
        self._book = book

    @classmethod
    def of(cls, catalog: SqlCatalog) -> KeyCalls:
        """For a lake that no server has open."""
        book = KeyBook(catalog.keys, Keys(None), lambda: time.time_ns() // 1_000_000)
        return cls(book)

    def do(self, asked: Mapping[str, Any]) -> Any:
        """What JSON can carry. Raises `InvalidParam`, `Refused`, and what the catalog says."""
        match asked:
            case {"command": "add", "name": str(name), "path": path, "read_only": bool(read_only)}:
                path_text = path if isinstance(path, str) else None
                return self._book.add(name, path_text, is_read_only=read_only).revealed()
            case {"command": "revoke", "name": str(name)}:
                self._book.revoke(name)
                return True
            case {"command": "list"}:
                return [
                    {
                        "name": key.name,
                        "path": None if key.path is None else str(key.path),
                        "read_only": key.is_read_only,
                        "created_at_ms": key.created_at_ms,
                        "last_used_at_ms": key.last_used_at_ms,
                    }
                    for key in self._book.all()
                ]
            case _:
                raise InvalidParam("this server does not know that command")

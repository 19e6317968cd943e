"""The keys in the catalog: digests only, and a row for each that ever was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select, update

from embedded_server.catalog.tables import keys
from embedded_server.domain.api_key import StoredKey
from embedded_server.domain.lake_path import LakePath


class Write(Protocol):
    def __call__(self, work: Callable[[Connection], Any], *, durable: bool = True) -> Any: ...


class SqlKeys:
    """`ports.KeyStore`; any thread may call it, as the catalog that lends it its two ways."""

    def __init__(
        self, write: Write, reading: Callable[[], AbstractContextManager[Connection]]
    ) -> None:
        self._write = write
        self._reading = reading

    def in_use(self) -> Sequence[StoredKey]:
        rows = select(keys).where(keys.c.revoked_at_ms == 0).order_by(keys.c.key_id)
        with self._reading() as db:
            return [
                StoredKey(
                    row.name,
                    bytes.fromhex(row.sha256),
                    None if row.path is None else LakePath.parse(row.path),
                    bool(row.read_only),
                    row.created_at_ms,
                    row.last_used_at_ms,
                )
                for row in db.execute(rows)
            ]

    def add(self, key: StoredKey) -> bool:
        """False where a key of that name is in use."""
        values = {
            "name": key.name,
            "sha256": key.digest.hex(),
            "path": None if key.path is None else str(key.path),
            "read_only": int(key.is_read_only),
            "created_at_ms": key.created_at_ms,
            "last_used_at_ms": 0,
            "revoked_at_ms": 0,
        }
        taken = select(keys.c.key_id).where(keys.c.name == key.name, keys.c.revoked_at_ms == 0)

        def work(db: Connection) -> bool:
            if db.execute(taken).first() is not None:
                return False
            db.execute(insert(keys).values(values))
            return True

        return bool(self._write(work))

    def revoke(self, name: str, now_ms: int) -> bool:
        """False where no key of that name is in use."""
        gone = (
            update(keys)
            .where(keys.c.name == name, keys.c.revoked_at_ms == 0)
            .values(revoked_at_ms=now_ms)
        )
        return bool(self._write(lambda db: db.execute(gone).rowcount))

    def note_uses(self, last_used_at_ms: Mapping[str, int]) -> None:
        """Not durable: a crash may forget when a key was used last."""

        def work(db: Connection) -> None:
            for name, at_ms in last_used_at_ms.items():
                db.execute(
                    update(keys)
                    .where(keys.c.name == name, keys.c.revoked_at_ms == 0)
                    .values(last_used_at_ms=at_ms)
                )

        self._write(work, durable=False)

"""Secrets and connections that live in memory, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.connections import Connection, no_keyring


class MemorySecrets:
    """`fault(call, name)` is asked before each call, `call` being get, set or delete: what it
    raises is what the keyring does, and while it waits the keyring hangs."""

    def __init__(self, *, available: bool = True) -> None:
        self.fault: Callable[[str, str], None] = lambda _call, _name: None
        self._available = available
        self._keys: dict[str, str] = {}

    def available(self) -> bool:
        return self._available

    def get(self, connection_name: str) -> str | None:
        self._meet("get", connection_name)
        return self._keys.get(connection_name)

    def set(self, connection_name: str, key: str) -> None:
        self._meet("set", connection_name)
        self._keys[connection_name] = key

    def delete(self, connection_name: str) -> None:
        self._meet("delete", connection_name)
        self._keys.pop(connection_name, None)

    def all(self) -> dict[str, str]:
        return dict(self._keys)

    def _meet(self, call: str, name: str) -> None:
        if not self._available:
            raise no_keyring()
        self.fault(call, name)


class MemoryConnectionStore:
    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}

    def all(self) -> list[Connection]:
        return list(self._connections.values())

    def find(self, name: str) -> Connection | None:
        return self._connections.get(name)

    def save(self, connection: Connection, was: str | None = None) -> None:
        old = was or connection.name
        if old in self._connections:
            kept = [each for each in self.all() if each.name == old or each.name != connection.name]
            now = [connection if each.name == old else each for each in kept]
        else:
            now = [*self.all(), connection]
        self._connections = {each.name: each for each in now}

    def remove(self, name: str) -> bool:
        return self._connections.pop(name, None) is not None

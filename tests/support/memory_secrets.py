"""Secrets and connections that live in memory, for tests that are about something else."""

from __future__ import annotations

from app.domain.connections import Connection


class MemorySecrets:
    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def get(self, connection_name: str) -> str | None:
        return self._keys.get(connection_name)

    def set(self, connection_name: str, key: str) -> None:
        self._keys[connection_name] = key

    def delete(self, connection_name: str) -> None:
        self._keys.pop(connection_name, None)


class MemoryConnectionStore:
    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}

    def all(self) -> list[Connection]:
        return list(self._connections.values())

    def find(self, name: str) -> Connection | None:
        return self._connections.get(name)

    def save(self, connection: Connection) -> None:
        self._connections[connection.name] = connection

    def remove(self, name: str) -> bool:
        return self._connections.pop(name, None) is not None

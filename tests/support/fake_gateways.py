"""Gateways that all lead to one lake."""

from __future__ import annotations

from app.domain.connections import Connection
from app.domain.ports import LakeGateway


class FakeGateways:
    """Implements `Gateways`: every connection leads to the same lake; `opened` tells which."""

    def __init__(self, lake: LakeGateway) -> None:
        self.opened: list[tuple[Connection, str | None]] = []
        self.closed = False
        self._lake = lake

    def open(self, connection: Connection, key: str | None) -> LakeGateway:
        self.opened.append((connection, key))
        return self._lake

    def close(self) -> None:
        self.closed = True

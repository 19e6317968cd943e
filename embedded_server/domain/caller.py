"""Who asks, and what that one may do: decided at the gate, asked by whoever touches a path."""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.domain.errors import NotAllowed
from embedded_server.domain.lake_path import LakePath


@dataclass(frozen=True, slots=True)
class Caller:
    """`key_name` is empty where no key was needed; `path` None means the whole lake."""

    key_name: str = ""
    path: LakePath | None = None
    is_read_only: bool = False

    def check_may_see(self, path: LakePath) -> None:
        """Raises `NotAllowed` for a path beside the one that the key is bound to."""
        if self.path is not None and not self.path.holds(path):
            raise NotAllowed(f"this key is bound to {self.path}: it may not use {path}")

    def check_may_write(self, path: LakePath) -> None:
        """Raises `NotAllowed`."""
        self.check_may_change()
        self.check_may_see(path)

    def check_may_change(self) -> None:
        """Raises `NotAllowed` for a key that may only read."""
        if self.is_read_only:
            raise NotAllowed("this key may only read: use one that may write")


# Whoever runs programs as the server's own user, on a server that only this machine reaches.
OWNER = Caller()

"""Which server a command means, and the key for it."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.words import shown
from app.domain.connections import LOCAL, checked_base_url
from app.domain.errors import ConnectionNotUsable, WrongUse


@dataclass(frozen=True, slots=True)
class Target:
    """`name` of a connection, or `base_url` of a server for this one command."""

    name: str = LOCAL
    base_url: str = ""
    allow_plain_http: bool = False

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    @property
    def label(self) -> str:
        return shown(self.name or self.base_url)

    def to_wire(self) -> dict[str, Any]:
        if self.name:
            return {"name": self.name}
        return {"base_url": self.base_url, "allow_plain_http": self.allow_plain_http}


def target_of(options: Namespace) -> Target:
    """From --connection or --server; raises `ConnectionNotUsable`, `WrongUse`."""
    if options.server is not None:
        url = checked_base_url(options.server, allow_plain_http=options.allow_plain_http)
        return Target("", url, options.allow_plain_http)
    if options.allow_plain_http:
        raise WrongUse(
            "--allow-plain-http goes with --server. For a connection, give it when adding it: "
            "lakedrop connect add NAME URL --allow-plain-http"
        )
    return Target(options.connection or LOCAL)


def key_for(target: Target, context: CommandContext, session: EngineSession) -> str | None:
    """The key to send along: LAKEDROP_API_KEY, else None where the engine has it, else asked for.

    None for the local lake too: its key is the engine's own affair, and one that is meant for a
    remote must not go there. Raises `ConnectionNotUsable` where no key can be had.
    """
    if target.is_local:
        return None
    if context.environment_key or _engine_has_key(target, session):
        return context.environment_key
    return _asked_key(target, context)


def _asked_key(target: Target, context: CommandContext) -> str:
    """For this run only. Raises `ConnectionNotUsable` where nobody can be asked or answers."""
    key = ""
    if context.terminal.can_ask:
        key = context.terminal.ask_secret(f"API key of {target.label} (for this run only): ")
    if not key:
        store = f", or store it: lakedrop connect add {target.label} URL" if target.name else ""
        raise ConnectionNotUsable(
            f"There is no API key for {target.label}. Set LAKEDROP_API_KEY{store}."
        )
    return key


def _engine_has_key(target: Target, session: EngineSession) -> bool:
    """True as well for a name the engine does not know: its own answer tells that better."""
    if not target.name:
        return False
    for connection in session.request("connections")["connections"]:
        if connection["name"] == target.name:
            return bool(connection["has_key"])
    return True

"""What screens may ask about connections: list, save, remove, try.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from app.domain.connections import (
    LOCAL,
    LOCAL_LAKE,
    Connection,
    checked_base_url,
    checked_name,
)
from app.domain.errors import ConnectionNotUsable, WrongUse
from app.domain.ports import ConnectionStore, LakeGateway, Secrets
from app.engine.keys import Keys

Args = Mapping[str, Any]
OpenGateway = Callable[[Connection, str | None], LakeGateway]


def connection_of(store: ConnectionStore, args: Args) -> Connection:
    """The connection that a message names; raises `ConnectionNotUsable` when there is none."""
    wire = args["connection"]
    name = str(wire.get("name") or "")
    if name == LOCAL:
        connection = LOCAL_LAKE
    elif name:
        found = store.find(name)
        if found is None:
            raise ConnectionNotUsable(
                f'There is no connection "{name}". See them with: lakedrop connect list'
            )
        connection = found
    else:
        plain_http = bool(wire.get("allow_plain_http"))
        url = checked_base_url(str(wire["base_url"]), allow_plain_http=plain_http)
        connection = Connection("", url, plain_http)
    return connection


class ConnectionCommands:
    def __init__(
        self, open_gateway: OpenGateway, store: ConnectionStore, secrets: Secrets, keys: Keys
    ) -> None:
        self._open_gateway = open_gateway
        self._store = store
        self._secrets = secrets
        self._keys = keys

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        return {
            "connections": self._connections,
            "save_connection": self._save_connection,
            "remove_connection": self._remove_connection,
            "check_connection": self._check_connection,
        }

    def _connections(self, _: Args) -> Mapping[str, Any]:
        return {
            "connections": [
                {
                    "name": connection.name,
                    "base_url": connection.base_url,
                    "allow_plain_http": connection.allow_plain_http,
                    "has_key": self._has_key(connection),
                }
                for connection in self._store.all()
            ]
        }

    def _has_key(self, connection: Connection) -> bool:
        try:
            return bool(self._secrets.get(connection.name))
        except ConnectionNotUsable:  # no keyring here, so no key in it
            return False

    def _save_connection(self, args: Args) -> Mapping[str, Any]:
        name = checked_name(str(args["name"]))
        plain_http = bool(args["allow_plain_http"])
        url = checked_base_url(str(args["base_url"]), allow_plain_http=plain_http)
        before = self._store.find(name)
        if before and not args["replace"]:
            raise WrongUse(f'There is a connection "{name}" already. Add --replace to change it.')
        if args["key"]:
            self._secrets.set(name, str(args["key"]))
        elif before:
            # No key was wanted; and an old one belongs to the old address alone.
            with suppress(ConnectionNotUsable):  # without a keyring there is none in it
                self._secrets.delete(name)
        self._store.save(Connection(name, url, plain_http))
        return {}

    def _remove_connection(self, args: Args) -> Mapping[str, Any]:
        connection = self._store.find(str(args["name"]))
        if connection is None:
            return {"removed": False}
        with suppress(ConnectionNotUsable):  # without a keyring there is no key to take out
            self._secrets.delete(connection.name)
        return {"removed": self._store.remove(connection.name)}

    def _check_connection(self, args: Args) -> Mapping[str, Any]:
        connection = connection_of(self._store, args)
        gateway = self._gateway(args)
        gateway.check()
        capabilities = gateway.capabilities()
        return {
            "label": connection.label,
            "plain_server": capabilities is None,
            "version": capabilities.version if capabilities else "",
            "extensions": sorted(capabilities.extensions) if capabilities else [],
        }

    def _gateway(self, args: Args) -> LakeGateway:
        connection = connection_of(self._store, args)
        return self._open_gateway(connection, self._keys.of(connection, args.get("key")))

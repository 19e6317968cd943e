"""What screens may ask about connections: list, save, remove, try.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from app.domain import sentences
from app.domain.connections import (
    LOCAL,
    LOCAL_LAKE,
    Connection,
    checked_base_url,
    checked_name,
    is_same_server,
    origin,
)
from app.domain.errors import ConnectionNotUsable, WrongUse
from app.domain.ports import ConnectionStore, LakeGateway, Secrets
from app.engine.keys import Keys
from app.engine.stored_keys import StoredKeys

log = logging.getLogger(__name__)

Args = Mapping[str, Any]
OpenGateway = Callable[[Connection, str | None], LakeGateway]
Follow = Callable[[Connection, Connection], int]
"""Told of a connection before and after it was edited; returns how many jobs cannot follow."""


def connection_of(store: ConnectionStore, args: Args) -> Connection:
    """The connection that a message names; raises `ConnectionNotUsable` when there is none."""
    wire = args["connection"]
    name = str(wire.get("name") or "")
    if name == LOCAL:
        connection = LOCAL_LAKE
    elif name:
        found = store.find(name)
        if found is None:
            raise ConnectionNotUsable(sentences.NO_SUCH_CONNECTION(name=name))
        connection = found
    else:
        plain_http = bool(wire.get("allow_plain_http"))
        url = checked_base_url(str(wire["base_url"]), allow_plain_http=plain_http)
        connection = Connection("", url, plain_http, **_trust(wire))
    return connection


class ConnectionCommands:
    """Saving and removing are wholly done or wholly not: each step has its way back."""

    def __init__(
        self,
        open_gateway: OpenGateway,
        store: ConnectionStore,
        secrets: Secrets,
        keys: Keys,
        follow: Follow = lambda _before, _after: 0,
    ) -> None:
        self._open_gateway = open_gateway
        self._store = store
        self._secrets = secrets
        self._keys = keys
        self._follow = follow
        self._stored_keys = StoredKeys(secrets)
        self._changing = threading.Lock()  # one change at a time: screens ask on many threads

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        return {
            "connections": self._connections,
            "save_connection": self._save_connection,
            "remove_connection": self._remove_connection,
            "check_connection": self._check_connection,
        }

    def _connections(self, args: Args) -> Mapping[str, Any]:
        """Answers within seconds; with `patient` waits for a keyring that waits for its user."""
        connections = self._store.all()
        in_session = {each.name for each in connections if self._keys.of_session(each)}
        asked = [each.name for each in connections if each.name not in in_session]
        in_keyring = self._stored_keys.of(asked, patient=bool(args.get("patient")))
        return {
            "keyring": self._secrets.available(),
            "connections": [
                {
                    "name": each.name,
                    "base_url": each.base_url,
                    "allow_plain_http": each.allow_plain_http,
                    **_trust_kept(each),
                    "has_key": each.name in in_session or each.name in in_keyring,
                    "key": (
                        "session"
                        if each.name in in_session
                        else "keyring"
                        if each.name in in_keyring
                        else "none"
                    ),
                }
                for each in connections
            ],
        }

    def _save_connection(self, args: Args) -> Mapping[str, Any]:
        """`keep_key` leaves the key where it is, whatever `session_only` says, unless `key_place`
        moves it. Without `keep_key` and without a key, the connection has none afterwards."""
        name = checked_name(str(args["name"]))
        plain_http = bool(args["allow_plain_http"])
        url = checked_base_url(str(args["base_url"]), allow_plain_http=plain_http)
        key = str(args["key"]) if args.get("key") else None
        keep_key, place = bool(args.get("keep_key")), args.get("key_place")
        with self._changing:
            before = self._replaced(name, args.get("was"), replace=bool(args.get("replace")))
            trust = _trust_after(args, before, url)
            connection = Connection(name, url, plain_http, **trust)
            session_key = key if key and args.get("session_only") else None
            leaves_keyring = False
            if keep_key:
                kept_from = _may_keep(before, connection, key)
                session_key = self._keys.of_session(kept_from)
                if session_key is not None and place == "keyring":
                    key, session_key = session_key, None
                elif session_key is None and place == "session":
                    session_key = self._read(kept_from.name)
                    leaves_keyring = session_key is not None
                elif session_key is None and kept_from.name != name:
                    key = self._read(kept_from.name)
            to_store = None if session_key else key
            with ExitStack() as undo:
                if to_store:
                    self._put(name, to_store, undo)
                elif not keep_key or leaves_keyring or (before and before.name != name):
                    self._clear(connection, before, undo, surely=leaves_keyring)
                self._write_down(connection, before, undo)
                if before and before.name != name:
                    self._leave_old_name(before.name, name, to_store, undo, surely=leaves_keyring)
                undo.pop_all()  # all is done: there is no way back any more
            if not keep_key or session_key or to_store:
                self._keys.forget_session(before.name if before else name)
            if session_key:
                self._keys.keep_for_session(connection, session_key)
            stay = self._follow(before, connection) if before else 0
        return {"jobs_that_stay": stay}

    def _replaced(self, name: str, was: object, *, replace: bool) -> Connection | None:
        """The connection that this one takes the place of."""
        if was is None:
            before = self._store.find(name)
            if before and not replace:
                raise WrongUse(
                    f'There is a connection "{name}" already. Choose another name, or change that '
                    "one (on the command line: --replace)."
                )
            return before
        before = self._store.find(str(was))
        if before is None:
            raise ConnectionNotUsable(f'There is no connection "{was}" any more. Add it anew.')
        if name != before.name and self._store.find(name):
            raise WrongUse(sentences.NAME_IS_TAKEN(name=name))
        return before

    def _write_down(
        self, connection: Connection, before: Connection | None, undo: ExitStack
    ) -> None:
        if before:
            self._store.save(connection, was=before.name)
            undo.callback(self._store.save, before, was=connection.name)
        else:
            self._store.save(connection)
            undo.callback(self._store.remove, connection.name)

    # -- the keyring, each step with its way back --------------------------------------------

    def _put(self, name: str, key: str, undo: ExitStack) -> None:
        undo.callback(self._put_back, name, self._read(name))
        self._secrets.set(name, key)
        self._stored_keys.note(name, has_key=True)

    def _clear(
        self, connection: Connection, before: Connection | None, undo: ExitStack, *, surely: bool
    ) -> None:
        """No key may stand under the name, not even one that somebody left behind."""
        name = connection.name
        is_moving = (
            before is not None
            and before.name == name
            and origin(before.base_url) != origin(connection.base_url)
        )
        try:
            old = self._read(name)
            if old is not None:
                undo.callback(self._put_back, name, old)
                self._secrets.delete(name)
        except ConnectionNotUsable:
            if is_moving or surely:  # else the old server's key would go to the new one
                raise
            log.warning("the keyring failed; an old key of a connection may be left in it")
        else:
            self._stored_keys.note(name, has_key=False)

    def _leave_old_name(
        self, old: str, new: str, key: str | None, undo: ExitStack, *, surely: bool
    ) -> None:
        if not self._secrets.available():
            return
        try:
            kept = self._read(old)
            undo.callback(self._put_back, old, kept)
            self._secrets.delete(old)
            if key and old.casefold() == new.casefold() and self._read(new) is None:
                self._secrets.set(new, key)  # a keyring that takes both for one name
        except ConnectionNotUsable:
            if key or surely:
                raise
            log.warning("the keyring failed; an old key of a connection may be left in it")
        else:
            self._stored_keys.note(old, has_key=False)

    def _read(self, name: str) -> str | None:
        return self._secrets.get(name) if self._secrets.available() else None

    def _put_back(self, name: str, key: str | None) -> None:
        """Part of a failure that is being told already."""
        if not self._secrets.available():
            return
        try:
            if key is None:
                self._secrets.delete(name)
            elif self._secrets.get(name) != key:
                self._secrets.set(name, key)
        except ConnectionNotUsable:
            log.warning("the keyring failed again while the old state was put back")
        else:
            self._stored_keys.note(name, has_key=key is not None)

    def _remove_connection(self, args: Args) -> Mapping[str, Any]:
        with self._changing:
            connection = self._store.find(str(args["name"]))
            if connection is None:
                return {"removed": False}
            with ExitStack() as undo:
                if self._secrets.available():  # without a keyring there is no key to take out
                    old = self._read(connection.name)
                    undo.callback(self._put_back, connection.name, old)
                    self._secrets.delete(connection.name)
                removed = self._store.remove(connection.name)
                undo.pop_all()
            self._stored_keys.note(connection.name, has_key=False)
            self._keys.forget_session(connection.name)
        return {"removed": removed}

    def _check_connection(self, args: Args) -> Mapping[str, Any]:
        """`key_of` names a stored connection whose key is to be used, if it is the same server."""
        connection = connection_of(self._store, args)
        owner = self._store.find(str(args["key_of"])) if args.get("key_of") else None
        if owner is not None and is_same_server(owner.base_url, connection.base_url):
            connection = replace(connection, **_trust_kept(owner))
        gateway = self._open_gateway(connection, self._key_to_check(connection, args))
        gateway.check()
        capabilities = gateway.capabilities()
        return {
            "label": connection.label,
            "plain_server": capabilities is None,
            "version": capabilities.version if capabilities else "",
            "extensions": sorted(capabilities.extensions) if capabilities else [],
        }

    def _key_to_check(self, connection: Connection, args: Args) -> str | None:
        given = args.get("key")
        owner = self._store.find(str(args["key_of"])) if args.get("key_of") else None
        if given or owner is None or origin(owner.base_url) != origin(connection.base_url):
            return self._keys.of(connection, given)
        return self._keys.of(owner, None)


_FILES = ("ca_file", "client_certificate", "client_key")
_UNVERIFIED = "unverified"


def _trust(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `ConnectionNotUsable` for a key without its certificate."""
    files = {name: str(wire.get(name) or "") for name in _FILES}
    if files["client_key"] and not files["client_certificate"]:
        raise ConnectionNotUsable("A client key goes with a client certificate. Name both files.")
    return {**files, _UNVERIFIED: bool(wire.get(_UNVERIFIED))}


def _trust_kept(connection: Connection) -> dict[str, Any]:
    """Of a connection that a screen edits that knows nothing of it."""
    return {name: getattr(connection, name) for name in (*_FILES, _UNVERIFIED)}


def _trust_after(args: Args, before: Connection | None, url: str) -> dict[str, Any]:
    """What is not told stays, but never goes to another server."""
    if _UNVERIFIED in args or before is None or not is_same_server(before.base_url, url):
        return _trust(args)
    return _trust_kept(before)


def _may_keep(before: Connection | None, connection: Connection, key: str | None) -> Connection:
    """The connection whose key stays; raises `WrongUse` where a key would move to a stranger."""
    if before is None:
        raise WrongUse("There is no connection yet whose key could be kept. Type the key.")
    if key:
        raise WrongUse("Either keep the key or give another one.")
    if origin(before.base_url) != origin(connection.base_url):
        raise WrongUse(
            f"The key stays with its own server, {before.base_url}. Type the key again for "
            f"{connection.base_url}."
        )
    return before

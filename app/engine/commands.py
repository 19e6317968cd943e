"""What screens may ask of the engine: each command from its message to its answer.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from app.domain.connections import (
    LOCAL,
    LOCAL_LAKE,
    Connection,
    checked_base_url,
    checked_name,
)
from app.domain.errors import ConnectionNotUsable, WrongUse
from app.domain.ports import ConnectionStore, Journal, LakeGateway, Secrets
from app.domain.queue_item import ItemState
from app.domain.upload_job import Consents, Source, UploadJob
from app.engine.newest_first import newest_sync_jobs, newest_uploads
from app.engine.transfer_engine import TransferEngine
from app.link.protocol import item_to_wire
from embedded_server.contract import VERSION, SyncType

_MOST_ROWS = 10_000

Args = Mapping[str, Any]


class LocalLake(Protocol):
    """Where the local lake lies, for telling it to a person."""

    @property
    def lake_folder(self) -> Path: ...

    @property
    def files_folder(self) -> Path: ...


class Keys:
    """The key for a use: the one that came with the command, else the keyring's.

    A job keeps the one it was given, in memory only, as long as the engine lives.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._of_jobs: dict[int, str] = {}

    def give(self, job_id: int, key: str | None) -> None:
        if key:
            with self._lock:
                self._of_jobs[job_id] = key

    def of_job(self, job: UploadJob) -> str | None:
        with self._lock:
            given = self._of_jobs.get(job.job_id)
        return self.of(job.connection, given)

    def of(self, connection: Connection, given: str | None) -> str | None:
        """Raises `ConnectionNotUsable` where none was given and there is no keyring."""
        if given or connection.is_local or not connection.name:
            return given
        return self._secrets.get(connection.name)


class EngineCommands:
    def __init__(
        self,
        engine: TransferEngine,
        journal: Journal,
        store: ConnectionStore,
        secrets: Secrets,
        keys: Keys,
        local_lake: LocalLake,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._store = store
        self._secrets = secrets
        self._keys = keys
        self._local_lake = local_lake

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        """Every command but `watch` and `stop`, which belong to the socket itself."""
        return {
            "hello": self._hello,
            "add_job": self._add_job,
            "wait_intake": lambda args: self._engine.wait_intake(_job_id(args)).to_wire(),
            "impact": lambda args: asdict(self._engine.impact(_job_id(args))),
            "start_job": self._start_job,
            "cancel_job": self._cancel_job,
            "retry_job": self._retry_job,
            "items": self._items,
            "left_out": self._left_out,
            "provide_key": self._provide_key,
            "sync_jobs": self._sync_jobs,
            "history": self._history,
            "connections": self._connections,
            "save_connection": self._save_connection,
            "remove_connection": self._remove_connection,
            "check_connection": self._check_connection,
            "lake": self._lake,
        }

    # -- jobs --------------------------------------------------------------------------------

    def _hello(self, _: Args) -> Mapping[str, Any]:
        return {"version": VERSION, "pid": os.getpid()}

    def _add_job(self, args: Args) -> Mapping[str, Any]:
        connection = self._connection(args)
        sources = tuple(Source(str(path), bool(only)) for path, only in args["sources"])
        job_id = self._engine.add_job(
            connection, str(args["destination"]), SyncType(args["mode"]), str(args["name"]), sources
        )
        self._keys.give(job_id, args.get("key"))
        return {"job_id": job_id}

    def _start_job(self, args: Args) -> Mapping[str, Any]:
        self._engine.start_job(_job_id(args), Consents(**args.get("consents", {})))
        return {}

    def _cancel_job(self, args: Args) -> Mapping[str, Any]:
        self._engine.cancel_job(_job_id(args))
        return {}

    def _retry_job(self, args: Args) -> Mapping[str, Any]:
        self._engine.retry_job(_job_id(args))
        return {}

    def _items(self, args: Args) -> Mapping[str, Any]:
        states = args["states"]
        items = self._journal.items(
            _job_id(args),
            frozenset(ItemState(state) for state in states) if states is not None else None,
            int(args["after"]),
            min(int(args["limit"]), _MOST_ROWS),
        )
        return {"items": [item_to_wire(item) for item in items]}

    def _left_out(self, args: Args) -> Mapping[str, Any]:
        entries = self._journal.left_out(_job_id(args), min(int(args["limit"]), _MOST_ROWS))
        return {"left_out": [[entry.source, entry.reason] for entry in entries]}

    def _provide_key(self, args: Args) -> Mapping[str, Any]:
        self._keys.give(_job_id(args), args.get("key"))
        self._engine.key_arrived(_job_id(args))
        return {}

    # -- reading back ------------------------------------------------------------------------

    def _sync_jobs(self, args: Args) -> Mapping[str, Any]:
        jobs = newest_sync_jobs(self._reading_gateway(args), int(args["newest"]))
        return {"jobs": [job.to_wire() for job in jobs]}

    def _history(self, args: Args) -> Mapping[str, Any]:
        uploads = newest_uploads(self._reading_gateway(args), int(args["newest"]), args["sync_id"])
        return {"uploads": [upload.to_wire() for upload in uploads]}

    def _lake(self, _: Args) -> Mapping[str, Any]:
        self._engine.gateway(LOCAL_LAKE, None)
        lake = self._local_lake
        return {"lake": str(lake.lake_folder), "files": str(lake.files_folder)}

    # -- connections -------------------------------------------------------------------------

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
        connection = self._connection(args)
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
        connection = self._connection(args)
        return self._engine.gateway(connection, self._keys.of(connection, args.get("key")))

    def _reading_gateway(self, args: Args) -> LakeGateway:
        """The contract names no key on the list and history calls: what cannot be had is not."""
        connection, key = self._connection(args), args.get("key")
        with suppress(ConnectionNotUsable):
            key = self._keys.of(connection, key)
        return self._engine.gateway(connection, key)

    def _connection(self, args: Args) -> Connection:
        """The connection that a message names."""
        wire = args["connection"]
        name = str(wire.get("name") or "")
        if name == LOCAL:
            connection = LOCAL_LAKE
        elif name:
            found = self._store.find(name)
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


def _job_id(args: Args) -> int:
    return int(args["job_id"])

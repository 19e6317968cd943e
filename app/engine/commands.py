"""What screens may ask of the engine: each command from its message to its answer.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from app.domain.ports import ConnectionStore, Journal, Secrets
from app.domain.queue_item import ItemState
from app.domain.upload_job import Consents, Source
from app.engine.connection_commands import ConnectionCommands, connection_of
from app.engine.keys import Keys
from app.engine.reading_commands import LocalLake, ReadingCommands
from app.engine.transfer_engine import TransferEngine
from app.link.protocol import item_to_wire
from embedded_server.contract import VERSION, SyncType

_MOST_ROWS = 10_000

Args = Mapping[str, Any]


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
        self._keys = keys
        self._reading = ReadingCommands(engine.gateway, store, keys, local_lake)
        self._connections = ConnectionCommands(engine.gateway, store, secrets, keys)

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
            **self._reading.table(),
            **self._connections.table(),
        }

    def _hello(self, _: Args) -> Mapping[str, Any]:
        return {"version": VERSION, "pid": os.getpid()}

    def _add_job(self, args: Args) -> Mapping[str, Any]:
        connection = connection_of(self._store, args)
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


def _job_id(args: Args) -> int:
    return int(args["job_id"])

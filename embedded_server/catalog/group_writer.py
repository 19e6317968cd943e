"""The one thread and the one connection that write to the catalog, many calls to a commit.

Calls that wait while a commit runs share the next one: with eight uploaders one fsync of the
write-ahead log serves eight rows. A group in which nobody asked for durability commits without an
fsync. Exactly one connection writes and checkpoints because SQLite before 3.51.3 can lose pages
when two do (its "WAL-reset" bug).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection

from embedded_server.domain.errors import LakeFault
from embedded_server.domain.measures import Measures

_Result = TypeVar("_Result")
_MAX_GROUP = 256

_log = logging.getLogger(__name__)


class _Call:
    __slots__ = ("durable", "future", "work")

    def __init__(self, work: Callable[[Connection], Any], durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.future: Future[Any] = Future()


class GroupWriter:
    def __init__(self, connection: Connection, measures: Measures) -> None:
        """Takes the connection over: no other thread may use it until `close`."""
        self._measures = measures
        self._connection = connection
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="catalog-writer", daemon=True)
        self._is_durable = True  # as the connection was opened
        self._thread.start()

    def run(self, work: Callable[[Connection], _Result], *, durable: bool = True) -> _Result:
        """Runs `work` inside a transaction; returns or raises once that is committed or undone.

        Raises `LakeFault` at once after `close`.
        """
        call = _Call(work, durable)
        with self._closing:  # a call behind the last one would wait for ever
            if self._is_closed:
                raise LakeFault("the lake is closed: nothing was written")
            self._calls.put(call)
        result: _Result = call.future.result()
        return result

    def close(self) -> None:
        """Everything asked before is written."""
        with self._closing:
            self._is_closed = True
            self._calls.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            group, goes_on = self._next_group()
            if group:
                self._commit(group)
            if not goes_on:
                return

    def _next_group(self) -> tuple[list[_Call], bool]:
        call = self._calls.get()
        group: list[_Call] = []
        while call is not None:
            group.append(call)
            if len(group) == _MAX_GROUP:
                return group, True
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[_Call]) -> None:
        try:
            self._make_durable(any(call.durable for call in group))
            results = [call.work(self._connection) for call in group]
            began_s = perf_counter()
            self._connection.commit()
            self._measures.commit_s.observe(perf_counter() - began_s)
        except Exception as cause:  # noqa: BLE001  # every caller is told, nothing is swallowed
            self._undo()
            if len(group) == 1:
                group[0].future.set_exception(cause)
                return
            # One bad call must not fail its neighbours: each by itself.
            _log.debug("a group of %d was undone and is done one by one: %s", len(group), cause)
            for call in group:
                self._commit([call])
            return
        for call, result in zip(group, results, strict=True):
            call.future.set_result(result)

    def _undo(self) -> None:
        try:
            self._connection.rollback()
        except Exception as cause:  # noqa: BLE001  # callers are told the first failure, and wait
            _log.error("a transaction could not be undone: %s", cause)

    def _make_durable(self, durable: bool) -> None:
        if durable != self._is_durable:
            # Not through SQLAlchemy: this setting is ignored inside a transaction.
            raw = self._connection.connection.driver_connection
            assert raw is not None
            raw.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable

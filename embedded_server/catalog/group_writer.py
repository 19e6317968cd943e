"""The one thread and the one connection that write to the catalog, many calls to a commit.

Calls that wait while a commit runs share the next one: with eight uploaders one fsync of the
write-ahead log serves eight rows. A group in which nobody asked for durability commits without an
fsync. Exactly one connection writes and checkpoints because SQLite before 3.51.3 can lose pages
when two do (its "WAL-reset" bug).
"""

from __future__ import annotations

import asyncio
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
from embedded_server.domain.undisturbed import undisturbed

_Result = TypeVar("_Result")
_MAX_GROUP = 256

_log = logging.getLogger(__name__)


# Of a call: whether its commit is to be durable, or what tells that right before it is done.
Durable = bool | Callable[[], bool]


class _Call:
    __slots__ = ("durable", "future", "work")

    def __init__(self, work: Callable[[Connection], Any], durable: Durable) -> None:
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

    def run(self, work: Callable[[Connection], _Result], *, durable: Durable = True) -> _Result:
        """Runs `work` inside a transaction; returns or raises once that is committed or undone.

        Raises `LakeFault` at once after `close`.
        """
        result: _Result = self._asked(work, durable).result()
        return result

    async def run_soon(
        self, work: Callable[[Connection], _Result], *, durable: Durable = True
    ) -> _Result:
        """As `run`, for an event loop; cancelled or not, it waits for the end of it."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        outcome = self._asked(work, durable)
        outcome.add_done_callback(lambda _: loop.call_soon_threadsafe(over.set_result, None))
        await undisturbed(over)
        result: _Result = outcome.result()
        return result

    def _asked(self, work: Callable[[Connection], Any], durable: Durable) -> Future[Any]:
        call = _Call(work, durable)
        with self._closing:  # a call behind the last one would wait for ever
            if self._is_closed:
                raise LakeFault("the lake is closed: nothing was written")
            self._calls.put(call)
        return call.future

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
            self._make_durable(any(map(_is_durable, group)))
            results = [call.work(self._connection) for call in group]
            began_s = perf_counter()
            self._commit_all()
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

    def _commit_all(self) -> None:
        """Also what was written on the driver's connection, which SQLAlchemy knows nothing of."""
        if self._connection.in_transaction():
            self._connection.commit()
        else:
            self._raw().commit()

    def _raw(self) -> Any:
        raw = self._connection.connection.driver_connection
        assert raw is not None
        return raw

    def _undo(self) -> None:
        try:
            self._connection.rollback()
            self._raw().rollback()
        except Exception as cause:  # noqa: BLE001  # callers are told the first failure, and wait
            _log.error("a transaction could not be undone: %s", cause)

    def _make_durable(self, durable: bool) -> None:
        if durable != self._is_durable:
            # Not through SQLAlchemy: this setting is ignored inside a transaction.
            self._raw().execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable


def _is_durable(call: _Call) -> bool:
    return call.durable if isinstance(call.durable, bool) else call.durable()

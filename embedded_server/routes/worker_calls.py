"""Runs calls that wait for the disk on threads that the lake, when it closes, waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from embedded_server.domain.errors import ServerStopping

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


async def in_worker(
    workers: Executor,
    work: Callable[_Given, _Result],
    *args: _Given.args,
    **named: _Given.kwargs,
) -> _Result:
    """Returns or raises what `work` does. Raises `ServerStopping` when the wait for it is cut off.

    A call that has begun goes on all the same: threads cannot be cut off, so the lake must not be
    closed under them.
    """
    loop = asyncio.get_running_loop()
    try:
        context = copy_context()  # what it writes into the log bears the request's id
        return await loop.run_in_executor(workers, lambda: context.run(work, *args, **named))
    except asyncio.CancelledError as cause:
        # Nothing but the end of the server cancels a request: its client is told, if it still can.
        raise ServerStopping from cause

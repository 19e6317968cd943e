"""Waits of an event loop for work that goes on whatever becomes of whoever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_NAME = "undisturbed"


async def undisturbed(future: asyncio.Future[_Result]) -> _Result:
    """Its outcome, however often this is cancelled meanwhile.

    For what holds locks or counts on an answer being read: the end of a server cancels whatever
    still waits, and then runs its loop until all of it is over.
    """
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(future)
    return future.result()


def begin_undisturbed(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """`work` waits for nothing but `undisturbed`; whoever runs the loop calls `all_undisturbed`
    before it ends: a task that is cancelled before its first step would never take one."""
    return asyncio.create_task(work, name=_NAME)


async def all_undisturbed() -> None:
    """Until all that has begun is over, and what that begins."""
    while begun := [task for task in asyncio.all_tasks() if task.get_name() == _NAME]:
        await asyncio.wait(begun)

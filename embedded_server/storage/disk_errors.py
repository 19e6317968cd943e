"""Translates what the disk says into what the sender of a file can do about it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from embedded_server.domain.errors import InvalidParam, LakeError, LakeFault, LakeFull, PathConflict

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What was a folder a moment ago is a link or a file now (`inside`).
_NO_FOLDER_ANY_MORE = frozenset({errno.ENOTDIR, errno.ELOOP})
_NAME_NOT_POSSIBLE = frozenset({errno.ENAMETOOLONG, errno.EILSEQ})

_log = logging.getLogger(__name__)


def as_lake_error(cause: OSError) -> LakeError:
    if cause.errno in _FULL:
        return LakeFull()
    if cause.errno in _NAME_NOT_POSSIBLE:
        return InvalidParam("the lake's file system cannot hold this name or path: shorten it")
    if cause.errno in _NO_FOLDER_ANY_MORE:
        return PathConflict("a link or a file stands where a folder of the lake was a moment ago")
    _log.error("the lake's disk failed: %s", cause)
    return LakeFault(
        f"the lake's disk failed ({cause.strerror or type(cause).__name__}): nothing is promised"
        " about this file; look at the server's log, then send it again"
    )


@contextmanager
def translated() -> Iterator[None]:
    """Raises `LakeFull`, `InvalidParam` or `LakeFault` for an `OSError` inside."""
    try:
        yield
    except OSError as cause:
        raise as_lake_error(cause) from cause

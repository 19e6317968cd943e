"""The two system calls that Python does not offer, where the system has them (Linux today)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_SYNC_FILE_RANGE_WRITE = 2
# Old kernels and file systems (and every pass-through that drops the flags) answer one of these.
_NOT_SUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def _from_c_library(name: str, *argument_types: type) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):  # an older C library
        return None
    function.argtypes = argument_types
    function.restype = ctypes.c_int
    return function  # type: ignore[no-any-return]  # ctypes gives Any


_renameat2 = _from_c_library(
    "renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
)
_sync_file_range = _from_c_library(
    "sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint
)


def exchange(one: str, other: str) -> bool:
    """Swaps two entries in one step; False where the system cannot. Raises `OSError`."""
    if _renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), one, None, other)


def start_write_back(descriptor: int, offset_bytes: int, size_bytes: int) -> None:
    """Asks the kernel to begin writing, without waiting. A hint: a failure means nothing."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, offset_bytes, size_bytes, _SYNC_FILE_RANGE_WRITE)

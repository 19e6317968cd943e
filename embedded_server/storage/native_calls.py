"""The few calls into the system that Python does not offer, where they are (Linux today)."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Callable

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_SYNC_FILE_RANGE_WRITE = 2
# glibc's malloc.h. By themselves, blocks of 128 KiB and more are fresh pages from the kernel each
# time and go back when they are freed: that cost more than copying what is in them.
_M_TRIM_THRESHOLD, _KEPT_FREE_BYTES = -1, 16 << 20
_M_MMAP_THRESHOLD, _FROM_KERNEL_BYTES = -3, 4 << 20
_PR_SET_PDEATHSIG = 1
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
_mallopt = _from_c_library("mallopt", ctypes.c_int, ctypes.c_int)
_prctl = _from_c_library("prctl", ctypes.c_int, ctypes.c_ulong)


def end_with_parent() -> None:
    """From now on the system kills this process when the one that made it dies."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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


def keep_freed_memory() -> None:
    """Lets the process use the memory of pieces that are on their way through it again and again.

    Each of malloc's arenas keeps up to 16 MiB; those of threads that free nothing keep nothing.
    """
    if _mallopt is not None:  # musl has none
        _mallopt(_M_MMAP_THRESHOLD, _FROM_KERNEL_BYTES)
        _mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE_BYTES)

"""Imported before all else of the window that knows Qt.

PySide6 puts its own function in place of `import`, which reads the *source* of every module that is
imported from then on, to see whether it uses `from __feature__ import …`. Nobody here does, and
some forty sources, the standard library's among them, take 6 ms of a start of 180.
"""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401


def restore_the_import() -> None:
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)

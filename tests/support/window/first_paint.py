"""The window's start up to its first paint, as `python -m app` does it: `python -m … FOLDER`.

Says as JSON, in one line, which modules were imported and what of Qt was made when the first
paint was over, which sources were read, and whether garbage is collected again afterwards. There
is no engine: the window only asks for it.
"""

from __future__ import annotations

import gc
import json
import linecache
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

_imported: list[str] = []
_made: list[str] = []


def _on_call(frame: FrameType, event: str, _: object) -> None:
    """The engine is looked for as soon as there was a paint."""
    if event == "call" and frame.f_code.co_qualname == "EngineLink.open":
        _imported.extend(sys.modules)
        for name in ("QtCore", "QtWidgets"):
            _made.extend(vars(sys.modules[f"PySide6.{name}"]))
        sys.setprofile(None)


def main() -> int:
    before = set(sys.modules)
    import app.__main__  # noqa: F401  what `python -m app` is
    from app.composition import resources_folder
    from app.ui.choices import window_choices

    gc.disable()  # as `app.__main__` does, and the next as `run_window`
    from app.ui.qt_imports import restore_the_import

    restore_the_import()
    from app.ui.application import run

    sys.setprofile(_on_call)
    run(_attach, resources_folder(), Path(sys.argv[1]) / "window.log", window_choices([]))
    told = {
        "modules": [name for name in _imported if name not in before],
        "made_of_qt": _made,
        "sources_read": sorted(linecache.cache),
        "collects": gc.isenabled(),
        "is_frozen": gc.get_freeze_count() > 0,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def _attach() -> NoReturn:
    """Ends the window by the time that its event loop has done what the first paint left over."""
    from PySide6.QtCore import QCoreApplication, QTimer

    from app.domain.errors import LakeDropError

    application = QCoreApplication.instance()
    assert application is not None
    QTimer.singleShot(0, application, lambda: QTimer.singleShot(0, application.quit))
    raise LakeDropError("there is no engine here")


if __name__ == "__main__":
    sys.exit(main())

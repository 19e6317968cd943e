"""The window as a person starts it, with a probe inside: `python -m … [MODULE:FUNCTION]`.

The function takes a list of arguments and returns the exit code, as `run_window` does. Nothing of
the program is replaced: the probe only answers questions from a pipe.
"""

from __future__ import annotations

import faulthandler
import importlib
import sys

from tests.support.window.answering import Answering
from tests.support.window.probe import Probe

PRODUCT = "app.composition:run_window"


def main() -> int:
    faulthandler.enable()
    module, _, function = (sys.argv[1] if len(sys.argv) > 1 else PRODUCT).partition(":")
    probe = Probe()
    probe.warnings.listen()
    answering = Answering(probe.answers())
    code = getattr(importlib.import_module(module), function)([])
    del answering
    assert isinstance(code, int)
    return code


if __name__ == "__main__":
    sys.exit(main())

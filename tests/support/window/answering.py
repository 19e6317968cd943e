"""Answers JSON lines from a pipe in the GUI's thread of a Qt program under test."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt, Signal

_THE_TEST_IS_GONE = 70


class Answering(QObject):
    """Takes standard input and output for itself; the program's own prints go to standard error.

    A question is `{"ask": name, …}`, its answer `{"answer": …}` or `{"error": words}`. May be made
    before the program's QApplication: questions wait until its event loop runs.
    """

    _arrived = Signal(str)

    def __init__(self, answers: Mapping[str, Callable[..., object]]) -> None:
        super().__init__()
        self._answers = answers
        self._questions = os.fdopen(os.dup(0), encoding="utf-8")
        self._said = os.fdopen(os.dup(1), "w", encoding="utf-8")
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        self._arrived.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        threading.Thread(target=self._read, name="questions", daemon=True).start()

    def _read(self) -> None:
        for line in self._questions:
            self._arrived.emit(line)
        os._exit(_THE_TEST_IS_GONE)

    def _answer(self, line: str) -> None:
        question = json.loads(line)
        try:
            answer = {"answer": self._answers[question.pop("ask")](**question)}
        except (LookupError, TypeError, AttributeError, RuntimeError) as error:
            answer = {"error": repr(error)}
        self._said.write(json.dumps(answer) + "\n")
        self._said.flush()

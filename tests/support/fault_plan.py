"""What a test makes go wrong in a fake lake: errors before or after the work, and held calls."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass

from app.domain.errors import LakeDropError

_LONGEST_HOLD_S = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in. `files` are (folder, name) pairs; `path`: of start or usage."""

    name: str
    sync_id: int | None = None
    files: tuple[tuple[str, str], ...] = ()
    path: str = ""


class Gate:
    """Holds a call: `reached` is set when one waits at it, `release` lets all through for good."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def wait_until_reached(self) -> None:
        assert self.reached.wait(_LONGEST_HOLD_S), "no call came to the gate"

    def release(self) -> None:
        self._open.set()

    def pass_through(self) -> None:
        self.reached.set()
        assert self._open.wait(_LONGEST_HOLD_S), "the test never released the gate"


@dataclass(slots=True)
class _Fault:
    call: str
    error: LakeDropError
    times: int
    file_name: str | None
    after: bool


class FaultPlan:
    """Remembers every call, holds it, or makes it fail, as it was told. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._faults: list[_Fault] = []
        self._gates: dict[str, Gate] = {}

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def fail(
        self, call: str, error: LakeDropError, times: int, file_name: str | None, *, after: bool
    ) -> None:
        with self._lock:
            self._faults.append(_Fault(call, error, times, file_name, after))

    def hold(self, call: str) -> Gate:
        gate = Gate()
        with self._lock:
            self._gates[call] = gate
        return gate

    def begin(self, call: Call, file_name: str | None = None) -> None:
        with self._lock:
            self._calls.append(call)
            gate = self._gates.get(call.name)
        if gate is not None:
            gate.pass_through()
        self.raise_fault(call.name, file_name, after=False)

    def finish(self, call: str, file_name: str | None = None) -> None:
        self.raise_fault(call, file_name, after=True)

    def raise_fault(self, call: str, file_name: str | None, *, after: bool) -> None:
        with self._lock:
            for fault in self._faults:
                if (fault.call, fault.after) != (call, after) or fault.times == 0:
                    continue
                if fault.file_name not in (None, file_name):
                    continue
                fault.times -= 1
                raise copy.copy(fault.error)  # a fresh one: threads share no traceback

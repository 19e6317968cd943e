"""One command's engine: attached when first needed, and again when it died in the middle."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from app.link.engine_client import EngineClient, JobWatch
from app.link.engine_errors import EngineGone, EngineSilent

# Engines that die in a row without anything moved in between: then something is badly wrong.
_DEATHS_IN_A_ROW = 5

_Result = TypeVar("_Result")


class EngineSession:
    """Ask only for what may be asked twice: a request whose answer was lost is sent again.

    Raises what `EngineClient` raises; `EngineGone` only when engines keep dying.
    """

    def __init__(self, attach: Callable[[], EngineClient]) -> None:
        self._attach = attach
        self._client: EngineClient | None = None
        self._key_given: dict[str, Any] | None = None
        self._in_a_row = 0
        self.deaths = 0

    def __enter__(self) -> EngineSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    def request(self, command: str, timeout_s: float | None = None, **args: Any) -> dict[str, Any]:
        return self._alive(lambda client: client.request(command, timeout_s, **args))

    def watch(self, job_id: int) -> JobWatch:
        return self._alive(lambda client: client.watch(job_id))

    def remember_key(self, job_id: int, key: str | None) -> None:
        """A key from the environment or the user lives in the engine's memory only, so a new
        engine is given it again."""
        self._key_given = {"job_id": job_id, "key": key} if key else None

    def give_key_again(self) -> bool:
        if self._key_given is None:
            return False
        self.request("provide_key", **self._key_given)
        return True

    def moved(self) -> None:
        """Something got done: the patience with dying engines begins anew."""
        self._in_a_row = 0

    def lost(self, gone: EngineGone) -> None:
        """The next request attaches again; raises `gone` after too many in a row."""
        if isinstance(gone, EngineSilent):
            raise gone
        self.deaths += 1
        self._in_a_row += 1
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._in_a_row > _DEATHS_IN_A_ROW:
            raise gone

    def _alive(self, call: Callable[[EngineClient], _Result]) -> _Result:
        while True:
            try:
                return call(self._attached())
            except EngineGone as gone:
                self.lost(gone)

    def _attached(self) -> EngineClient:
        if self._client is None:
            self._client = self._attach()
            # Not the first: that engine got the key with the job.
            if self._key_given is not None and self.deaths:
                self._client.request("provide_key", **self._key_given)
        return self._client

"""A file on its way in: its digest is that of its bytes in order, whoever computes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from embedded_server.storage.disk import Disk
from embedded_server.storage.incoming_file import TemporaryIncoming

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_PIECES = [bytes([number]) * size for number, size in enumerate([1 << 20, 5, 300_000, 1 << 20, 1])]


class _WhenWaitedFor(Executor):
    """Does nothing before somebody waits for it: work that nobody waits for is never done."""

    def submit(
        self,
        fn: Callable[_Arguments, _Result],
        /,
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> Future[_Result]:
        class Late(Future[_Result]):
            def result(self, timeout: float | None = None) -> _Result:
                if not self.done():
                    self.set_result(fn(*arguments, **named))
                return super().result(timeout)

        return Late()


def _received(helpers: Executor, file: Path) -> tuple[str, int]:
    incoming = TemporaryIncoming(Disk(), str(file), helpers)
    for piece in _PIECES:
        incoming.write(piece)
    received = incoming.written()
    incoming.fsync_and_close()
    assert file.read_bytes() == b"".join(_PIECES)
    return received.sha256, received.size_bytes


def test_a_digest_computed_aside_is_waited_for_piece_by_piece(tmp_path: Path) -> None:
    whole = b"".join(_PIECES)
    expected = hashlib.sha256(whole).hexdigest(), len(whole)
    assert _received(_WhenWaitedFor(), tmp_path / "late") == expected
    with ThreadPoolExecutor(4) as pool:
        assert _received(pool, tmp_path / "many") == expected

"""Real servers that start in milliseconds: forked from a process that has imported everything.

Each is a process of its own that runs the server's `main`, so kill -9, strace and open files are
those of `lakedrop serve`; only the imports are shared. For Linux.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.support import server_zygote
from tests.support.broken_builds import SOUND
from tests.support.forked_process import HUNG_S as HUNG_S
from tests.support.forked_process import ForkedProcess, Zygote
from tests.support.real_server import SAMPLE_KEY, ServerDidNotStart

_FIRST_LINE = re.compile(r"listening on (http://\S+)\n")


class ForkedServer(ForkedProcess):
    """A running server, as `RealServer` is one.

    `on_forked` is called with the process id before the server does anything at all.
    Raises `ServerDidNotStart` when it ended before it listened, whatever ended it.
    """

    def __init__(
        self,
        servers: ForkedServers,
        lake: Path,
        *,
        api_key: str = SAMPLE_KEY,
        build: str = SOUND,
        environment: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        on_forked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.lake = lake
        self.api_key = api_key
        order = {
            "arguments": ["--lake", str(lake), "--port", "0", *flags],
            "build": build,
            "environment": {**(environment or {}), "LAKEDROP_API_KEY": self.api_key},
        }
        started = time.monotonic()
        super().__init__(servers, order, lake.parent / f"{lake.name}.stderr", on_forked)
        found = self.read_until(_FIRST_LINE)
        if isinstance(found, str):
            raise ServerDidNotStart(
                f"ended with {self.wait()} before it listened, said {found!r},"
                f" errors: {self.errors.read_text()[-4000:]}"
            )
        self.address = found[1]
        self.started_in_s = time.monotonic() - started

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def files(self) -> Path:
        return self.lake / "files"

    @property
    def trash(self) -> Path:
        return self.lake / ".lakedrop" / "trash"

    @property
    def incoming(self) -> Path:
        return self.lake / ".lakedrop" / "incoming"

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> ForkedServer:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()


class ForkedServers(Zygote):
    """The process they are forked from."""

    def __init__(self) -> None:
        super().__init__(Path(server_zygote.__file__))


@contextmanager
def forked_servers() -> Iterator[ForkedServers]:
    servers = ForkedServers()
    try:
        yield servers
    finally:
        servers.close()

"""The only place that builds and wires objects: the engine process, and screens attached to it.

The window starts through here, so nothing is imported above that it does not need at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import LakeDropError, PlacesFailed, WindowFailed
from app.infra.places import HOME_VARIABLE, Places

if TYPE_CHECKING:
    from filelock import FileLock

    from app.infra.sqlite_journal import SqliteJournal
    from app.link.engine_client import EngineClient

log = logging.getLogger(__name__)

EXPECT_LOCAL_LAKE = "--expect-local-lake"
TRACEBACK_VARIABLE = "LAKEDROP_TRACEBACK"
LINGER_VARIABLE = "LAKEDROP_ENGINE_LINGER_S"
_LINGER_S = 20.0
_LARGEST_LOG_BYTES = 5 * 1024 * 1024
_OTHER_ENGINE_WITHIN_S = 30.0


def places() -> Places:
    """This user's folders, made with mode 0700 where they were missing; raises `PlacesFailed`."""
    here = Places.of_user()
    if os.environ.get(HOME_VARIABLE):
        # The engine starts in a folder of its own: a relative home must not move with it.
        os.environ[HOME_VARIABLE] = os.path.abspath(os.environ[HOME_VARIABLE])  # noqa: PTH100
    try:
        return here.make()
    except OSError as cause:
        raise PlacesFailed(
            f"LakeDrop cannot make or write its own folder {cause.filename}: {cause.strerror}. "
            f"Mend that, or choose another place with {HOME_VARIABLE}."
        ) from cause


def attach_engine(*, expect_local_lake: bool = False) -> EngineClient:
    """Attaches a screen to this user's engine, starting it when none lives.

    `expect_local_lake`: a new engine starts the local lake's server while it starts itself.
    """
    from app.link.engine_starter import EngineLaunch, attach, engine_command

    here = places()
    words = ("engine", EXPECT_LOCAL_LAKE) if expect_local_lake else ("engine",)
    launch = EngineLaunch(engine_command(words), here.state, here.engine_log)
    return attach(here.runtime_file, launch)


def run_window(arguments: Sequence[str] = ()) -> int:
    """The window until it is closed. `arguments` as for `lakedrop window`.

    Raises `WindowFailed` where no window can be opened, `PlacesFailed`.
    """
    from app.ui.choices import raise_if_no_display, window_choices

    choices = window_choices(arguments)
    raise_if_no_display()
    here = places()
    try:
        from app.ui.qt_imports import restore_the_import

        restore_the_import()
        from app.ui.application import run
    except ModuleNotFoundError:
        raise  # a part of LakeDrop itself is missing: a fault, and told as one
    except ImportError as cause:
        raise WindowFailed(
            f"The window needs a library that this machine lacks: {cause}. In a checkout, "
            "`make setup` installs it or says how. The command line works without: lakedrop --help"
        ) from cause
    return run(
        lambda: attach_engine(expect_local_lake=True),
        resources_folder(),
        here.window_log,
        choices,
        tell_faults_on_stderr=bool(os.environ.get(TRACEBACK_VARIABLE)),
    )


def stop_engine(within_s: float = 60.0) -> None:
    """Ends this user's engine, if one lives, and waits until it has let go of everything."""
    from filelock import FileLock, Timeout

    from app.link.engine_errors import EngineGone, EngineSilent
    from app.link.engine_starter import connect_running

    here = places()
    client = connect_running(here.runtime_file)
    if client is not None:
        with client, suppress(EngineGone):  # gone is what was asked for
            client.request("stop", within_s)
    try:
        with FileLock(here.engine_lock, timeout=within_s):
            pass
    except Timeout as cause:
        raise EngineSilent(
            f"The upload engine was told to end and did not within {within_s:.0f} seconds."
        ) from cause


def run_engine(*, expect_local_lake: bool = False) -> int:
    """The engine process. Says `{"ready": true}` or `{"error": …}` on standard output, once.

    Imports the heavy rooms only here, so that a screen starts without them.
    """
    from filelock import FileLock

    os.umask(0o077)  # the queue tells what a user has: nobody else's to read
    _log_to_stderr()
    lock: FileLock | None = None
    try:
        here = places()
        _begin_new_log_when_large(here.engine_log)
        lock = FileLock(here.engine_lock, timeout=0)
        if _is_another_ready(here, lock):
            _say({"ready": True})
            return 0
        return _run_locked_engine(here, expect_local_lake=expect_local_lake)
    except LakeDropError as error:
        log.critical("the engine cannot start: %s", error.message)
        _say({"error": error.message})
        return 1
    except OSError as error:
        log.critical("the engine cannot start", exc_info=True)
        _say({"error": f"The upload engine cannot start: {error}."})
        return 1
    finally:
        if lock is not None:
            lock.release()


def _is_another_ready(here: Places, lock: FileLock) -> bool:
    """False with the lock in our hands, True when the engine that holds it answers.

    One that is just ending holds the lock for a moment and answers no more: then it is our turn.
    """
    from filelock import Timeout

    from app.link.engine_errors import EngineNotStarted
    from app.link.engine_starter import connect_running

    deadline_s = time.monotonic() + _OTHER_ENGINE_WITHIN_S
    pause = threading.Event()
    while time.monotonic() < deadline_s:
        try:
            lock.acquire()
        except Timeout:
            client = connect_running(here.runtime_file)
            if client is not None:
                client.close()
                return True
            pause.wait(0.02)
        else:
            return False
    raise EngineNotStarted("Another upload engine holds the queue but does not answer. Try again.")


def _run_locked_engine(here: Places, *, expect_local_lake: bool) -> int:
    from app.infra.server_process import LocalLakeServer

    local_lake = LocalLakeServer(here.lake)
    if expect_local_lake:
        # The server needs about a second to start: it does so beside all that follows here.
        _in_background(local_lake.ensure, "start-lake")
    from app.engine.commands import EngineCommands
    from app.engine.engine_service import EngineService
    from app.engine.keys import Keys
    from app.engine.run_ports import RunPorts, RunSettings
    from app.engine.transfer_engine import TransferEngine
    from app.infra.connection_store import TomlConnectionStore
    from app.infra.engine_socket import EngineSocket
    from app.infra.gateways import HttpGateways
    from app.infra.keyring_secrets import KeyringSecrets
    from app.infra.receipt_files import ReceiptFiles
    from app.infra.source_files import LocalSourceFiles
    from app.infra.sqlite_journal import SqliteJournal
    from app.infra.system_clock import SystemClock

    with ExitStack() as closing:  # in the reverse order, also when the next one cannot be made
        closing.callback(local_lake.stop)
        socket = EngineSocket(here)
        closing.callback(socket.close)
        journal = SqliteJournal(here.journal)
        closing.callback(journal.close)
        gateways = HttpGateways(local_lake)
        closing.callback(gateways.close)
        secrets = KeyringSecrets()
        store = TomlConnectionStore(here.connections_file)
        keys = Keys(secrets, store)
        receipts = ReceiptFiles(here.receipts)
        ports = RunPorts(
            journal, gateways, LocalSourceFiles(), SystemClock(), keys.of_job, receipts
        )
        # The engine tells the service, whose commands ask the engine: tied by this lambda.
        engine = TransferEngine(
            ports, RunSettings(adaptive=True), lambda job_id: service.job_changed(job_id)
        )
        closing.callback(engine.close)
        commands = EngineCommands(
            engine,
            journal,
            store,
            secrets,
            keys,
            local_lake,
        )
        service = EngineService(
            socket.listener,
            socket.auth_key,
            commands.table(),
            engine.snapshot,
            engine.version,
            engine.shown_jobs,
            lambda: engine.is_busy,
            _linger_s(),
        )
        # On a thread: a handler runs amid the main thread's own use of the same locks.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=service.stop).start())
        engine.recover()
        socket.announce(_notice_of(journal))
        _say({"ready": True})
        _in_background(gateways.prepare, "load-http")
        service.serve()
    return 0


def _notice_of(journal: SqliteJournal) -> str:
    from app.domain import sentences

    return "" if journal.set_aside is None else sentences.QUEUE_SET_ASIDE(file=journal.set_aside)


def _in_background(work: Callable[[], object], name: str) -> None:
    """Begins early what is asked for again when it is needed; that asking tells its errors."""

    def run() -> None:
        try:
            work()
        except LakeDropError as error:
            log.warning("%s: %s", name, error.message)

    threading.Thread(target=run, name=name).start()


def _say(message: dict[str, object]) -> None:
    """The one line for whoever started this process; closed then, so that nobody waits on it."""
    import json

    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except OSError:
        log.info("whoever started the engine is gone already")


def _linger_s() -> float:
    try:
        return float(os.environ.get(LINGER_VARIABLE, _LINGER_S))
    except ValueError:
        return _LINGER_S


def _log_to_stderr() -> None:
    """Standard error is the engine's log file; the starter opened it."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request's address


def _begin_new_log_when_large(path: Path) -> None:
    """The old one is kept beside it; only where standard error is that very file."""
    try:
        ours = os.path.samestat(os.fstat(sys.stderr.fileno()), path.stat())
        if not ours or path.stat().st_size < _LARGEST_LOG_BYTES:
            return
        path.replace(path.with_suffix(".old.log"))
        fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(fresh, sys.stderr.fileno())
        os.close(fresh)
    except (OSError, ValueError):
        log.info("the log goes on as it is")


def resources_folder() -> Path:
    """`resources/` of a checkout, or the copy inside an installed package."""
    inside = Path(__file__).parent / "resources"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "resources"

"""`lakedrop demo`: the main job with the sample data, on a scratch lake that harms nothing."""

from __future__ import annotations

import shutil
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from app.cli import exits
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.listings import say_history, say_jobs
from app.cli.progress import progress_show
from app.cli.target import Target
from app.cli.upload import UploadOrder, run_upload
from app.cli.upload_questions import Agreed
from app.cli.upload_report import HumanReport
from app.cli.words import shown
from app.domain.errors import WrongUse
from app.domain.upload_job import Source
from embedded_server.contract import SyncJob, SyncType, UploadRecord

MARKER = ".lakedrop-demo"

_FULL = "transactions"
_TREE_ROWS = 40


def demo(options: Namespace, context: CommandContext) -> int:
    """Uploads, prints what a person would look up, and ends the engine again."""
    full, nested = sample_folders(context.samples)
    folder = _scratch_folder(options.folder, context)
    say = context.terminal.say
    say("This is the main job without the window.")
    say(f"Everything lies in a scratch folder: {shown(str(folder))}")
    try:
        for order in _orders(full, nested):
            say(f"\n{_headline(order)}")
            report = HumanReport(context.terminal, progress_show(context.terminal))
            exit_code = run_upload(order, context, report, retry_asked=False)
            if exit_code != exits.DONE:
                return exit_code
        with EngineSession(context.attach_engine) as session:
            _say_what_the_lake_tells(session, context)
    finally:
        context.stop_engine()
    return exits.DONE


def sample_folders(samples: Path) -> tuple[Path, Path]:
    """One for the full sync, and one with folders in it whose names are not all ASCII."""
    full = samples / _FULL
    nested = [
        folder
        for folder in (sorted(samples.iterdir()) if samples.is_dir() else [])
        if folder.is_dir() and not folder.name.isascii()
    ]
    if not full.is_dir() or not nested:
        raise WrongUse(f"The sample data is missing: {samples}. Reinstall LakeDrop.")
    return full, nested[0]


def _orders(full: Path, nested: Path) -> Iterator[UploadOrder]:
    yield UploadOrder(
        Target(),
        (Source(str(full), contents_only=True),),
        "/data/db/transactions",
        SyncType.FULL,
        "transactions full sync",
        Agreed(yes=True),
    )
    yield UploadOrder(
        Target(), (Source(str(nested)),), "/data/crm", SyncType.INCREMENTAL, "crm incremental sync"
    )


def _headline(order: UploadOrder) -> str:
    source = order.sources[0]
    if source.contents_only:
        what = f"the contents of {Path(source.path).name}/ replace what is at"
    else:
        what = f"the folder {Path(source.path).name} with all below it is added to"
    return f"{order.mode.value}: {what} {order.destination}"


def _say_what_the_lake_tells(session: EngineSession, context: CommandContext) -> None:
    local = Target().to_wire()
    jobs = session.request("sync_jobs", connection=local, key=None, newest=50)["jobs"]
    uploads = session.request("history", connection=local, key=None, newest=50, sync_id=None)[
        "uploads"
    ]
    context.terminal.say("\nSync jobs, newest first (lakedrop jobs):")
    say_jobs(context.terminal, [SyncJob.from_wire(row) for row in jobs])
    context.terminal.say("\nUploaded files, newest first (lakedrop history):")
    say_history(context.terminal, [UploadRecord.from_wire(row) for row in uploads])
    _say_files(Path(str(session.request("lake")["files"])), context)


def _say_files(files: Path, context: CommandContext) -> None:
    say = context.terminal.say
    say(f"\nWhere the files lie: {shown(str(files))}")
    for row, path in enumerate(sorted(files.rglob("*"))):
        if row == _TREE_ROWS:
            say("  …")
            break
        depth = len(path.relative_to(files).parts)
        slash = "/" if path.is_dir() else ""
        say(f"{'  ' * depth}{shown(path.name)}{slash}")


def _scratch_folder(wanted: str | None, context: CommandContext) -> Path:
    """An empty folder of ours, made LakeDrop's home; what an earlier demo left is wiped.

    Raises `WrongUse` for a folder that holds anything else.
    """
    if wanted is None:
        folder = Path(tempfile.mkdtemp(prefix="lakedrop-demo-"))
    else:
        folder = Path(wanted).absolute()
        if folder.exists() and not folder.is_dir():
            raise WrongUse(f"{folder} is a file. Give the demo a folder of its own.")
        folder.mkdir(parents=True, exist_ok=True)
    home, marker = folder / "home", folder / MARKER
    if any(folder.iterdir()) and not marker.is_file():
        raise WrongUse(f"{folder} is not empty and no demo made it. Give another folder.")
    context.use_home(home)
    if home.exists():
        context.stop_engine()  # an earlier demo's must not go on writing into what is wiped
        shutil.rmtree(home)
    marker.touch()
    return folder

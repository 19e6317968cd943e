"""The command line's grammar and help texts."""

from __future__ import annotations

import argparse
from typing import NoReturn

from app.cli.words import shown
from app.domain.upload_job import MOST_SHRINK_PERCENT
from embedded_server.contract import VERSION

_DESCRIPTION = "Upload files and folders into a data lake, and see what became of them."
_EPILOG = (
    "Without --connection or --server a command means the local lake, whose server starts by "
    "itself. Exit codes: 0 all is well, 1 something failed, 2 wrong use, 130 or 143 interrupted."
)

_MOST_ROWS = 100_000  # the engine's answer is one message, held in memory whole


class _Grammar(argparse.ArgumentParser):
    """Its errors repeat what was given, and that may be names out of a folder of a stranger's."""

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def parser() -> argparse.ArgumentParser:
    """`options.command` names the command, None where none was given."""
    main = _Grammar("lakedrop", description=_DESCRIPTION, epilog=_EPILOG)
    main.add_argument("--version", action="version", version=f"LakeDrop {VERSION}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    # Its arguments never come here: it is started before this module is read.
    commands.add_parser("window", help="open the window, as lakedrop alone does")
    _add_upload(commands.add_parser("upload", help="send files and folders into a lake"))
    retry = commands.add_parser(
        "retry", help="go on with an upload that needs attention or was paused"
    )
    retry.add_argument("job", type=_count, metavar="JOB", help="the number that the upload told")
    retry.add_argument(
        "--allow-shrink",
        action="store_true",
        help="agree that the data at the destination shrinks a lot, where it waits for that",
    )
    _add_json(retry)
    _add_receipt(commands.add_parser("receipt", help="what became of each file of an upload"))
    _add_verify(
        commands.add_parser("verify", help="compare a receipt, or a lake, with what is there now")
    )
    _add_limit(commands.add_parser("limit", help="how fast uploads may go, now and by a timetable"))
    jobs = commands.add_parser("jobs", help="list sync jobs, newest first")
    _add_reading(jobs)
    history = commands.add_parser("history", help="list uploaded files, newest first")
    _add_reading(history)
    history.add_argument(
        "--job", type=_count, metavar="ID", help="only the files of this sync (see lakedrop jobs)"
    )
    _add_connect(commands.add_parser("connect", help="add, list, test and remove remote lakes"))
    demo = commands.add_parser("demo", help="try the main job with sample data on a scratch lake")
    demo.add_argument(
        "--folder", metavar="DIR", help="where the scratch lake lies (default: a temporary folder)"
    )
    # Their arguments never come here: three are passed on whole, the last is for LakeDrop itself.
    commands.add_parser("serve", help="run the lake server alone: lakedrop serve --help")
    commands.add_parser("keys", help="who may use a lake server: lakedrop keys --help")
    commands.add_parser("rescan", help="adopt or mend a lake's folder: lakedrop rescan --help")
    commands.add_parser("engine")
    return main


def _add_upload(upload: argparse.ArgumentParser) -> None:
    upload.description = (
        "DIR keeps its own name below the destination; DIR/ means its contents. A full sync "
        "replaces what is at the destination once all files are there; an incremental one adds."
    )
    upload.add_argument("paths", nargs="+", metavar="PATH", help="a file, DIR or DIR/")
    upload.add_argument("--to", required=True, metavar="/DATA/X", help="folder on the lake")
    upload.add_argument("--mode", required=True, choices=("full", "incremental"))
    upload.add_argument("--name", default="", help="the sync's label (default: made for you)")
    _add_target(upload)
    upload.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out what matches, as in a .gitignore: *.log, build/, /notes.txt; repeatable",
    )
    upload.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATTERN",
        help="take only what matches; repeatable, and --exclude still takes away from it",
    )
    upload.add_argument(
        "--keep-junk",
        action="store_true",
        help="take .DS_Store, Thumbs.db, unfinished downloads and the like along",
    )
    upload.add_argument(
        "--send-all",
        action="store_true",
        help="send all files of an incremental sync, also those that the lake has already, "
        "unchanged (it tells digests; a full sync sends all)",
    )
    upload.add_argument(
        "--yes", "-y", action="store_true", help="agree that a full sync takes old data away"
    )
    upload.add_argument(
        "--allow-empty",
        action="store_true",
        help="agree that a full sync without files, or with an empty folder among others, takes "
        "away what is at the destination",
    )
    upload.add_argument(
        "--allow-shrink",
        action="store_true",
        help="agree that the data at the destination shrinks a lot (--yes does not say that)",
    )
    upload.add_argument(
        "--max-shrink",
        type=_percent,
        default=MOST_SHRINK_PERCENT,
        metavar="PERCENT",
        help="a full sync may shrink files and bytes by so much without --allow-shrink (default: "
        "%(default)s)",
    )
    upload.add_argument(
        "--allow-same-names",
        action="store_true",
        help="agree to send same names from several folders to a server that may mix them up",
    )
    upload.add_argument(
        "--limit",
        metavar="RATE",
        help="first limit all uploads to this, as lakedrop limit does: 5M, off, or a timetable",
    )
    _add_parallel(upload)
    _add_json(upload)


def _add_limit(limit: argparse.ArgumentParser) -> None:
    limit.description = (
        "For all uploads together, those under way included, until it is changed. RATE is bytes a "
        "second with K, M or G, such as 5M, or off. A timetable has a rate from each time on: "
        "08:00,512K 18:00,10M 23:00,off, or of the week: Mon-08:00,1M Fri-18:00,off. Without any "
        "of them tells what holds."
    )
    limit.add_argument("rates", nargs="*", metavar="RATE", help="5M, off, or entries HH:MM,RATE")
    _add_parallel(limit)
    limit.add_argument("--json", action="store_true", help="one JSON object")


def _add_parallel(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--parallel",
        type=_parallel,
        metavar="N",
        help="requests at once for each upload, 1 to 16, or auto: as many as bring more (default); "
        "holds for all until it is changed",
    )


def _add_receipt(receipt: argparse.ArgumentParser) -> None:
    receipt.description = (
        "Path, size, SHA-256, whether it was sent, verified or acknowledged, and what the server "
        "said, of each file. In CSV a text that a spreadsheet would take for a formula begins with "
        "an apostrophe; JSON has every text exactly."
    )
    receipt.add_argument("job", type=_count, metavar="JOB", help="the number that the upload told")
    receipt.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
    receipt.add_argument(
        "--output",
        metavar="F",
        help="write this file, wholly or not at all (CSV then begins with a byte order mark, by "
        "which spreadsheets see UTF-8); else to standard output",
    )


def _add_verify(verify: argparse.ArgumentParser) -> None:
    verify.usage = (
        "lakedrop verify RECEIPT [--connection NAME | --server URL] [--no-sources] [--json]\n"
        "       lakedrop verify --lake DIR [--sync N] [--json]  (more: verify --lake DIR --help)"
    )
    verify.description = (
        "RECEIPT: whether all that arrived in an upload is still the same in the lake (its server "
        "is asked, folder by folder) and at the source (each file is read); tells what changed, is "
        "gone or could not be checked. --lake: on the lake's own machine, with its server stopped, "
        "reads every file of the lake anew and compares it with the digest noted at its upload."
    )
    verify.epilog = "Exit codes: 0 all is the same, 1 not, or it could not be told, 2 wrong use."
    verify.add_argument(
        "receipt", metavar="RECEIPT", help="as upload left it, or lakedrop receipt wrote it"
    )
    _add_target(verify)
    verify.add_argument(
        "--no-sources",
        dest="sources",
        action="store_false",
        help="only the lake: the files that were uploaded are not read",
    )
    _add_json(verify)


def _add_reading(reading: argparse.ArgumentParser) -> None:
    _add_target(reading)
    reading.add_argument(
        "--limit",
        type=_row_count,
        default=50,
        metavar="N",
        help=f"how many rows (default: 50, at most {_MOST_ROWS:,})",
    )
    _add_json(reading)


def _add_target(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--connection", metavar="NAME", help="a remote (see lakedrop connect)")
    where.add_argument("--server", metavar="URL", help="a server's address, for this run only")
    _add_plain_http(command)


def _add_plain_http(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--allow-plain-http",
        action="store_true",
        help="send key and data unencrypted to another machine, where all on the way can read them",
    )


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_connect(connect: argparse.ArgumentParser) -> None:
    actions = connect.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="save a remote; its key goes into the system's keyring",
        description="The key is read from LAKEDROP_API_KEY, else asked for, never an argument.",
    )
    add.add_argument("name", metavar="NAME")
    add.add_argument("url", metavar="URL", help="such as https://client.example.com")
    _add_plain_http(add)
    add.add_argument(
        "--ca-file",
        default="",
        metavar="PEM",
        help="certificates of those who may vouch for the server, besides the well-known ones",
    )
    add.add_argument(
        "--client-cert",
        default="",
        metavar="PEM",
        help="certificate to show to a server that asks for one, its key in the same file or in "
        "--client-key",
    )
    add.add_argument(
        "--client-key", default="", metavar="PEM", help="its key, which has no password"
    )
    add.add_argument(
        "--insecure-accept-any-server",
        action="store_true",
        help="DANGEROUS: do not check who the server is; whoever is on the way can read and change "
        "all data and take the key",
    )
    add.add_argument("--replace", action="store_true", help="change one that is there")
    key = add.add_mutually_exclusive_group()
    key.add_argument("--key-stdin", action="store_true", help="read the key from standard input")
    key.add_argument("--no-key", action="store_true", help="store no key")
    _add_json(actions.add_parser("list", help="show all"))
    test = actions.add_parser("test", help="check address and key; leaves nothing on the server")
    test.add_argument("name", metavar="NAME")
    remove = actions.add_parser("remove", help="forget one and its key")
    remove.add_argument("name", metavar="NAME")


def _percent(text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 100")
    return int(text)


def _parallel(text: str) -> int:
    if text == "auto":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number from 1 to 16 nor auto")
    return int(text)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


def _row_count(text: str) -> int:
    rows = _count(text)
    if rows > _MOST_ROWS:
        raise argparse.ArgumentTypeError(f"at most {_MOST_ROWS:,} rows can be listed at once")
    return rows

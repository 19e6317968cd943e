"""What a server is told at its start, by flags and by the environment.

Plain argparse rather than a settings library: all but the key are flags, checked here once, and the
engine waits for this process to start.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe
from embedded_server.domain.trash import DEFAULT_DAYS, TrashLimits

KEY_VARIABLE = "LAKEDROP_API_KEY"
DEFAULT_PORT = 8640
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to
_MAX_PORT = 65_535
_LONGEST_WAIT_S = 86_400
_MAX_IDLE_DAYS = 36_500
_DAY_MS = 24 * 60 * 60 * 1000
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)(?:I?B)?")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_WRONG_KEYS_PER_MINUTE = 20
_UNKNOWN_SYNCS_PER_MINUTE = 60  # on a strict server; on a local one nobody guesses
# 128 bits take at least so many characters, whatever the alphabet of usual keys.
_SHORTEST_STRICT_KEY = 22
_DOCUMENTED_KEY = "cccccccc-14a1-4eb1-8964-000000000000"
_NAME = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
)


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Who may come in, and how long a client may take. Times in seconds."""

    is_strict: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    names: tuple[str, ...] = ()  # `host` or `host:port`
    wrong_keys_per_minute: int = _WRONG_KEYS_PER_MINUTE
    unknown_syncs_per_minute: int = 0
    head_s: float = 20.0
    idle_s: float = 60.0

    @property
    def scheme(self) -> str:
        return "http" if self.tls_cert is None else "https"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`is_talkative`: also what is in order, not only what is wrong."""

    is_json: bool = False
    is_talkative: bool = False
    has_requests: bool = False  # a line for each


@dataclass(frozen=True, slots=True)
class Settings:
    lake: Path
    host: str
    port: int  # 0: any that is free
    managed: bool
    show_key: bool
    door: DoorSettings
    log: LogSettings
    sync_idle_days: int
    trash: TrashLimits
    group: str | None = None  # of the system, whose members may read what is published


def parse_arguments(arguments: Sequence[str]) -> Settings:
    """Exits with status 2 and one clear line for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="lakedrop serve", description="Serve a folder as a data lake."
    )
    parser.add_argument(
        "--lake", required=True, type=folder, metavar="DIR", help="folder that holds the lake"
    )
    parser.add_argument(
        "--host",
        default=_LOOPBACK_HOSTS[0],
        help="address to listen on; any but loopback needs --strict (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help="0 takes any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--sync-idle-days",
        type=_days,
        default=7,
        metavar="N",
        help="a sync that nobody feeds or ends for N days fails (default: %(default)s)",
    )
    parser.add_argument(
        "--trash-days",
        type=_trash_days,
        default=DEFAULT_DAYS,
        metavar="N",
        help="what was replaced or deleted is removed for good after N days in the trash;"
        " 0 keeps it (default: %(default)s)",
    )
    parser.add_argument(
        "--trash-max-size",
        type=_size,
        metavar="SIZE",
        help="what the trash may hold, such as 500M, 50G or 2T; the oldest goes first"
        " (default: no limit)",
    )
    parser.add_argument(
        "--group",
        metavar="NAME",
        help="a group of this system whose members may read the published files",
    )
    parser.add_argument("--show-key", action="store_true", help="print the lake's key and exit")
    parser.add_argument("--managed", action="store_true", help=argparse.SUPPRESS)
    _add_door(parser.add_argument_group("who may come in"))
    _add_log(parser.add_argument_group("the log, on standard error"))
    flags = parser.parse_args(arguments)
    problem = _problem_of_door(flags)
    if problem is not None:
        parser.error(problem)
    host = _LOOPBACK_HOSTS[0] if flags.host == "localhost" else flags.host
    return Settings(
        flags.lake,
        host,
        flags.port,
        flags.managed,
        flags.show_key,
        _door(flags),
        _log(flags),
        flags.sync_idle_days,
        TrashLimits(flags.trash_days * _DAY_MS or None, flags.trash_max_size),
        flags.group,
    )


def _add_door(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--strict", action="store_true", help="ask for a key on every call but /healthz"
    )
    group.add_argument("--tls-cert", type=_file, metavar="FILE", help="certificate chain, in PEM")
    group.add_argument("--tls-key", type=_file, metavar="FILE", help="its private key, in PEM")
    group.add_argument(
        "--insecure-lan",
        action="store_true",
        help="strict without TLS: whoever is on the network can read keys and data",
    )
    group.add_argument(
        "--name",
        action="append",
        default=[],
        type=_name,
        metavar="HOST[:PORT]",
        help="a name by which clients reach the server; may be given again",
    )
    group.add_argument(
        "--wrong-keys-per-minute",
        type=_count,
        default=_WRONG_KEYS_PER_MINUTE,
        metavar="N",
        help="tries with unknown keys from one address; 0 is no limit (default: %(default)s)",
    )
    group.add_argument(
        "--unknown-syncs-per-minute",
        type=_count,
        metavar="N",
        help="requests for unknown syncs from one address; 0 is no limit"
        f" (default: {_UNKNOWN_SYNCS_PER_MINUTE} with --strict, else none)",
    )
    group.add_argument(
        "--head-timeout",
        type=_seconds,
        default=20.0,
        metavar="S",
        help="time for a request's head to be whole (default: %(default)g)",
    )
    group.add_argument(
        "--idle-timeout",
        type=_seconds,
        default=60.0,
        metavar="S",
        help="time without progress after which a client is cut off (default: %(default)g)",
    )


def _add_log(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="json is one object a line (default: %(default)s)",
    )
    group.add_argument(
        "--log-requests",
        action=argparse.BooleanOptionalAction,
        help="a line for each request (default: with --strict)",
    )


def _log(flags: argparse.Namespace) -> LogSettings:
    has_requests = flags.strict if flags.log_requests is None else flags.log_requests
    return LogSettings(
        is_json=flags.log_format == "json",
        is_talkative=flags.managed or flags.strict or has_requests,
        has_requests=has_requests,
    )


def _problem_of_door(flags: argparse.Namespace) -> str | None:
    has_tls = flags.tls_cert is not None
    if has_tls != (flags.tls_key is not None):
        return "--tls-cert and --tls-key belong together: give both"
    if has_tls and flags.insecure_lan:
        return "--insecure-lan means no TLS: leave it out, or leave out --tls-cert and --tls-key"
    if flags.insecure_lan and not flags.strict:
        return "--insecure-lan goes with --strict"
    if flags.host not in _LOOPBACK_HOSTS and not flags.strict:
        return (
            f"--host {flags.host}: other machines can reach any address but 127.0.0.1, localhost"
            " and ::1, so strict mode is needed: add --strict"
        )
    if flags.strict and not has_tls and not flags.insecure_lan:
        return (
            "--strict needs TLS: give --tls-cert and --tls-key; or, where the network is trusted or"
            " something else encrypts, --insecure-lan"
        )
    if flags.host in _ANY_ADDRESS and not flags.name:
        return f"--host {flags.host} needs the names by which clients reach it: --name HOST"
    return None


def _door(flags: argparse.Namespace) -> DoorSettings:
    unknown_syncs = flags.unknown_syncs_per_minute
    if unknown_syncs is None:
        unknown_syncs = _UNKNOWN_SYNCS_PER_MINUTE if flags.strict else 0
    return DoorSettings(
        is_strict=flags.strict,
        tls_cert=flags.tls_cert,
        tls_key=flags.tls_key,
        names=tuple(flags.name),
        wrong_keys_per_minute=flags.wrong_keys_per_minute,
        unknown_syncs_per_minute=unknown_syncs,
        head_s=flags.head_timeout,
        idle_s=flags.idle_timeout,
    )


def take_key_from(environment: MutableMapping[str, str]) -> ApiKey | None:
    """The key that the environment holds, taken out of it: no child process shall inherit it.

    Raises `CannotServe` for one that is blank or that no header or form could carry.
    """
    text = environment.pop(KEY_VARIABLE, "")
    if text and not (text.isprintable() and text.strip() == text):
        raise CannotServe(
            f"{KEY_VARIABLE} must be a key without spaces around it or control characters in it;"
            " unset it, and the lake makes a key of its own"
        )
    return ApiKey(text) if text else None


def check_strict_key(key: ApiKey) -> None:
    """Raises `CannotServe` for a key of the environment that strangers could guess."""
    text = key.revealed()
    if not text.isascii():
        raise CannotServe(f"{KEY_VARIABLE} must be plain ASCII: no header carries anything else")
    if len(text) < _SHORTEST_STRICT_KEY or text == _DOCUMENTED_KEY:
        raise CannotServe(
            f"the key in {KEY_VARIABLE} can be guessed: strict mode takes one of at least"
            f" {_SHORTEST_STRICT_KEY} random characters. Unset it and make one with"
            " lakedrop keys add NAME --lake DIR"
        )


def folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("name a folder (it is empty: an unset variable?)")
    return Path(text)


def _file(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("name a file (it is empty: an unset variable?)")
    return Path(text)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r:.200} is not HOST or HOST:PORT")
    return text.lower()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {_MAX_PORT}")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a whole number from 0 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_WAIT_S:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a time in seconds, above 0")
    return seconds


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MAX_IDLE_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days: 1 to {_MAX_IDLE_DAYS}")
    return int(text)


def _trash_days(text: str) -> int:
    return 0 if text == "0" else _days(text)


def _size(text: str) -> int:
    """Bytes, of a number with a unit of 1,024."""
    match = _SIZE.fullmatch(text.upper())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a size such as 500M, 50G or 2T")
    return int(match[1]) * _UNITS[match[2]]

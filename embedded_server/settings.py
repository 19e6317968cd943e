"""What a server is told at its start, by flags and by the environment.

Plain argparse rather than a settings library: four flags and one variable do not pay for its
import, and the engine waits for this process to start.
"""

from __future__ import annotations

import argparse
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe

KEY_VARIABLE = "LAKEDROP_API_KEY"
DEFAULT_PORT = 8640
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Settings:
    lake: Path
    host: str
    port: int  # 0: any that is free
    managed: bool
    show_key: bool


def parse_arguments(arguments: Sequence[str]) -> Settings:
    """Exits with status 2 and one clear line for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="lakedrop serve", description="Serve a folder as a data lake."
    )
    parser.add_argument(
        "--lake", required=True, type=_folder, metavar="DIR", help="folder that holds the lake"
    )
    parser.add_argument(
        "--host", default=_LOOPBACK_HOSTS[0], help="this machine only (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help="0 takes any free one (default: %(default)s)",
    )
    parser.add_argument("--show-key", action="store_true", help="print the lake's key and exit")
    parser.add_argument("--managed", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args(arguments)
    if flags.host not in _LOOPBACK_HOSTS:
        parser.error(
            f"--host {flags.host}: anything but 127.0.0.1, localhost or ::1 needs strict mode,"
            " which this version does not have"
        )
    host = _LOOPBACK_HOSTS[0] if flags.host == "localhost" else flags.host
    return Settings(flags.lake, host, flags.port, flags.managed, flags.show_key)


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


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("name a folder (it is empty: an unset variable?)")
    return Path(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {_MAX_PORT}")
    return int(text)


def absolute(lake: Path) -> str:
    return str(lake.absolute())  # not resolve(): a lake behind a link keeps the name it was given

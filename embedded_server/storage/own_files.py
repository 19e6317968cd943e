"""The small files a server keeps in its lake: its key, and where it listens."""

from __future__ import annotations

import json
import os
import secrets
import uuid
from contextlib import suppress

from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe
from embedded_server.storage.disk import Disk


def read_key(path: str) -> ApiKey | None:
    """Raises `OSError`, and `CannotServe` when the file holds no text."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        # Without the cause: it holds the bytes, and they may be the key.
        raise CannotServe(
            "the lake's file .lakedrop/api-key is not text in UTF-8: put the key back,"
            " or remove the file to have a new key made"
        ) from None
    return ApiKey(text) if text else None


def read_or_make_key(path: str, disk: Disk) -> ApiKey:
    """The lake's own key; at the first start a random one of 128 bits, in a 0600 file."""
    key = read_key(path)
    if key is None:
        key = ApiKey(str(uuid.UUID(bytes=secrets.token_bytes(16))))
        write_whole(path, key.revealed() + "\n", disk)
    return key


def write_server_record(path: str, address: str, disk: Disk, *, key_is_in_lake: bool) -> None:
    """How the holder of the lake is reached; `key_is_in_lake`: by the key in its own file."""
    record = {"address": address, "pid": os.getpid(), "key_is_in_lake": key_is_in_lake}
    write_whole(path, json.dumps(record) + "\n", disk)


def read_server_address(path: str) -> str | None:
    """Where the server that holds the lake listens; None when it has not told."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    address = record.get("address") if isinstance(record, dict) else None
    return address if isinstance(address, str) else None


def write_door(path: str, port: int, secret: str, disk: Disk) -> None:
    """Where the owner's commands go while a server runs, and what they say to be heard."""
    # Not durable: after a power cut there is no such server any more.
    record = json.dumps({"port": port, "secret": secret})
    write_whole(path, record + "\n", disk, durable=False)


def read_door(path: str) -> tuple[int, str] | None:
    """(port, secret); None where no server has told."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        return int(record["port"]), str(record["secret"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove(path: str, disk: Disk) -> None:
    with suppress(FileNotFoundError):
        disk.unlink(path)


def write_whole(path: str, text: str, disk: Disk, *, durable: bool = True) -> None:
    """All of it or nothing, never readable for others."""
    temporary = f"{path}.{uuid.uuid4().hex}"
    descriptor = disk.create_file(temporary)
    try:
        try:
            disk.write(descriptor, text.encode("utf-8"))
            if durable:
                disk.fsync_file(descriptor)
        finally:
            disk.close(descriptor)
        disk.replace(temporary, path)
    except OSError:
        with suppress(OSError):  # the first failure is the one to tell
            disk.unlink(temporary)
        raise
    if durable:
        disk.fsync_folder(os.path.dirname(path))

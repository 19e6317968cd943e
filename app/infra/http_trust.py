"""Whom a connection trusts, and what it shows of itself: a TLS context of its own where it must.

Without anything of the kind the connection goes by the certificates that come along with httpx.
Errors of files are told with their path; what stands in them never is.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

import httpx

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable


@dataclass(frozen=True, slots=True)
class Trust:
    """`stamps` tell when one of the files is another one."""

    ca_file: str
    client_certificate: str
    client_key: str
    unverified: bool
    stamps: tuple[tuple[int, int, int], ...]

    def context(self) -> ssl.SSLContext:
        """Raises `ConnectionNotUsable` for a file that is no good."""
        context = httpx.create_ssl_context()
        if self.ca_file:
            try:
                context.load_verify_locations(cafile=self.ca_file)
            except (OSError, ValueError) as cause:  # an SSLError is an OSError
                raise ConnectionNotUsable(
                    f"The file of certificates {self.ca_file} cannot be used. It must hold one or "
                    "more certificates in PEM form."
                ) from cause
        if self.client_certificate:
            try:
                # A password could only be asked for on a terminal, which the engine has not.
                context.load_cert_chain(
                    self.client_certificate, self.client_key or None, password=""
                )
            except (OSError, ValueError) as cause:
                raise ConnectionNotUsable(
                    f"The client certificate {self.client_certificate} cannot be used. It and its "
                    "key must be in PEM form and belong together, the key without a password."
                ) from cause
        if self.unverified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def trust_of(connection: Connection) -> Trust | None:
    """None where the connection has nothing of its own. Raises `ConnectionNotUsable`."""
    files = (connection.ca_file, connection.client_certificate, connection.client_key)
    if not any(files) and not connection.unverified:
        return None
    return Trust(*files, connection.unverified, tuple(_stamp(file) for file in files if file))


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError) as cause:
        raise ConnectionNotUsable(f"There is no file {path} that can be read.") from cause
    return found.st_mtime_ns, found.st_size, found.st_ino

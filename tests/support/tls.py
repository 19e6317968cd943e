"""A certificate for 127.0.0.1, good until 2126, that tests trust and nobody else does."""

from __future__ import annotations

import ssl
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("loopback_certificate.pem")  # its private key is in it
SERVE_WITH_TLS = ("--tls-cert", str(CERTIFICATE), "--tls-key", str(CERTIFICATE))


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))

"""Finds the gateway of a connection, and keeps it while its address and key stay the same."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.domain.connections import Connection, checked_base_url
from app.domain.ports import LakeGateway
from app.infra.server_process import LocalLakeServer

if TYPE_CHECKING:
    from app.infra.http_gateway import HttpGateway


log = logging.getLogger(__name__)


class HttpGateways:
    """`ports.Gateways` over HTTP."""

    def __init__(self, local_lake: LocalLakeServer) -> None:
        self._local_lake = local_lake
        self._lock = threading.Lock()
        self._open: dict[tuple[object, ...], HttpGateway] = {}

    def open(self, connection: Connection, key: str | None) -> LakeGateway:
        if connection.is_local:
            address = self._local_lake.ensure(key)
            return self._gateway(address.base_url, address.api_key, connection)
        url = checked_base_url(connection.base_url, allow_plain_http=connection.allow_plain_http)
        return self._gateway(url, key or "", connection)  # only *start* and *end* ask for a key

    @staticmethod
    def prepare() -> None:
        """Loads what speaks HTTP, which takes as long as all the rest of the engine."""
        import app.infra.http_gateway  # noqa: F401  for its effect

    def _gateway(self, base_url: str, key: str, connection: Connection) -> LakeGateway:
        from app.infra.http_gateway import HttpGateway
        from app.infra.http_trust import trust_of

        with self._lock:
            # A file that was replaced since is read anew: certificates are short-lived.
            trust = trust_of(connection)
            known_by = (base_url, key, trust)
            gateway = self._open.get(known_by)
            if gateway is None:
                context = None if trust is None else trust.context()
                if trust is not None and trust.unverified:
                    log.warning("nobody checks who the server of %s is", connection.label)
                gateway = HttpGateway(base_url, key, ssl_context=context)
                self._open[known_by] = gateway
            return gateway

    def close(self) -> None:
        with self._lock:
            for gateway in self._open.values():
                gateway.close()
            self._open.clear()

"""Connections to one server: who may use which, through which proxy, and what a cut is called.

Below `httpx.Client` on purpose. A client of httpx merges headers, cookies and query anew for each
request and shares one locked pool among all threads; that halves the small files a second (20 KiB
each in four threads against a trivial server: 460-690 a second with `Client.post`, 1,040-1,090
here). Every transport here has a single connection and is lent to one thread at a time. Redirects
cannot be followed by accident either: no layer here knows how.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import urllib.request
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.domain import sentences
from app.domain.errors import ConnectionNotUsable, ContractBroken, LakeDropError, LakeUnreachable
from app.infra.http_bodies import SentBody
from app.infra.http_errors import Answer, KeyEcho, causes_of

_LONGEST_ANSWER_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without any progress after which we give up; never a limit on the whole request.

    The answer to an upload or an *end* may take long: the server brings gigabytes to a slow disk.
    An idle connection is kept for less than the 5 s after which common servers drop it: else we
    would now and then write into one that is being closed.
    """

    connect_s: float = 10.0
    write_s: float = 60.0
    read_s: float = 60.0
    read_after_upload_s: float = 300.0
    keep_idle_s: float = 4.0


class HttpConnections:
    """Sends requests to one origin. Shared by threads; `exchange` blocks its caller alone."""

    def __init__(
        self,
        base_url: str,
        timeouts: Timeouts,
        ssl_context: ssl.SSLContext | None,
        echo: KeyEcho,
    ) -> None:
        try:
            self._url = httpx.URL(base_url)
            # What a socket would only trip over later, and with errors of its own kinds.
            self._url.host.encode("idna")
            if not 0 <= (self._url.port or 0) <= 65_535:
                raise httpx.InvalidURL("the port is too high")
        except (httpx.InvalidURL, UnicodeError) as cause:
            raise ConnectionNotUsable("The address of the server is not a valid one.") from cause
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ConnectionNotUsable(
                "The address must look like https://client.example.com; got something else."
            )
        self.host = self._url.netloc.decode("ascii")
        self._prefix = self._url.raw_path.rstrip(b"/")
        self._proxy = _proxy_for(self._url)
        self._ssl_context = ssl_context
        self._timeouts = timeouts
        self._echo = echo
        self._usual_extensions = self._extensions(timeouts.read_s)
        self._patient_extensions = self._extensions(timeouts.read_after_upload_s)
        self._fixed_headers = [
            (b"Host", self._url.netloc),
            (b"User-Agent", b"LakeDrop"),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
        ]
        self._idle: deque[httpx.HTTPTransport] = deque()
        self._is_closed = False
        self._lock = threading.Lock()  # guards the two above, never held during input or output

    def exchange(
        self,
        method: str,
        target: str,
        body: SentBody | bytes | None,
        *,
        patient: bool = False,
        bearer: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Sends one request and reads the whole answer, whatever its status.

        `target` is route and query, percent-encoded; bytes are sent as JSON. `patient` waits for
        the answer as long as a slow disk may need. `bearer` goes into the header Authorization, to
        this origin alone: nothing here follows a redirect. Raises `LakeUnreachable`,
        `ContractBroken`, and what the body itself raises; the connection is then dropped.
        """
        request = self._request(method, target.encode("ascii"), body, patient, bearer, headers)
        transport = self._borrowed()
        try:
            answer = _read(transport.handle_request(request))
        except httpx.TransportError as cause:
            transport.close()
            kept = self._echo.without_key(cause)  # a broken answer is quoted in its text
            raise self._told(cause, patient) from kept
        except httpx.DecodingError as cause:
            transport.close()
            raise ContractBroken(f"The answer of {self.host} cannot be decoded.") from cause
        except BaseException:  # whatever stopped the body: a half-sent request poisons the next
            transport.close()
            raise
        self._give_back(transport)
        if isinstance(body, SentBody) and not body.is_complete and answer.status < 400:
            # httpx reads on after a broken write, to hear an early refusal. A yes to a body that
            # was not all sent is no yes.
            raise LakeUnreachable(sentences.ANSWERED_EARLY(host=self.host))
        return answer

    def close(self) -> None:
        """Closes what is idle now, and what is in use as soon as it is given back."""
        with self._lock:
            self._is_closed = True
            idle = list(self._idle)
            self._idle.clear()
        for transport in idle:
            transport.close()

    def _request(
        self,
        method: str,
        target: bytes,
        body: SentBody | bytes | None,
        patient: bool,
        bearer: str | None,
        more_headers: Sequence[tuple[str, str]],
    ) -> httpx.Request:
        headers = list(self._fixed_headers)
        if bearer is not None:
            headers.append((b"Authorization", b"Bearer " + _header_value(bearer)))
        headers += [(name.encode("ascii"), text.encode("ascii")) for name, text in more_headers]
        stream: httpx.SyncByteStream
        if isinstance(body, SentBody):
            stream = body
            headers.append((b"Content-Type", body.content_type.encode("ascii")))
            headers.append((b"Content-Length", b"%d" % body.length_bytes))
        else:
            stream = httpx.ByteStream(body or b"")
            if body is not None:
                headers.append((b"Content-Type", b"application/json"))
                headers.append((b"Content-Length", b"%d" % len(body)))
        extensions = self._patient_extensions if patient else self._usual_extensions
        if self._proxy is not None:
            url = self._url.copy_with(raw_path=self._prefix + target)
        else:
            # A given target saves parsing a URL for each request (a sixth of a small upload's
            # cost). A forwarding proxy needs the whole URL in its place.
            url = self._url
            extensions = {**extensions, "target": self._prefix + target}
        return httpx.Request(method, url, headers=headers, stream=stream, extensions=extensions)

    def _extensions(self, read_s: float) -> dict[str, Any]:
        times = self._timeouts
        return {
            "timeout": httpx.Timeout(
                connect=times.connect_s, write=times.write_s, read=read_s, pool=times.connect_s
            ).as_dict()
        }

    def _borrowed(self) -> httpx.HTTPTransport:
        with self._lock:
            if self._is_closed:
                raise LakeUnreachable(f"The connection to {self.host} was closed.")
            if self._idle:
                return self._idle.pop()  # the one used last is the likeliest to be alive
            if self._ssl_context is None and self._url.scheme == "https":
                self._ssl_context = httpx.create_ssl_context()  # slow to make: shared by all
        # Without a context the server is spoken to in plain http: there is nothing to verify.
        verify = self._ssl_context if self._ssl_context is not None else False
        try:
            return httpx.HTTPTransport(
                verify=verify,
                limits=httpx.Limits(
                    max_connections=1,
                    max_keepalive_connections=1,
                    keepalive_expiry=self._timeouts.keep_idle_s,
                ),
                proxy=self._proxy,
                trust_env=False,
            )
        except (ImportError, ValueError) as cause:
            raise ConnectionNotUsable(
                "The proxy that this machine's settings name for the server cannot be used. "
                "Only http:// and https:// proxies can; see HTTPS_PROXY and NO_PROXY."
            ) from cause

    def _give_back(self, transport: httpx.HTTPTransport) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(transport)
                return
        transport.close()

    def _told(self, cause: httpx.TransportError, patient: bool) -> LakeDropError:
        """A cut in plain words. Tells kinds apart by the exceptions below, never by their texts."""
        host, times = self.host, self._timeouts
        if self._proxy is not None:
            host = sentences.THROUGH_PROXY(host=host, proxy=self._proxy.url.host)
        below = causes_of(cause)
        if isinstance(cause, httpx.ConnectTimeout):
            words = sentences.CONNECT_TIMEOUT(host=host, seconds=f"{times.connect_s:g}")
        elif isinstance(cause, httpx.WriteTimeout):
            words = sentences.WRITE_TIMEOUT(host=host, seconds=f"{times.write_s:g}")
        elif isinstance(cause, httpx.TimeoutException):
            waited_s = times.read_after_upload_s if patient else times.read_s
            words = sentences.READ_TIMEOUT(host=host, seconds=f"{waited_s:g}")
        elif isinstance(cause, httpx.ProxyError):
            words = sentences.PROXY_REFUSED(host=host)
        elif any(isinstance(error, ssl.SSLCertVerificationError) for error in below):
            words = sentences.UNTRUSTED(host=host)
        elif any(isinstance(error, ssl.SSLError) for error in below):
            words = sentences.NO_TLS(host=host)
        elif any(isinstance(error, socket.gaierror) for error in below):
            words = sentences.UNKNOWN_HOST(host=host)
        elif any(isinstance(error, ConnectionRefusedError) for error in below):
            words = sentences.REFUSED(host=host)
        elif isinstance(cause, httpx.ConnectError):
            words = sentences.NO_CONNECTION(host=host)
        elif isinstance(cause, httpx.RemoteProtocolError):
            words = sentences.BROKEN_OFF(host=host)
        else:
            words = sentences.CUT(host=host)
        return LakeUnreachable(words)


def _read(response: httpx.Response) -> Answer:
    try:
        pieces, length_bytes = [], 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            length_bytes += len(piece)
            if length_bytes > _LONGEST_ANSWER_BYTES:
                raise ContractBroken("The answer of the server is far longer than any should be.")
    finally:
        response.close()
    return Answer(
        response.status_code,
        b"".join(pieces),
        response.headers.get("Retry-After"),
        response.headers.get("WWW-Authenticate", "").lower().startswith("bearer"),
        response.headers,
    )


def _header_value(key: str) -> bytes:
    """Raises `ConnectionNotUsable` for a key that no header can carry."""
    if not (key.isascii() and key.isprintable()):
        # Without the cause, and without the key.
        raise ConnectionNotUsable(
            "The server asks for the API key in a header, and this key has characters that no "
            "header can carry. Give this connection the right API key."
        )
    return key.encode("ascii")


def _proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment or the system's settings name for this server, or None.

    Never for this very machine: a proxy's "127.0.0.1" is another one than ours.
    """
    if _is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    named = urllib.request.getproxies()
    address = named.get(url.scheme) or named.get("all")
    if not address:
        return None
    try:
        return httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        # Without the cause: its text holds the address, which may hold a password.
        raise ConnectionNotUsable(
            f"The proxy that this machine's settings name for {urlsplit(str(url)).scheme} "
            "addresses is not a valid one. See HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""A strict server: TLS, and a key on every call but one."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server import contract
from embedded_server.contract import ErrorAnswer
from tests.integration.server.test_process import _serve
from tests.support.real_server import RealServer
from tests.support.tls import CERTIFICATE, SERVE_WITH_TLS, trusting

KEY = "kept-by-the-team-0123456789abcdef"
STRICT = ("-m", "embedded_server", "--strict")
PATH = "/data/strict"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    lake = tmp_path_factory.mktemp("strict") / "lake"
    program = (*STRICT, *SERVE_WITH_TLS, "--name", "lake.example.org")
    with RealServer(lake, api_key=KEY, program=program) as running:
        yield running


@pytest.fixture
def http(server: RealServer) -> Iterator[httpx.Client]:
    base = f"https://127.0.0.1:{server.port}"
    with httpx.Client(base_url=base, verify=trusting(), timeout=60) as client:
        yield client


BEARER = {"Authorization": f"Bearer {KEY}"}
START = {"name": "n", "path": PATH, "sync_type": "IncrementalSync"}
FILE = {"file": ("a.csv", b"x")}


def _started(http: httpx.Client) -> int:
    answer = http.post(contract.START_ROUTE, json=START, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["sync_id"])


def _error(answer: httpx.Response, status: int) -> ErrorAnswer:
    assert answer.status_code == status, answer.text
    return ErrorAnswer.from_wire(answer.json())


def _every_call(sync_id: int) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        "start": ("POST", contract.START_ROUTE, {"json": START}),
        "upload": ("POST", f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}", {"files": FILE}),
        "batch": ("POST", f"{contract.BATCH_ROUTE}?sync_id={sync_id}", {"files": FILE}),
        "list": ("GET", contract.LIST_ROUTE, {}),
        "history": ("GET", contract.HISTORY_ROUTE, {}),
        "capabilities": ("GET", contract.CAPABILITIES_ROUTE, {}),
        "usage": ("GET", f"{contract.USAGE_ROUTE}?path=/data", {}),
        "openapi": ("GET", "/openapi.json", {}),
        "nowhere": ("GET", "/nowhere", {}),
        "end": ("POST", contract.END_ROUTE, {"json": {"sync_id": sync_id}}),
    }


def test_every_call_needs_a_key(http: httpx.Client) -> None:
    sync_id = _started(http)
    for what, (method, url, body) in _every_call(sync_id).items():
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}):
            answer = http.request(method, url, headers=headers, **body)
            told = _error(answer, 401)
            assert told.reason == "not_authenticated", what
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="LakeDrop"', what
    for what, (method, url, body) in _every_call(sync_id).items():
        answer = http.request(method, url, headers=BEARER, **body)
        assert answer.status_code == (404 if what == "nowhere" else 200), (what, answer.text)


def test_two_keys_in_two_headers_are_none(http: httpx.Client) -> None:
    twice = httpx.Headers([("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer x")])
    _error(http.get(contract.LIST_ROUTE, headers=twice), 401)


def test_start_and_end_take_the_key_where_the_public_backend_does(http: httpx.Client) -> None:
    in_body = http.post(contract.START_ROUTE, json={**START, "api_key": KEY})
    in_query = http.post(contract.START_ROUTE, json=START, params={"api_key": KEY})
    for answer in (in_body, in_query):  # where the key is wanted from now on
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="LakeDrop"'
    for answer, where in ((in_body, "json"), (in_query, "params")):
        sync_id = answer.json()["sync_id"]
        body = {"sync_id": sync_id}
        if where == "json":
            ended = http.post(contract.END_ROUTE, json={**body, "api_key": KEY})
        else:
            ended = http.post(contract.END_ROUTE, json=body, params={"api_key": KEY})
        assert ended.json() == {"success": True}
    for wrong in (
        http.post(contract.START_ROUTE, json={**START, "api_key": "wrong"}),
        http.post(contract.START_ROUTE, json=START, params={"api_key": "wrong"}),
    ):
        assert _error(wrong, 400).message == "invalid api key"  # the contract's own answer
    # Nowhere else, and above all not in an address.
    _error(http.get(contract.LIST_ROUTE, params={"api_key": KEY}), 401)


def test_a_refused_upload_leaves_nothing(http: httpx.Client, server: RealServer) -> None:
    sync_id = _started(http)
    _error(http.post(f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}", files=FILE), 401)
    assert list((server.lake / ".lakedrop/incoming").iterdir()) == []
    history = http.get(contract.HISTORY_ROUTE, params={"size": "1000"}, headers=BEARER).json()
    assert [row for row in history if row["sync_id"] == sync_id] == []


def test_names_and_origins_are_those_of_the_server(http: httpx.Client, server: RealServer) -> None:
    own = f"lake.example.org:{server.port}"
    for headers in (
        {"Host": own},
        {"Host": own.upper(), "Origin": f"https://{own}"},
        {"Sec-Fetch-Site": "same-origin"},
        {"X-Forwarded-For": "10.0.0.1"},  # a strict server asks everybody for a key anyhow
    ):
        answer = http.get(contract.LIST_ROUTE, headers={**BEARER, **headers})
        assert answer.status_code == 200, headers
    for headers in (
        {"Host": "lake.example.org"},
        {"Host": f"other.example.org:{server.port}"},
        {"Origin": f"http://{own}"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        _error(http.get(contract.LIST_ROUTE, headers={**BEARER, **headers}), 403)


def test_plain_http_is_not_spoken_beside_tls(server: RealServer) -> None:
    with (
        pytest.raises(httpx.HTTPError),
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as plain,
    ):
        plain.get(contract.LIST_ROUTE, headers=BEARER)


def test_old_tls_is_refused(server: RealServer) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", server.port)) as raw, pytest.raises(ssl.SSLError):
        old.wrap_socket(raw).recv(1)


def test_it_tells_the_address_by_its_name(server: RealServer) -> None:
    assert server.address == f"https://lake.example.org:{server.port}"
    record = json.loads((server.lake / ".lakedrop/server.json").read_text())
    assert record["address"] == server.address


def test_without_tls_it_must_be_said_aloud(tmp_path: Path) -> None:
    program = (*STRICT, "--insecure-lan", "--host", "0.0.0.0", "--name", "127.0.0.1")
    with (
        RealServer(tmp_path / "lake", api_key=KEY, program=program) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as http,
    ):
        _error(http.get(contract.LIST_ROUTE), 401)
        assert http.get(contract.LIST_ROUTE, headers=BEARER).status_code == 200


TLS = [*SERVE_WITH_TLS]


@pytest.mark.parametrize(
    ("flags", "key", "status", "told"),
    [
        (["--strict"], KEY, 2, "--strict needs TLS"),
        (["--strict", *TLS[:2]], KEY, 2, "belong together"),
        (["--strict", *TLS, "--insecure-lan"], KEY, 2, "--insecure-lan means no TLS"),
        (["--insecure-lan"], KEY, 2, "goes with --strict"),
        (["--strict", *TLS, "--host", "0.0.0.0"], KEY, 2, "--name HOST"),
        (["--strict", *TLS, "--name", "a b"], KEY, 2, "is not HOST"),
        (["--strict", *TLS, "--name", "https://x"], KEY, 2, "is not HOST"),
        (["--wrong-keys-per-minute", "-1"], KEY, 2, "--wrong-keys-per-minute"),
        (["--idle-timeout", "0"], KEY, 2, "is not a time"),
        (["--strict", *TLS], None, 1, "strict mode needs a key"),
        (["--strict", *TLS], "short", 1, "can be guessed"),
        (["--strict", *TLS], "cccccccc-14a1-4eb1-8964-000000000000", 1, "can be guessed"),
        (["--strict", *TLS], "ключ-которого-нет-в-заголовках", 1, "plain ASCII"),
        (["--strict", "--tls-cert", "{none}", "--tls-key", "{none}"], KEY, 1, "cannot be read"),
        (["--strict", "--tls-cert", "{text}", "--tls-key", "{text}"], KEY, 1, "used for TLS"),
    ],
)
def test_what_would_not_be_safe_does_not_start(
    tmp_path: Path, flags: list[str], key: str | None, status: int, told: str
) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    values = {"none": tmp_path / "none.pem", "text": text}
    given = [flag.format(**values) for flag in flags]
    done = _serve("--lake", str(tmp_path / "lake"), "--port", "0", *given, key=key)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert key is None or key not in done.stderr


def test_a_key_with_a_pass_phrase_is_told_and_not_asked_for(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", CERTIFICATE, "-out", locked, "-aes256", "-passout", "pass:x"],
        check=True,
        capture_output=True,
    )
    flags = ["--strict", "--tls-cert", str(CERTIFICATE), "--tls-key", str(locked)]
    done = _serve("--lake", str(tmp_path / "lake"), "--port", "0", *flags, key=KEY)
    assert done.returncode == 1
    assert "without a pass phrase" in done.stderr.splitlines()[-1]


def test_a_lake_that_has_a_key_of_its_own_may_become_strict(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    key = _serve("--lake", str(lake), "--show-key").stdout.strip()
    program = (*STRICT, *SERVE_WITH_TLS)
    with (
        RealServer(lake, api_key="", program=program) as server,
        httpx.Client(base_url=server.address, verify=trusting(), timeout=60) as http,
    ):
        assert http.get(contract.LIST_ROUTE).status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert http.get(contract.LIST_ROUTE, headers=headers).status_code == 200


def test_who_guesses_is_told_to_wait_and_others_are_not(tmp_path: Path) -> None:
    limits = ("--wrong-keys-per-minute", "2", "--unknown-syncs-per-minute", "2")
    program = (*STRICT, *SERVE_WITH_TLS, *limits)
    with (
        RealServer(tmp_path / "lake", api_key=KEY, program=program) as server,
        httpx.Client(base_url=server.address, verify=trusting(), timeout=60) as http,
    ):
        assert http.get(contract.LIST_ROUTE, headers=BEARER).status_code == 200
        wrong = {"Authorization": "Bearer wrong"}
        tries = [http.get(contract.LIST_ROUTE, headers=wrong) for _ in range(3)]
        assert [answer.status_code for answer in tries] == [401, 401, 429]
        assert int(tries[-1].headers["Retry-After"]) > 0
        assert http.get(contract.LIST_ROUTE, headers=BEARER).status_code == 200
        url = f"{contract.UPLOAD_ROUTE}?sync_id=77"
        unknown = [http.post(url, files=FILE, headers=BEARER) for _ in range(3)]
        assert [answer.status_code for answer in unknown] == [400, 400, 429]
        ended = http.post(contract.END_ROUTE, json={"sync_id": 77}, headers=BEARER)
        assert ended.status_code == 429
        known = f"{contract.UPLOAD_ROUTE}?sync_id={_started(http)}"
        assert http.post(known, files=FILE, headers=BEARER).status_code == 200

"""Asks a real server all that its description allows, and does not allow (schemathesis).

What came back is judged twice: by schemathesis, answer for answer, and by the server's own metrics,
which count each status of each route whatever the client made of it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import tomli_w

from embedded_server import contract
from embedded_server import contract_extensions as extensions
from tests.support.forked_server import ForkedServer

# These take away what others could meet: they are asked last, and by themselves.
_TAKING = ("endSync", "abortSync", "deletePath", "purgeTrash")
# What gives them something to take, and puts it back: the links between calls are there.
_GIVING = ("startSync", "uploadFile", "restoreTrashed")
# Without limits on guessing, which would soon be all that is met.
UNLIMITED = ("--wrong-keys-per-minute", "0", "--unknown-syncs-per-minute", "0")
_REPOSITORY = Path(__file__).resolve().parents[2]
_FOLDERS = [f"/data/d{number}" for number in range(12)]
UPLOADS_A_FOLDER = 5
_TUS = {"Tus-Resumable": "1.0.0"}
_HUNG_S = 3_600  # no bar: the long count of a slow machine
_CLIENT_ERRORS = ["400", "401", "403", "404", "405", "409", "410", "412", "413", "415", "422"]
_REFUSALS = [*_CLIENT_ERRORS, "423", "429", "460"]
_SAMPLE = re.compile(r"^lakedrop_requests_total\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Met:
    """What is in a lake, so that requests which are made up meet something.

    `replacing` are syncs that have replaced something.
    """

    syncs: Sequence[int]
    replacing: Sequence[int]
    uploads: Sequence[str]
    folders: Sequence[str]

    @property
    def files(self) -> list[str]:
        return [f"{folder}/a.csv" for folder in self.folders]


@dataclass(frozen=True, slots=True)
class Asked:
    """`told` is the whole output; `is_sound` when nothing was wrong; `cases` is how many."""

    told: str
    is_sound: bool
    cases: int


def filled(server: ForkedServer) -> Met:
    """Files, versions in the trash, syncs of both kinds that run, and resumable uploads."""
    headers = _bearer(server.api_key)
    syncs: list[int] = []
    replacing: list[int] = []
    uploads: list[str] = []
    with httpx.Client(base_url=server.address, headers=headers, timeout=60) as http:

        def started(path: str, kind: str) -> int:
            body = {"name": "n", "path": path, "sync_type": kind}
            answer = http.post(contract.START_ROUTE, json=body).raise_for_status()
            return int(answer.json()["sync_id"])

        def upload(sync_id: int, name: str, data: bytes) -> None:
            query = {"sync_id": str(sync_id)}
            files = {"file": (name, data)}
            http.post(contract.UPLOAD_ROUTE, params=query, files=files).raise_for_status()

        for folder in _FOLDERS:
            for data in (b"1,2\n", b"1,2\n3,4\n"):  # the second takes the first's place
                sync_id = started(folder, "IncrementalSync")
                upload(sync_id, "a.csv", data)
            syncs.append(sync_id)
            replacing.append(sync_id)
            metadata = "filename Yi5jc3Y=,sync_id " + _base64(str(sync_id))
            tus = {**_TUS, "Upload-Length": "1000000", "Upload-Metadata": metadata}
            for _ in range(UPLOADS_A_FOLDER):
                begun = http.post(contract.TUS_ROUTE, headers=tus).raise_for_status()
                uploads.append(begun.headers["Location"].rpartition("/")[2])
            full = started(f"{folder}/full", "FullSync")
            upload(full, "b.csv", b"x")
            syncs.append(full)
    return Met(syncs, replacing, uploads, _FOLDERS)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def ask_all(
    server: ForkedServer, met: Met, folder: Path, *, key: str | None, seed: int, examples: int
) -> list[Asked]:
    """First whatever leaves things where they are, then what takes them away."""
    asked = partial(ask, server, met, folder, key=key, seed=seed, examples=examples)
    return [asked(without=_TAKING), asked(only=(*_TAKING, *_GIVING))]


def ask(
    server: ForkedServer,
    met: Met,
    folder: Path,
    *,
    key: str | None,
    seed: int,
    examples: int,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    links: bool = True,
) -> Asked:
    """`key` goes into the header and into bodies; `only` and `without` are operations.

    `links`: also one call after another, with what the first one answered.

    `folder` is for the configuration, which bears the key: no command line ever does.
    """
    described = folder / "openapi.json"
    described.write_text(json.dumps(description_of(server)), encoding="utf-8")
    config = folder / "schemathesis.toml"
    config.write_bytes(tomli_w.dumps(_config(met, key, examples)).encode())
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", str(described), "--url", server.address, "--no-color"),
        *("--seed", str(seed), "--generation-database", "none", "--continue-on-failure"),
    ]
    if not links:
        command += ["--phases", "examples,coverage,fuzzing"]
    for operation in only:
        command += ["--include-operation-id", operation]
    for operation in without:
        command += ["--exclude-operation-id", operation]
    done = subprocess.run(
        command,
        cwd=folder,  # it keeps what it found where it runs, and tries that first the next time
        env={
            **os.environ,
            "PYTHONPATH": str(_REPOSITORY),
            "SCHEMATHESIS_HOOKS": "tests.support.description_hooks",
        },
        capture_output=True,
        text=True,
        timeout=_HUNG_S,
        check=False,
    )
    told = done.stdout + done.stderr
    cases = re.search(r"(\d+) generated", told)
    return Asked(told, done.returncode == 0, int(cases[1]) if cases else 0)


def _config(met: Met, key: str | None, examples: int) -> dict[str, Any]:
    paths = [*met.folders, *met.files]
    words: dict[str, list[Any]] = {
        "syncs": [*met.syncs],
        "replacing": [*met.replacing],
        "uploads": [*met.uploads],
        "paths": paths,
        "files": met.files,
        "versions": [1],
        "small": [0],
        "ranges": ["bytes=0-1", "bytes=-2", "bytes=1-", "bytes=99-"],
        "metadata": [f"filename Yy5jc3Y=,sync_id {_base64(str(it))}" for it in met.syncs],
        "places": [f"{folder}/z/b.csv" for folder in met.folders],
    }
    bound = {
        "query.sync_id": ("syncs", 0.8),
        "body.sync_id": ("syncs", 0.7),
        "query.path": ("paths", 0.7),
        "body.path": ("paths", 0.8),
        "body.to": ("places", 0.8),
        "query.version": ("versions", 0.8),
        "body.version": ("versions", 0.8),
        "path.upload": ("uploads", 0.8),
        "header.Upload-Length": ("small", 0.7),
        "header.Upload-Offset": ("small", 0.7),
        "header.Upload-Metadata": ("metadata", 0.7),
        "header.Range": ("ranges", 0.5),
    }
    config: dict[str, Any] = {
        "generation": {"max-examples": examples},
        "checks": {
            # A generated path may be none of the lake's, an id nobody's: 400 is right then.
            "positive_data_acceptance": {"enabled": False},
            "negative_data_rejection": {"expected-statuses": _REFUSALS},
            "missing_required_header": {"expected-statuses": _REFUSALS},
        },
        "phases": {"stateful": {"max-steps": 4}},
        "operations": [
            {  # a bad part has its own result, and does not fail the others
                "include-operation-id": "uploadBatch",
                "checks": {"negative_data_rejection": {"expected-statuses": [*_REFUSALS, "200"]}},
            },
            {
                "include-operation-id": ["downloadFile", "downloadFileHead"],
                "parameters": {"query.path": {"dictionary": "files", "probability": 0.9}},
            },
            {
                "include-operation-id": "renamePath",
                "parameters": {"body.path": {"dictionary": "files", "probability": 0.9}},
            },
            {
                "include-operation-id": ["restoreTrashed", "listTrashedFiles"],
                "parameters": {
                    f"{place}.sync_id": {"dictionary": "replacing", "probability": 0.9}
                    for place in ("query", "body")
                },
            },
            {  # no disk has room for the largest files that may be announced
                "include-operation-id": "beginUpload",
                "checks": {
                    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "507"]}
                },
            },
        ],
        "warnings": {"enabled": False},
    }
    if key is not None:
        words["keys"] = [key]
        bound["body.api_key"] = ("keys", 0.9)
        config["headers"] = _bearer(key)
    config["dictionaries"] = {name: {"values": values} for name, values in words.items()}
    config["parameters"] = {
        place: {"dictionary": name, "probability": chance}
        for place, (name, chance) in bound.items()
    }
    return config


def description_of(server: ForkedServer) -> dict[str, Any]:
    answer = httpx.get(server.address + extensions.OPENAPI_ROUTE, headers=_bearer(server.api_key))
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def answered(server: ForkedServer) -> Counter[tuple[str, str, int]]:
    """How often each (method, route, status) was answered, by the server's own count."""
    numbers = httpx.get(server.address + contract.METRICS_ROUTE, headers=_bearer(server.api_key))
    found: Counter[tuple[str, str, int]] = Counter()
    for sample in _SAMPLE.finditer(numbers.text):
        labels = dict(_LABEL.findall(sample["labels"]))
        place = labels["method"], labels["route"], int(labels["status"])
        found[place] = int(float(sample["count"]))
    return found


def not_described(
    counted: Iterable[tuple[str, str, int]], description: Mapping[str, Any]
) -> list[tuple[str, str, int]]:
    """Statuses that were answered by calls that are described, but do not name them."""
    return [
        (method, route, status)
        for method, route, status in counted
        if method.lower() in description["paths"].get(route, {})
        and str(status) not in description["paths"][route][method.lower()]["responses"]
    ]


def never_done(
    counted: Iterable[tuple[str, str, int]], description: Mapping[str, Any]
) -> list[str]:
    """Names of calls that are described, and that nobody got a success of."""
    done = {(method.lower(), route) for method, route, status in counted if status < 300}
    return [
        operation["operationId"]
        for route, calls in description["paths"].items()
        for method, operation in calls.items()
        if method != "parameters" and (method, route) not in done
    ]

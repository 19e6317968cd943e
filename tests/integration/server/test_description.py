"""/openapi.json names every call and every status, is OpenAPI 3.1, and what it shows is true.

That servers keep to it is for `tests/reliability/test_description_kept.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from embedded_server import contract
from embedded_server.gate.known_routes import ROUTES
from tests.integration.server.conftest import Client
from tests.support.forked_server import ForkedServer, forked_servers

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a local and what a strict server say of themselves."""
    flags = {"local": [], "strict": ["--strict", "--insecure-lan"]}
    key = "lake_0123456789abcdefghijklmnopqrstuv"
    told = {}
    with forked_servers() as servers:
        for mode, given in flags.items():
            lake = tmp_path_factory.mktemp(mode) / "lake"
            with ForkedServer(servers, lake, api_key=key, flags=given) as server:
                headers = {"Authorization": f"Bearer {key}"}
                answer = httpx.get(f"{server.address}/openapi.json", headers=headers)
                assert answer.status_code == 200, answer.text
                told[mode] = answer.json()
    return told


@pytest.fixture
def whole(described: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return described["local"]


def operations(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, calls in whole["paths"].items():
        for method in METHODS:
            if method in calls:
                yield path, method, calls[method]


def below(part: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from below(value)
    elif isinstance(part, list):
        for value in part:
            yield from below(value)


def test_every_route_is_described_and_nothing_else(whole: dict[str, Any]) -> None:
    assert set(whole["paths"]) == ROUTES


@pytest.mark.parametrize("mode", ["local", "strict"])
def test_it_is_openapi(described: dict[str, dict[str, Any]], mode: str) -> None:
    assert described[mode]["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(described[mode]).iter_errors()) == []


def test_every_call_has_a_name_of_its_own(whole: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(whole)]
    assert len(names) > 30
    assert len(set(names)) == len(names)


def test_every_reference_and_every_link_leads_somewhere(whole: dict[str, Any]) -> None:
    by_name = {operation["operationId"]: operation for _, _, operation in operations(whole)}
    references, links = 0, 0
    for part in below(whole):
        if isinstance(part.get("$ref"), str):
            place: Any = whole
            for step in part["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            references += 1
        for link in part["links"].values() if "links" in part else ():
            target = by_name[link["operationId"]]
            taken = {f"{it['in']}.{it['name']}" for it in target.get("parameters", ())}
            assert set(link.get("parameters", ())) <= taken
            if "requestBody" in link:
                [media] = target["requestBody"]["content"].values()
                assert set(link["requestBody"]) <= set(media["schema"]["properties"])
            links += 1
    assert references > 100
    assert links > 5


def test_every_example_and_every_default_is_what_its_schema_says(whole: dict[str, Any]) -> None:
    checked = 0
    for schema in below(whole):
        shown = [*schema["examples"]] if isinstance(schema.get("examples"), list) else []
        shown += [schema["default"]] if "default" in schema else []
        for example in shown:
            assert list(OAS31Validator(schema).iter_errors(example)) == [], example
            checked += 1
    assert checked > 20


def test_every_call_tells_what_the_gate_and_the_connection_may_answer(
    whole: dict[str, Any],
) -> None:
    for path, method, operation in operations(whole):
        of_all = {"403", "408", "415", "431", "500", "503"}
        needs_key = set() if path == contract.HEALTH_ROUTE else {"401", "429"}
        assert of_all | needs_key <= set(operation["responses"]), (path, method)
        for status, response in operation["responses"].items():
            has_body = method != "head" and status not in ("408", "431") and status >= "400"
            if has_body:
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (path, status)


def test_a_strict_server_says_that_it_wants_a_key(described: dict[str, dict[str, Any]]) -> None:
    keyless = {contract.START_ROUTE, contract.END_ROUTE, contract.ABORT_ROUTE}
    for path, _, operation in operations(described["local"]):
        is_open = path == contract.HEALTH_ROUTE
        assert operation["security"] == ([] if is_open else [{}, {"key": []}])
    for path, _, operation in operations(described["strict"]):
        if path == contract.HEALTH_ROUTE:
            assert operation["security"] == []
        else:  # there the body may bring it
            assert ({} in operation["security"]) == (path in keyless), path


def test_it_is_the_same_each_time_and_bears_no_trace_of_the_lake(client: Client) -> None:
    first, second = (client.http.get("/openapi.json") for _ in range(2))
    assert first.headers["Content-Type"] == "application/json"
    assert first.content == second.content
    assert str(Path(client.server.lake)) not in first.text
    assert client.server.api_key not in json.dumps(first.json())

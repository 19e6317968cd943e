"""The lakes of the gateway suite, one of each kind for a module."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from app.domain.ports import LakeGateway
from tests.conformance.lakes import LAKES, LakeUnderTest, Promise


@pytest.fixture(scope="module", params=LAKES)
def lake(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LakeUnderTest]:
    """One lake of each kind for all tests: each works below a path of its own."""
    with LAKES[request.param](tmp_path_factory.mktemp("lake")) as lake:
        yield lake


@pytest.fixture
def gateway(lake: LakeUnderTest) -> LakeGateway:
    return lake.gateway


_numbers = itertools.count(1)


@pytest.fixture
def path() -> str:
    return f"/data/db/table{next(_numbers)}"


@pytest.fixture
def needs(lake: LakeUnderTest) -> Callable[[Promise], None]:
    def skip_without(promise: Promise) -> None:
        if promise not in lake.promises:
            pytest.skip(f"this lake does not promise {promise.name}")

    return skip_without

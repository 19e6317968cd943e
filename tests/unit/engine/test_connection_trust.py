"""Whom a connection trusts, as screens save it."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable
from tests.unit.engine.test_saving_connections import HERE, THERE, Desk

TRUST: dict[str, Any] = {
    "ca_file": "/ca.pem",
    "client_certificate": "/me.pem",
    "client_key": "/me.key",
}


def test_whom_a_connection_trusts_stays_when_a_screen_that_knows_nothing_of_it_saves() -> None:
    desk = Desk()
    desk.save(**TRUST, unverified=True)
    desk.save("new", was="prod")
    saved = desk.store.find("new")
    assert saved == Connection("new", HERE, **TRUST, unverified=True)
    [row] = desk.ask("connections")["connections"]
    assert {name: row[name] for name in (*TRUST, "unverified")} == TRUST | {"unverified": True}


def test_but_never_goes_along_to_another_server() -> None:
    desk = Desk()
    desk.save(**TRUST, unverified=True)
    desk.save(base_url=THERE, was="prod")
    assert desk.store.find("prod") == Connection("prod", THERE)


def test_and_is_taken_back_by_whoever_says_so() -> None:
    desk = Desk()
    desk.save(**TRUST, unverified=True)
    desk.save(replace=True, ca_file="", client_certificate="", client_key="", unverified=False)
    assert desk.store.find("prod") == Connection("prod", HERE)


def test_a_client_key_without_its_certificate_is_refused() -> None:
    desk = Desk()
    with pytest.raises(ConnectionNotUsable, match="goes with"):
        desk.save(client_key="/me.key")
    assert desk.store.all() == []

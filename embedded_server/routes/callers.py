"""Who makes this request, as the gatekeeper left it in the scope's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_server.domain.caller import Caller
from embedded_server.services.admission import Admission, Visitor, missing_key

CALLER = "caller"
VISITOR = "visitor"


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """For every route behind the gate. Raises `NotAuthenticated` for one that forgot its key."""
    caller: Caller | None = scope["state"].get(CALLER)
    if caller is None:
        raise missing_key()
    return caller


def caller_of_body(
    admission: Admission, scope: Mapping[str, Any], fields: Mapping[str, Any]
) -> Caller:
    """For the routes that may bring `api_key` in the body or the query, which all change things.

    Raises `WrongKey`, `NotAuthenticated`, `TooManyTries`, `NotAllowed`, `ContractViolation`.
    """
    state = scope["state"]
    caller = admission.by_body(state[VISITOR], state.get(CALLER), fields)
    caller.check_may_change()
    return caller


def visitor_of(scope: Mapping[str, Any]) -> Visitor:
    visitor: Visitor = scope["state"][VISITOR]
    return visitor

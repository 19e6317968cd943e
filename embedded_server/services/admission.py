"""Who may come in: a key in a header, a key in a body, or nobody's key where none is needed.

A visitor who offers unknown keys is slowed down. While that lasts, keys that visitor has not used
before are not even looked at (else guessing would go on at full speed, only louder); whoever was
let in lately goes on as ever, also behind the same address.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embedded_server import contract
from embedded_server.domain.api_key import digest_of
from embedded_server.domain.caller import OWNER, Caller
from embedded_server.domain.errors import (
    LakeError,
    NotAuthenticated,
    SyncNotFound,
    TooManyTries,
    WrongKey,
)
from embedded_server.domain.request_notes import note_key
from embedded_server.domain.try_limiter import TryLimiter
from embedded_server.services.keys import Keys

_MOST_FAMILIAR = 4_096
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Visitor:
    """`name` is what tries are counted by; `needs_key` on every call, or only where it says so."""

    name: str
    needs_key: bool


class Admission:
    """Any thread may call it."""

    def __init__(
        self,
        keys: Keys,
        key_tries: TryLimiter,
        sync_tries: TryLimiter,
        on_use: Callable[[str], None] = lambda _key_name: None,
    ) -> None:
        """`on_use` hears the name of each key that lets somebody in; it must not wait."""
        self._keys = keys
        self._key_tries = key_tries
        self._sync_tries = sync_tries
        self._on_use = on_use
        self._lock = threading.Lock()
        self._familiar: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def by_header(self, visitor: Visitor, authorization: str | None) -> Caller | None:
        """None where no key was sent and one is needed: a body may still bring it.

        Raises `NotAuthenticated`, `TooManyTries`.
        """
        if authorization is None:
            return None if visitor.needs_key else OWNER
        if authorization[: len(_BEARER)].lower() != _BEARER:
            if not visitor.needs_key:
                return OWNER  # curl with a .netrc, say: as if it had sent nothing
            raise NotAuthenticated("send the key as Authorization: Bearer, no other way")
        caller = self._known(visitor, authorization[len(_BEARER) :].strip())
        if caller is None:
            raise NotAuthenticated(contract.INVALID_API_KEY)
        return caller

    def by_body(
        self, visitor: Visitor, in_header: Caller | None, fields: Mapping[str, Any]
    ) -> Caller:
        """For *start*, *end* and what is like them: the body's `api_key`, else the header's.

        Raises `WrongKey`, `NotAuthenticated`, `TooManyTries`, `ContractViolation`.
        """
        if "api_key" not in fields and in_header is not None and in_header is not OWNER:
            return in_header
        if "api_key" not in fields and visitor.needs_key:
            raise missing_key()
        caller = self._known(visitor, contract.text_field(fields, "api_key"))
        if caller is None:
            raise WrongKey
        return caller

    def told(self, visitor: Visitor, error: LakeError) -> LakeError:
        """The error as this visitor is told it: who names too many unknown syncs has to wait."""
        if not isinstance(error, SyncNotFound):
            return error
        wait_s = self._sync_tries.wait_s(visitor.name)
        if wait_s:
            return TooManyTries("unknown syncs", wait_s)
        self._sync_tries.wrong_try(visitor.name)
        return error

    def _known(self, visitor: Visitor, offered: str) -> Caller | None:
        digest = digest_of(offered)
        acquainted = visitor.name, digest
        if acquainted not in self._familiar:
            wait_s = self._key_tries.wait_s(visitor.name)
            if wait_s:
                raise TooManyTries("wrong keys", wait_s)
        caller = self._keys.find(digest)
        with self._lock:
            if caller is None:
                self._familiar.pop(acquainted, None)
            else:
                self._familiar[acquainted] = None
                if len(self._familiar) > _MOST_FAMILIAR:
                    self._familiar.popitem(last=False)
        if caller is None:
            self._key_tries.wrong_try(visitor.name)
        else:
            self._on_use(caller.key_name)
            note_key(caller.key_name)
        return caller


def missing_key() -> NotAuthenticated:
    return NotAuthenticated(
        "this call needs a key: send it in the header Authorization: Bearer <key>"
    )

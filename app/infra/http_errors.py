"""What a server's answer means to us: HTTP statuses and the public backend's words, as our errors.

The public backend tells *invalid key*, *already ended* and *not found* apart by their text alone.
The table of those texts stands here and nowhere else; everything else branches on status and slug.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from app.domain import sentences
from app.domain.errors import (
    ContractBroken,
    FileRefused,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeFull,
    LakeRefused,
    SyncAborted,
    SyncAlreadyEnded,
    SyncExpired,
    SyncNotFound,
)
from embedded_server import contract
from embedded_server.contract import ErrorAnswer, ErrorReason

_LONGEST_WORDS = 300
_TOO_MANY_OR_PASSING = frozenset({408, 429, 502, 503, 504})
_ABOUT_THE_FILE = frozenset({400, 413, 415, 422})
# These slugs speak of the caller or the account, never of one file.
_NOT_ABOUT_THE_FILE = frozenset(
    {ErrorReason.NOT_AUTHENTICATED, ErrorReason.NOT_ALLOWED, ErrorReason.EXPIRED}
)


def _with_any_id(text_of: Callable[[int], str]) -> re.Pattern[str]:
    return re.compile(re.escape(text_of(8)).replace("8", "-?[0-9]{1,20}"))


_TEXTS: tuple[tuple[re.Pattern[str], type[LakeRefused], str], ...] = (
    (
        re.compile(re.escape(contract.INVALID_API_KEY)),
        InvalidApiKey,
        sentences.WRONG_KEY(),
    ),
    (
        re.compile(re.escape(contract.JOB_ALREADY_ENDED)),
        SyncAlreadyEnded,
        sentences.ALREADY_ENDED(),
    ),
    (
        _with_any_id(contract.sync_not_found_text),
        SyncNotFound,
        sentences.UNKNOWN_SYNC(),
    ),
    (
        _with_any_id(contract.sync_expired_text),
        SyncExpired,
        sentences.EXPIRED(),
    ),
    (
        _with_any_id(contract.sync_aborted_text),
        SyncAborted,
        sentences.ABORTED(),
    ),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `retry_after` is that header as it was sent, or None; `headers` has all.

    `wants_bearer`: the server says that it takes a key in the header (RFC 6750). It may say so with
    any status (RFC 9110, 11.6.1).
    """

    status: int
    body: bytes
    retry_after: str | None = None
    wants_bearer: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Raises `ValueError` when the body is no JSON."""
        try:
            return json.loads(self.body)
        except RecursionError as cause:
            raise ValueError("nested too deeply") from cause


class KeyEcho:
    """Keeps a key that a server echoes out of all that is shown or logged."""

    def __init__(self, key: str) -> None:
        self._key = key

    def blotted(self, words: str) -> str:
        return words.replace(self._key, "…") if self._key else words

    def without_key(self, cause: Exception) -> Exception | None:
        """The cause to keep under an error; None when it, or one below it, quotes the key."""
        quoted = self._key and any(self._key in str(error) for error in causes_of(cause))
        return None if quoted else cause


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Tells errors of one server, named `host`."""

    host: str
    echo: KeyEcho
    now_s: Callable[[], float]

    def error_of(self, answer: Answer, *, for_file: bool) -> LakeDropError:
        """The error that an answer other than 2xx stands for. `for_file`: it was about one file."""
        status, told = answer.status, _told_error(answer)
        if told is not None and 400 <= status < 500:
            known = _known_text(told.message)
            if known is not None:
                return known
        words = self._with_words(answer, told)
        if 300 <= status < 400:
            return ContractBroken(sentences.REDIRECTED(host=self.host))
        # A 413 bears that slug too, but it speaks of one request that is too large: no room that
        # somebody makes on the server would help.
        is_over_quota = told is not None and told.reason == ErrorReason.QUOTA_EXCEED
        if status == 507 or (is_over_quota and status != 413):
            return LakeFull(sentences.MAKE_ROOM(what=words))
        if status in _TOO_MANY_OR_PASSING:
            return LakeBusy(words, retry_after_s(answer.retry_after, self.now_s()))
        if status >= 500:
            return LakeBroken(words)
        if for_file and status in _ABOUT_THE_FILE and not _is_about_the_caller(told):
            return FileRefused(words)
        if status == 401:
            return InvalidApiKey(sentences.RIGHT_KEY(what=words))
        if told is not None or status == 403 or _detail(answer) is not None:
            return LakeRefused(words)
        return ContractBroken(sentences.RIGHT_ADDRESS(what=words))

    @staticmethod
    def says_nothing_there(answer: Answer) -> bool:
        """In the contract's words: a proxy's 404 says nothing about the lake."""
        told = _told_error(answer) if answer.status == 404 else None
        return told is not None and told.reason == ErrorReason.NOT_FOUND

    def refusal_of(self, code: int, msg: str | None) -> LakeDropError:
        """The error of an upload that was answered 200 with a `code` other than 0."""
        known = _known_text(msg or "")
        if known is not None:
            return known
        words = sentences.DID_NOT_TAKE(host=self.host, words=self.clean(msg or f"code {code}"))
        # Our own server tells a part's failure in a batch by the status it would have had alone.
        if code == 507:
            return LakeFull(words)
        if code in _TOO_MANY_OR_PASSING:
            return LakeBusy(words)
        if 500 <= code < 600:
            return LakeBroken(words)
        return FileRefused(words)

    def wants_key_with_file(self) -> LakeBusy:
        """A file is read once. Met only where nothing was asked of the server before."""
        return LakeBusy(f"{self.host} wants the API key with each file. It will be sent again.")

    def nonsense(self, answer: Answer, wrong: str) -> ContractBroken:
        """The error of a 200 whose body is not what the contract says; `wrong` names the fault."""
        if _is_html(answer):
            wrong = "it is a web page"
        return ContractBroken(sentences.NONSENSE(host=self.host, words=self.clean(wrong)))

    def clean(self, words: str) -> str:
        """A server's own words, fit for a screen: one line, not long, and never with the key."""
        words = self.echo.blotted(words)
        one_line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
        if len(one_line) > _LONGEST_WORDS:
            one_line = one_line[:_LONGEST_WORDS] + "…"
        return one_line.rstrip(".")

    def _with_words(self, answer: Answer, told: ErrorAnswer | None) -> str:
        said = told.message if told is not None else _detail(answer)
        if said:
            return sentences.SAYS(host=self.host, words=self.clean(said), status=answer.status)
        answered = sentences.ANSWERED_A_PAGE if _is_html(answer) else sentences.ANSWERED
        return answered(host=self.host, status=_status_words(answer.status))


def causes_of(error: BaseException) -> list[BaseException]:
    """The error itself and all that led to it, the nearest first."""
    found: list[BaseException] = []
    below: BaseException | None = error
    while below is not None and below not in found:
        found.append(below)
        below = below.__cause__ or below.__context__
    return found


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, 10.2.3: seconds or an HTTP date), never < 0.

    None for what is neither. Absurdly long wishes are told as they are: the retry policy caps them.
    """
    if header is None:
        return None
    try:
        wish_s = float(header)
    except ValueError:
        try:
            wish_s = email.utils.parsedate_to_datetime(header).timestamp() - now_s
        except (ValueError, OverflowError, OSError):
            return None
    return max(wish_s, 0.0) if math.isfinite(wish_s) else None


def _known_text(message: str) -> LakeRefused | None:
    for text, kind, words in _TEXTS:
        if text.fullmatch(message):
            return kind(words)
    return None


def _told_error(answer: Answer) -> ErrorAnswer | None:
    try:
        return ErrorAnswer.from_wire(answer.json())
    except ValueError:  # ContractViolation is one
        return None


def _detail(answer: Answer) -> str | None:
    """Words of a server that errs in JSON of another shape, such as FastAPI's own `detail`."""
    try:
        body = answer.json()
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    for name in ("message", "msg", "detail", "error"):
        if isinstance(body.get(name), str):
            return str(body[name])
    return ""


def _is_about_the_caller(told: ErrorAnswer | None) -> bool:
    return told is not None and told.reason in _NOT_ABOUT_THE_FILE


def _is_html(answer: Answer) -> bool:
    return answer.body[:1000].lstrip().lower().startswith((b"<!doctype html", b"<html", b"<?xml"))


def _status_words(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)

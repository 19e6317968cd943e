"""What an answer means, without any network."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import (
    ContractBroken,
    FileRefused,
    InvalidApiKey,
    LakeBroken,
    LakeBusy,
    LakeDropError,
    LakeFull,
    LakeRefused,
    SyncAlreadyEnded,
    SyncNotFound,
)
from app.infra.http_errors import Answer, AnswerReader, KeyEcho, retry_after_s

KEY = "canary-4711-key"
NOW_S = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
READER = AnswerReader("lake.example", KeyEcho(KEY), lambda: NOW_S)
PAGE = b"<!DOCTYPE html><html><body><h1>Welcome to nginx</h1></body></html>"


def told(status: int, message: str, reason: str = "bad_request") -> Answer:
    wire = {"code": status, "reason": reason, "message": message}
    return Answer(status, json.dumps(wire).encode())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("2.5", 2.5),
        ("-5", 0.0),
        ("99999999999", 99_999_999_999.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 21:00:00 GMT", 0.0),
        ("Tue, 99 Nov 9999999 22:14:20 GMT", None),
        ("9" * 400, None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wish_to_come_back_later_is_read_however_odd(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, NOW_S) == seconds


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(400, "invalid api key"), InvalidApiKey),
        (told(401, "invalid api key", "not_authenticated"), InvalidApiKey),
        (told(400, "job is already ended"), SyncAlreadyEnded),
        (told(400, "sync info for id 8 not found"), SyncNotFound),
        (told(400, "sync info for id 9223372036854775807 not found"), SyncNotFound),
        (told(404, "sync info for id 8 not found", "not_found"), SyncNotFound),
        (told(400, "name is missing"), LakeRefused),
        (told(401, "who are you?", "not_authenticated"), InvalidApiKey),
        (told(403, "not for you", "not_allowed"), LakeRefused),
        (told(409, "not now"), LakeRefused),
        (told(413, "the body is larger than 8 bytes", "quota_exceed"), LakeRefused),
        (told(400, "over your quota", "quota_exceed"), LakeFull),
        (told(507, "disk full", "internal_error"), LakeFull),
        (told(500, "invalid api key", "internal_error"), LakeBroken),
        (told(500, "oh", "internal_error"), LakeBroken),
        (Answer(505, b""), LakeBroken),
        *((Answer(status, PAGE), LakeBusy) for status in (408, 429, 502, 503, 504)),
        (Answer(401, PAGE), InvalidApiKey),
        (Answer(403, b""), LakeRefused),
        (Answer(422, b'{"detail": [{"loc": ["body"]}]}'), LakeRefused),
        (Answer(404, b'{"detail": "Not Found"}'), LakeRefused),
        (Answer(404, PAGE), ContractBroken),
        (Answer(400, b"{"), ContractBroken),
        (Answer(400, b"[" * 100_000), ContractBroken),
        (Answer(302, PAGE), ContractBroken),
        (Answer(308, b""), ContractBroken),
    ],
)
def test_every_answer_becomes_one_of_our_errors(answer: Answer, kind: type[LakeDropError]) -> None:
    error = READER.error_of(answer, for_file=False)
    assert type(error) is kind
    assert "<" not in error.message
    assert error.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(400, "the name is too long", "invalid_param"), FileRefused),
        (told(422, "no good"), FileRefused),
        (Answer(413, PAGE), FileRefused),
        (told(413, "the body is larger than 8 bytes", "quota_exceed"), FileRefused),
        (Answer(415, b""), FileRefused),
        (told(400, "job is already ended"), SyncAlreadyEnded),
        (told(400, "expired", "expired"), LakeRefused),
        (told(403, "not for you", "not_allowed"), LakeRefused),
        (told(400, "over your quota", "quota_exceed"), LakeFull),
        (told(507, "disk full", "internal_error"), LakeFull),
        (told(500, "oh", "internal_error"), LakeBroken),
        (Answer(404, PAGE), ContractBroken),
    ],
)
def test_only_what_speaks_of_the_file_asks_to_mend_the_file(
    answer: Answer, kind: type[LakeDropError]
) -> None:
    assert type(READER.error_of(answer, for_file=True)) is kind


@pytest.mark.parametrize(
    ("code", "msg", "kind"),
    [
        (1, "no such column", FileRefused),
        (1, None, FileRefused),
        (-1, "", FileRefused),
        (1, "job is already ended", SyncAlreadyEnded),
        (400, "bad name", FileRefused),
        (500, "disk trouble", LakeBroken),
        (503, "busy", LakeBusy),
        (507, "disk full", LakeFull),
    ],
)
def test_a_code_other_than_0_is_a_failure_even_under_200(
    code: int, msg: str | None, kind: type[LakeDropError]
) -> None:
    error = READER.refusal_of(code, msg)
    assert type(error) is kind
    if msg and kind is FileRefused:
        assert msg in error.message


def test_the_wish_of_a_busy_server_is_handed_on() -> None:
    error = READER.error_of(Answer(503, b"", retry_after="12"), for_file=True)
    assert isinstance(error, LakeBusy)
    assert error.retry_after_s == 12.0


def test_the_server_s_own_words_are_shown_on_one_short_line() -> None:
    error = READER.error_of(told(409, "line 1\r\n\x1b[31mline 2\u202e" + "x" * 5000), for_file=True)
    assert "line 1 [31mline 2" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 500


def test_a_key_that_a_server_echoes_is_blotted_out() -> None:
    errors = [
        READER.error_of(told(409, f"key {KEY} is odd"), for_file=False),
        READER.refusal_of(1, f"key {KEY} is odd"),
        READER.nonsense(Answer(200, b"{}"), f"{KEY} is no number"),
    ]
    assert not any(KEY in str(error) or KEY in repr(error) for error in errors)

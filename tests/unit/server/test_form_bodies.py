"""Bodies of uploads: cut short, doubled, malformed, in pieces of any size."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_server.domain.errors import InvalidParam, LakeError, Refused
from embedded_server.routes.upload_form import UploadForm
from tests.support.observed_disk import tree
from tests.unit.server.conftest import Rooms

PART = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="a.csv"\r\n\r\n%s\r\n'
BODY = PART % (b"file", b"some\r\n--\r\nbytes") + b"--b--\r\n"


def _send(rooms: Rooms, sync_id: int, *pieces: bytes) -> None:
    form = UploadForm(b"b", rooms.uploads, sync_id, None)
    form.open()
    try:
        for piece in pieces:
            form.feed(piece)
        form.finish()
    except LakeError as error:
        form.abort(error.message)
        raise


@pytest.fixture
def sync_id(rooms: Rooms) -> int:
    return rooms.start("/data/x")


def _assert_nothing_written(rooms: Rooms) -> None:
    assert tree(rooms.files) == {}
    assert list(Path(rooms.layout.incoming).iterdir()) == []


def test_pieces_of_any_size_make_the_same_file(rooms: Rooms, sync_id: int) -> None:
    for size in (1, 2, 3, 7, 50, len(BODY) - 1, len(BODY)):
        pieces = [BODY[at : at + size] for at in range(0, len(BODY), size)]
        _send(rooms, sync_id, *pieces)
        assert tree(rooms.files) == {"data/x/a.csv": b"some\r\n--\r\nbytes"}


def test_a_body_cut_anywhere_publishes_nothing(rooms: Rooms, sync_id: int) -> None:
    whole = BODY.rstrip(b"\r\n")  # the line break after the last boundary may be left out
    for length in range(len(whole)):
        with pytest.raises(LakeError) as error:
            _send(rooms, sync_id, whole[:length])
        assert error.value.status == 400
    _assert_nothing_written(rooms)
    records = rooms.syncs.history(0, 1_000)
    assert records
    assert all(record.sync_status == "Failed" and record.message for record in records)


def test_two_files_in_one_request_are_refused_without_a_trace(rooms: Rooms, sync_id: int) -> None:
    with pytest.raises(Refused, match="second 'file' part"):
        _send(rooms, sync_id, PART % (b"file", b"1") + PART % (b"file", b"2") + b"--b--\r\n")
    _assert_nothing_written(rooms)
    assert rooms.syncs.history(0, 10) == []


def test_other_fields_are_passed_over(rooms: Rooms, sync_id: int) -> None:
    field = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    _send(rooms, sync_id, field + PART % (b"file", b"1") + field + b"--b--\r\n")
    assert tree(rooms.files) == {"data/x/a.csv": b"1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        PART % (b"other", b"1") + b"--b--\r\n",
        b"no boundary at all" * 10,
        BODY.replace(b"--b--", b"--b"),
        BODY.replace(b'; filename="a.csv"', b""),
        BODY.replace(b'"a.csv"', b'""'),
        BODY.replace(b"form-data", b"attachment"),
        BODY.replace(b"Content-Disposition", b"X-Other"),
        BODY.replace(b"a.csv", b"\xff\xfe.csv"),
        BODY.replace(b"a.csv", b"dir/a.csv"),
        BODY.replace(b"a.csv", b"..\\\\a.csv"),
        BODY.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 1),
        BODY.replace(b"\r\n\r\n", b"\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", 1),
        b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + b"x" * 70_000 + b"\r\n" + BODY,
        (b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n\r\n') * 40 + BODY,
    ],
)
def test_a_malformed_body_is_refused(rooms: Rooms, sync_id: int, body: bytes) -> None:
    with pytest.raises(InvalidParam):
        _send(rooms, sync_id, body)
    _assert_nothing_written(rooms)


def test_a_line_break_after_the_end_may_come_by_itself(rooms: Rooms, sync_id: int) -> None:
    _send(rooms, sync_id, BODY.rstrip(b"\r\n"), b"\r\n")
    assert tree(rooms.files) == {"data/x/a.csv": b"some\r\n--\r\nbytes"}


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_what_follows_the_end_is_passed_over_in_whichever_piece_it_comes(
    rooms: Rooms, sync_id: int, step: int
) -> None:
    body = BODY + b"epilogue\r\n--b\r\n"
    _send(rooms, sync_id, *(body[at : at + step] for at in range(0, len(body), step)))
    assert tree(rooms.files) == {"data/x/a.csv": b"some\r\n--\r\nbytes"}


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_what_comes_before_the_beginning_is_refused_in_whichever_piece_it_comes(
    rooms: Rooms, sync_id: int, step: int
) -> None:
    body = b"preamble\r\n" + BODY
    with pytest.raises(InvalidParam, match="begin with the boundary"):
        _send(rooms, sync_id, *(body[at : at + step] for at in range(0, len(body), step)))
    _assert_nothing_written(rooms)


def test_a_digest_that_does_not_fit_publishes_nothing(rooms: Rooms, sync_id: int) -> None:
    wrong = b"\r\nContent-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\n"
    with pytest.raises(Refused, match="digest"):
        _send(rooms, sync_id, BODY.replace(b"\r\n\r\n", wrong, 1))
    _assert_nothing_written(rooms)
    [record] = rooms.syncs.history(0, 10)
    assert record.sync_status == "Failed"


def test_a_name_in_latin_1_is_told_in_our_own_words(rooms: Rooms, sync_id: int) -> None:
    with pytest.raises(InvalidParam) as refusal:
        _send(rooms, sync_id, BODY.replace(b"a.csv", "donnée.csv".encode("latin-1")))
    assert refusal.value.message == "a header of the part is not UTF-8"
    _assert_nothing_written(rooms)

"""What every lake that can does with a file that breaks off in the middle."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest

from app.domain.errors import Cancelled, LakeBusy, SyncAborted
from app.domain.resumable import HowFar
from embedded_server.contract import SyncType
from tests.conformance.lakes import LakeUnderTest, Promise
from tests.conformance.syncs import published
from tests.support.contents import PIECE_BYTES, BytesContent, ignore_sent

_DATA = random.Random(3).randbytes(5 * PIECE_BYTES + 17)
_NAME = "Bán hàng 100%.bin"


@pytest.fixture(autouse=True)
def can_resume(needs: Callable[[Promise], None]) -> None:
    needs(Promise.RESUMES)


@pytest.fixture
def sync_id(lake: LakeUnderTest, path: str) -> int:
    return lake.gateway.start_sync("large", path, SyncType.INCREMENTAL)


def _broken_off(lake: LakeUnderTest, sync_id: int, path: str) -> tuple[str, int]:
    """(upload, offset) of a file of which some came before its reading was cancelled."""
    upload = lake.gateway.begin_upload(sync_id, f"{path}/below", _NAME, len(_DATA))
    content = BytesContent(_DATA, error=Cancelled(), error_after_bytes=4 * PIECE_BYTES)
    with pytest.raises(Cancelled):
        lake.gateway.go_on_upload(upload, 0, content, ignore_sent)
    there = lake.gateway.how_far(upload)
    assert there is not None
    assert there.length_bytes == len(_DATA)
    return upload, there.offset_bytes


def test_a_file_goes_on_where_it_was(lake: LakeUnderTest, path: str, sync_id: int) -> None:
    upload, offset = _broken_off(lake, sync_id, path)
    assert 0 < offset <= 4 * PIECE_BYTES
    assert published(lake, path) == {}
    rest = BytesContent(_DATA)
    rest.skip(offset)
    sent: list[int] = []
    receipt = lake.gateway.go_on_upload(upload, offset, rest, sent.append)
    assert receipt.sha256 == hashlib.sha256(_DATA).hexdigest()
    assert receipt.size_bytes == len(_DATA)
    assert sum(sent) == len(_DATA) - offset
    assert published(lake, path) == {f"below/{_NAME}": _DATA}


def test_an_answer_that_was_lost_is_asked_for_again(
    lake: LakeUnderTest, path: str, sync_id: int
) -> None:
    upload = lake.gateway.begin_upload(sync_id, path, "a.bin", len(_DATA))
    first = lake.gateway.go_on_upload(upload, 0, BytesContent(_DATA), ignore_sent)
    assert lake.gateway.how_far(upload) == HowFar(len(_DATA), len(_DATA))
    nothing_left = BytesContent(_DATA)
    nothing_left.skip(len(_DATA))
    again = lake.gateway.go_on_upload(upload, len(_DATA), nothing_left, ignore_sent)
    assert again == first
    assert published(lake, path) == {"a.bin": _DATA}


def test_another_offset_than_the_lakes_is_to_be_looked_at_again(
    lake: LakeUnderTest, path: str, sync_id: int
) -> None:
    upload, offset = _broken_off(lake, sync_id, path)
    rest = BytesContent(_DATA)
    rest.skip(offset - 1)
    with pytest.raises(LakeBusy):
        lake.gateway.go_on_upload(upload, offset - 1, rest, ignore_sent)
    assert lake.gateway.how_far(upload) == HowFar(offset, len(_DATA))


def test_what_was_given_up_cannot_be_gone_on_with(
    lake: LakeUnderTest, path: str, sync_id: int
) -> None:
    upload, offset = _broken_off(lake, sync_id, path)
    lake.gateway.give_up_upload(upload)
    lake.gateway.give_up_upload(upload)
    assert lake.gateway.how_far(upload) is None
    rest = BytesContent(_DATA)
    rest.skip(offset)
    with pytest.raises(LakeBusy):
        lake.gateway.go_on_upload(upload, offset, rest, ignore_sent)
    assert published(lake, path) == {}


def test_nothing_goes_on_once_the_sync_is_over(
    lake: LakeUnderTest, path: str, sync_id: int
) -> None:
    upload, _ = _broken_off(lake, sync_id, path)
    assert lake.gateway.abort_sync(sync_id)
    assert lake.gateway.how_far(upload) is None
    with pytest.raises(SyncAborted):
        lake.gateway.begin_upload(sync_id, path, "b.bin", 5)
    assert published(lake, path) == {}


def test_an_id_that_nobody_gave_is_not_known(lake: LakeUnderTest) -> None:
    assert lake.gateway.how_far("0" * 32) is None

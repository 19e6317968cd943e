"""The ways in which files travel to a lake server; the tests of crashes are run with each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.support.lake_connection import LakeConnection, LakeFile, acknowledged
from tests.support.ledger import Acknowledged, Received
from tests.support.tus_pieces import ask_offset, begin_upload, send_up_to

# Yields what was told, answer by answer; raises one of `LOST` when the server went.
Uploader = Callable[[LakeConnection, int, Sequence[LakeFile]], Iterator[Sequence[Received]]]


def one_by_one(
    lake: LakeConnection, sync_id: int, files: Sequence[LakeFile]
) -> Iterator[list[Acknowledged]]:
    for file in files:
        answer = lake.upload(sync_id, file)
        assert answer.is_success, answer
        yield [acknowledged(sync_id, file, answer.body)]


def in_batches(
    lake: LakeConnection, sync_id: int, files: Sequence[LakeFile]
) -> Iterator[list[Acknowledged]]:
    answer = lake.batch(sync_id, files)
    assert answer.is_success, answer
    results = answer.body["results"]
    assert [result["code"] for result in results] == [0] * len(files), results
    yield [acknowledged(sync_id, file, result) for file, result in zip(files, results, strict=True)]


def in_pieces(
    lake: LakeConnection, sync_id: int, files: Sequence[LakeFile]
) -> Iterator[Sequence[Received]]:
    """Resumable (tus): two or three requests a file, and the offset asked for in between."""
    for file in files:
        chance = random.Random(file.path)
        size_bytes = len(file.data)
        ends = sorted({chance.randrange(1, size_bytes) for _ in range(2)} | {size_bytes})
        with_bytes = ends.pop(0) if chance.random() < 0.5 else 0
        version = version_of(file.path, file.data)
        assert version is not None, file.path
        upload = begin_upload(lake, sync_id, file, version, with_bytes)
        yield [upload]
        for end_bytes in ends:
            yield send_up_to(lake, upload, file, end_bytes)
            upload = ask_offset(lake, upload)
            yield [upload]


RESUMABLE = "in pieces"
UPLOADERS: Mapping[str, Uploader] = {
    "one by one": one_by_one,
    "in batches": in_batches,
    RESUMABLE: in_pieces,
}


_VERSION_DIGITS = 4


def content_of(path: str, version: int = 0) -> bytes:
    """The only right bytes of a file's version: a few KiB, now and then more than 1 MiB.

    Begins with the version, so that what lies on a disk can be judged without knowing who sent it.
    """
    chance = random.Random(f"{path}#{version}")
    size_bytes = chance.choice([1, 700, 4_096, 9_000, 20_000, 20_000, 60_000])
    if chance.random() < 0.03:
        size_bytes = 1_500_000
    return b"%0*d" % (_VERSION_DIGITS, version) + chance.randbytes(size_bytes)


def version_of(path: str, data: bytes) -> int | None:
    """None when these bytes are no version of this file: cut short, NULs, mixed."""
    digits = data[:_VERSION_DIGITS]
    if len(digits) < _VERSION_DIGITS or not digits.isdigit():
        return None
    return int(digits) if data == content_of(path, int(digits)) else None


def lake_file(path: str, version: int = 0) -> LakeFile:
    return LakeFile(path, content_of(path, version))

"""The ways in which files travel to a lake server; the tests of crashes are run with each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.support.lake_connection import LakeConnection, LakeFile, acknowledged
from tests.support.ledger import Acknowledged

# Yields what was acknowledged, answer by answer; raises one of `LOST` when the server went.
Uploader = Callable[[LakeConnection, int, Sequence[LakeFile]], Iterator[list[Acknowledged]]]


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


UPLOADERS: Mapping[str, Uploader] = {"one by one": one_by_one, "in batches": in_batches}


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

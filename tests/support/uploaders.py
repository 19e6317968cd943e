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


def content_of(path: str, size_bytes: int | None = None) -> bytes:
    """The only right bytes of a file, known by its name alone; never empty, no run of NULs.

    Without a size: mostly a few KiB, now and then more than the server takes for a small file.
    """
    chance = random.Random(path)
    if size_bytes is None:
        size_bytes = chance.choice([1, 700, 4_096, 9_000, 20_000, 20_000, 60_000])
        if chance.random() < 0.03:
            size_bytes = 1_500_000
    return chance.randbytes(size_bytes)


def lake_file(path: str, size_bytes: int | None = None) -> LakeFile:
    return LakeFile(path, content_of(path, size_bytes))

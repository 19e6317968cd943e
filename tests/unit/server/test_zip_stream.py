"""A folder as a zip archive, however many files it holds."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from embedded_server.domain.errors import LakeFault
from embedded_server.storage.opened_folder import OpenedFolder
from embedded_server.storage.zip_stream import zipped

_FOLDERS, _FILES = 20, 500
_MOST_BYTES = 4 << 20


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("many")
    for number in range(_FOLDERS):
        folder = top / f"month={number:02}"
        folder.mkdir()
        for name in range(_FILES):
            (folder / f"part-{name:05}-of-a-usual-length.parquet").touch()
    return top


def test_no_member_stays_in_memory(many: Path, tmp_path: Path) -> None:
    stream = zipped(OpenedFolder.at(str(many), ()), "many", str(tmp_path))
    tracemalloc.start()
    try:
        sent_bytes = sum(len(piece) for piece in stream)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent_bytes > _FOLDERS * _FILES * 100
    assert peak_bytes < _MOST_BYTES
    assert list(tmp_path.iterdir()) == []


def test_the_archive_has_every_member_with_its_time(many: Path, tmp_path: Path) -> None:
    stream = zipped(OpenedFolder.at(str(many), ()), "many", str(tmp_path))
    with zipfile.ZipFile(io.BytesIO(b"".join(stream))) as archive:
        assert archive.testzip() is None
        members = archive.infolist()
    assert len({it.filename for it in members}) == len(members) == _FOLDERS * _FILES
    assert members[0].filename == "many/month=00/part-00000-of-a-usual-length.parquet"
    assert all(it.date_time > (2020, 1, 1, 0, 0, 0) for it in members)
    assert all(it.external_attr >> 16 == 0o100644 for it in members)


def test_no_room_for_the_directory_is_told(many: Path, tmp_path: Path) -> None:
    with pytest.raises(LakeFault):
        list(zipped(OpenedFolder.at(str(many), ()), "many", str(tmp_path / "not there")))

"""Junk is known by its name; the names that tables are made of are none."""

from __future__ import annotations

import pytest

from app.domain.junk import junk_reason


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "Thumbs.db",
        "THUMBS.DB",
        "ehthumbs.db",
        "desktop.ini",
        "Desktop.ini",
        "Icon\r",
        "~$report.xlsx",
        "~WRL0005.tmp",
        ".~lock.report.ods#",
        ".nfs00000000012ab34c00000001",
        ".fuse_hidden0000001200000003",
        "big.parquet.crdownload",
        "big.parquet.part",
        "big.parquet.PARTIAL",
        "big.parquet.1a2b3c4d.partial",
        "big.parquet.filepart",
        "big.parquet.opdownload",
        "big.parquet.aria2",
        ".azDownload-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-big.parquet",
        ".com.google.Chrome.aB3dE6",
        ".org.chromium.Chromium.aB3dE6",
        "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d.tmp",
    ],
)
def test_files_that_nobody_means_to_upload_are_junk(name: str) -> None:
    assert junk_reason(name, is_folder=False)
    assert not junk_reason(name, is_folder=True)


@pytest.mark.parametrize(
    "name",
    [
        "_SUCCESS",
        "._SUCCESS.crc",
        ".part-00000-1a2b.snappy.parquet.crc",
        "part-00000.parquet",
        "part",
        ".part",
        "_metadata",
        "_delta_log",
        "_temporary",
        ".hoodie",
        ".hoodie_partition_metadata",
        ".keep",
        ".gitignore",
        ".env",
        ".hidden.csv",
        "download.tmp",
        "events.2026-11-25.tmp",
        "data.bak",
        "data.csv~",
        "thumbs.db.csv",
        "desktop.ini.csv",
        "~report.csv",
        "x.DS_Store",
        "icon",
        ".nfs-mounts",
        "parts.csv",
        "a.part.csv",
    ],
)
def test_hidden_and_underscore_names_are_data(name: str) -> None:
    assert not junk_reason(name, is_folder=False)
    assert not junk_reason(name, is_folder=True)


@pytest.mark.parametrize(
    "name",
    [".Spotlight-V100", ".Trashes", ".fseventsd", "$RECYCLE.BIN", "System Volume Information"],
)
def test_folders_that_a_system_keeps_on_a_disk_are_junk(name: str) -> None:
    assert junk_reason(name, is_folder=True)
    assert not junk_reason(name, is_folder=False)

"""Headers as real clients send them."""

from __future__ import annotations

import pytest

from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import checked_name
from embedded_server.routes.multipart_headers import (
    boundary_of,
    field_and_file_name,
    folder_of_header,
    sha256_of_digest_header,
)

# The form in which each client writes the name on the right.
SENT = {
    "curl 7.88": ('form-data; name="file"; filename="bảng.csv"', "bảng.csv"),
    "curl 7.88, a quote": ('form-data; name="file"; filename="a%22b.csv"', 'a"b.csv'),
    "curl before 7.81, a quote": ('form-data; name="file"; filename="a\\"b.csv"', 'a"b.csv'),
    "httpx": ('form-data; name="file"; filename="bảng (1).csv"', "bảng (1).csv"),
    "requests, plain": ('form-data; name="file"; filename="a b.csv"', "a b.csv"),
    "requests, old urllib3": (
        "form-data; name=\"file\"; filename*=utf-8''b%E1%BA%A3ng.csv",
        "bảng.csv",
    ),
    "both forms": (
        'form-data; name="file"; filename="?.csv"; filename*=UTF-8\'\'b%E1%BA%A3ng.csv',
        "bảng.csv",
    ),
    "Qt": ('form-data; name="file"; filename="dữ liệu.parquet"', "dữ liệu.parquet"),
    "a token": ("form-data; name=file; filename=plain.csv", "plain.csv"),
    "no space": ('form-data;name="file";filename="x.csv"', "x.csv"),
    "a semicolon": ('form-data; name="file"; filename="a;b.csv"', "a;b.csv"),
    "a percent sign": ('form-data; name="file"; filename="ts=10%3A00"', "ts=10%3A00"),
}


@pytest.mark.parametrize("client", SENT)
def test_a_file_name_is_read_as_the_client_meant_it(client: str) -> None:
    header, name = SENT[client]
    assert field_and_file_name(header) == ("file", name)


@pytest.mark.parametrize("name", ["C:\\data\\x.csv", "\\\\server\\x.csv", "a/b.csv", "../x"])
def test_a_path_is_never_cut_down_to_its_last_part(name: str) -> None:
    read = field_and_file_name(f'form-data; name="file"; filename="{name}"')[1]
    assert read is not None
    with pytest.raises(InvalidParam):
        checked_name(read)


@pytest.mark.parametrize(
    "parameters",
    [
        'filename="a"b.csv"',
        'filename=a"b.csv"',
        'filename="a.csv',
        'filename="a\\"',
        'filename="a.csv" b.csv',
        'filename="a.csv"; "b.csv"',
        'filename="a.csv"; filename="b.csv"',
        'filename="a.csv"; FileName=b.csv',
        "filename*=UTF-8''a; filename*=UTF-8''b",
        'filename="a.csv"; name="other"',
    ],
)
def test_a_name_that_could_be_read_in_two_ways_is_refused(parameters: str) -> None:
    with pytest.raises(InvalidParam, match="Content-Disposition"):
        field_and_file_name(f'form-data; name="file"; {parameters}')


def test_what_stands_at_the_end_of_a_header_is_no_matter() -> None:
    assert field_and_file_name('form-data; name="file"; filename="a" ;') == ("file", "a")


def test_no_file_name_is_told_from_an_empty_one() -> None:
    assert field_and_file_name('form-data; name="file"') == ("file", None)
    assert field_and_file_name('form-data; name="file"; filename=""') == ("file", "")


@pytest.mark.parametrize("value", ["latin1''x", "x", "UTF-8''%FF"])
def test_an_extended_name_in_another_charset_is_refused(value: str) -> None:
    with pytest.raises(InvalidParam):
        field_and_file_name(f'form-data; name="file"; filename*={value}')


def test_the_last_of_two_boundaries_is_the_one_of_the_body() -> None:
    header = b"multipart/form-data; boundary=---0110; boundary=------------------------6a81"
    assert boundary_of([(b"content-type", header)]) == b"------------------------6a81"
    assert boundary_of([(b"content-type", b'Multipart/Form-Data; Boundary="a b"')]) == b"a b"


@pytest.mark.parametrize(
    "header",
    [
        b"application/json",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=" + b"x" * 300,
        b"multipart/form-data; boundary=\xff",
        b"multipart/mixed; boundary=x",
        b'multipart/form-data; boundary="x',
        b'multipart/form-data; boundary=x"y',
    ],
)
def test_a_request_that_is_no_form_is_refused(header: bytes) -> None:
    with pytest.raises(InvalidParam):
        boundary_of([(b"content-type", header)])


def test_a_digest_is_read_from_rfc_9530() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    value = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert sha256_of_digest_header(value) == empty
    assert sha256_of_digest_header(f"md5=:xx:, {value}") == empty
    assert sha256_of_digest_header("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:") is None
    assert sha256_of_digest_header(None) is None
    assert sha256_of_digest_header(f"{value};x=1, md5=:xx:") == empty
    assert sha256_of_digest_header("sha-2567=:xx:, not-sha-256=:xx:") is None


@pytest.mark.parametrize(
    "value",
    [
        "sha-256=:aGVsbG8=:",
        "sha-256",
        "sha-256=",
        "sha-256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:x",
        "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5=:xx:, sha-256=?",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, "
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    ],
)
def test_a_digest_that_cannot_be_read_is_refused_and_never_left_out(value: str) -> None:
    with pytest.raises(InvalidParam, match="Content-Digest"):
        sha256_of_digest_header(value)


def test_a_folder_header_is_percent_encoded_utf_8() -> None:
    assert folder_of_header("/data/b%E1%BA%A3ng/100%25") == "/data/bảng/100%"
    with pytest.raises(InvalidParam):
        folder_of_header("/data/%FF")

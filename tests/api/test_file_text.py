"""The text of a file, or the apparent format of a file without text."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given, strategies as st

from app.errors import InvalidLines
from app.schemas.file_text import text_of


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), "x" * 500)  # without a date
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("title\r\nGr\u00fc\u00dfe aus K\u00f6ln\r\n", "cp1252", "Windows-1252"),
        ("title,description\n\u00e0 la carte,\u00e9t\u00e9\n", "cp1252", "Windows-1252"),
        ("title\n\u201cquoted\u201d \u20ac 5\n", "cp1252", "Windows-1252"),
        ("title\nZa\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105\n", "cp1250", "Windows-1250"),
        ("title\n\u041a\u0443\u043f\u0438 \u0445\u043b\u0435\u0431\n", "cp1251", "Windows-1251"),
        ("title\n\u03a8\u03c9\u03bc\u03af \u03b3\u03ac\u03bb\u03b1\n", "cp1253", "Windows-1253"),
        ("title\n\u725b\u4e73\u3092\u8cb7\u3046\n\u30bf\u30a4\u30c8\u30eb\n", "cp932", "Shift-JIS"),
        ("title\n\uc6b0\uc720\ub97c \uc0ac\ub2e4\n", "cp949", "EUC-KR"),
        ("title\n\u6253\u7535\u8bdd\u7ed9\u6c34\u7ba1\u5de5\n", "gb18030", "GB18030"),
        ("title\n\u8cb7\u725b\u5976\n", "big5", "Big5"),
        ("title\nx\n", "utf-16-le", "UTF-16 without a byte order mark"),
        ("title\nx\n", "utf-16-be", "UTF-16 without a byte order mark"),
    ],
)  # fmt: skip
def test_file_in_another_encoding_is_refused_by_its_name(
    text: str, encoding: str, name: str
) -> None:
    with pytest.raises(InvalidLines, match=f"^This file is encoded as .*{name}"):
        text_of(text.encode(encoding))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "an Excel workbook"),
        (archive("a.csv"), "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Excel workbook"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n", "a PDF"),
        (gzip.compress(b"title\nx\n", mtime=0), "a compressed archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "an image"),
        (b"SQLite format 3\0\x10\0", "an SQLite database"),
        (b"<!DOCTYPE html>\n<html><table>", "an HTML page"),
        (b'<?xml version="1.0"?><Workbook/>', "an XML file"),
        (b"{\\rtf1\\ansi title}", "an RTF document"),
        (b"title\n\xff\xfe\0\x01\x02", "a binary file"),
    ],
)
def test_file_that_is_no_text_is_refused_by_what_it_looks_like(content: bytes, name: str) -> None:
    with pytest.raises(InvalidLines, match=f"^This file looks like {name}"):
        text_of(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_without_its_byte_order_mark(encoding: str) -> None:
    text = "title\nGr\u00fc\u00dfe \U0001f351\n"
    assert text_of(text.encode(encoding)) == text


@pytest.mark.parametrize("text", ["", "\n", "<", "{", "P", "title\n%PDF-\n", "title\nPK\x03\x04\n"])
def test_text_that_only_holds_a_signature_is_text(text: str) -> None:
    assert text_of(text.encode()) == text


@given(data=st.binary(max_size=200))
def test_any_bytes_are_text_or_refused_with_a_line(data: bytes) -> None:
    try:
        text_of(data)
    except InvalidLines as error:
        (fault,) = error.lines
        assert 1 <= fault["line"] <= data.count(b"\n") + 1

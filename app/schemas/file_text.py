"""The text of an uploaded file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

For any other file the error names its probable format, so that the sender can correct it.
"""

import codecs
import re
from typing import Any

from app.errors import InvalidLines
from app.faults import Code, Fault
from app.schemas.strict_json import pointer

FAULTS_MAX = 100  # of a file in one response
_MARKS = (  # UTF-32 before UTF-16, whose marks are prefixes
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SIGNATURES = (
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)"),
    (rb"PK[\x03\x05\x07][\x04\x06\x08].{0,8000}\bxl/", "an Excel workbook (.xlsx)"),
    (rb"PK\x03\x04.{26}mimetype.{0,60}opendocument", "an OpenDocument file (.ods)"),
    (rb"PK[\x03\x05\x07][\x04\x06\x08]", "a zip archive"),
    (rb"\x1f\x8b|BZh|7z\xbc\xaf|Rar!|\xfd7zXZ|\x28\xb5\x2f\xfd", "a compressed archive"),
    (rb"%PDF-", "a PDF"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "an image"),
    (rb"SQLite format 3\0", "an SQLite database"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"\s*<(?:!doctype html|html|table|head|body)\b", "an HTML page"),
    (rb"\s*<(?:\?xml|[a-z])", "an XML file"),
)
_LOOKS = [(re.compile(form, re.DOTALL | re.IGNORECASE), kind) for form, kind in _SIGNATURES]
_UTF_16 = re.compile(rb"(?:[^\0]\0){3}|(?:\0[^\0]){3}")  # three ASCII letters at the beginning
_UTF_8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
# Encodings of whole scripts: nearly all words of two or more letters match the script's pattern.
_SCRIPTS = (
    ("Shift-JIS", "cp932", "[\u3005\u3040-\u30ff\u4e00-\u9fff]*[\u3040-\u30ff]\\w*"),
    ("EUC-KR", "cp949", "[\uac00-\ud7a3]+"),
    ("Windows-1251", "cp1251", "[\u0410-\u042f\u0401]?[\u0430-\u044f\u0451]+|[\u0410-\u042f]+"),
    ("Windows-1253", "cp1253", "[\u0386-\u03ab]?[\u03ac-\u03ce]+|[\u0386-\u03ab]+"),
    ("GB18030 or Big5", "gb18030", "[\u4e00-\u9fff]+"),
    ("GB18030 or Big5", "big5", "[\u4e00-\u9fff]+"),
)
_LATIN = (("Windows-1252", "cp1252"), ("Windows-1250", "cp1250"))
_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w+|\w+[^\W\x00-\x7f]\w*")  # with a letter beyond ASCII
_SAVE = "Save it as UTF-8 and send it again."
_EXPORT = "Save the tasks as CSV in UTF-8 and send that file."
_SAMPLE = 20_000  # bytes for the guess of an encoding


def text_of(data: bytes) -> str:
    """Return the text of the file without its byte order mark. Raises InvalidLines."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return _decode(data, codec, name)
    for form, kind in _LOOKS:
        if form.match(data):
            raise unreadable(f"This file looks like {kind}. {_EXPORT}")
    if _UTF_16.match(data):
        raise unreadable(f"This file is encoded as UTF-16 without a byte order mark. {_SAVE}")
    return _decode(data, "utf-8", "")


def unreadable(why: str, line: int = 1) -> InvalidLines:
    return InvalidLines(why, [fault(line, "", Fault(Code.MALFORMED, why))])


def fault(line: int, name: str, why: Fault) -> dict[str, Any]:
    """Return a fault of a line, in the field `name` (a JSON Pointer without its first slash)."""
    return {"line": line, "pointer": pointer(name), "code": why.code, "detail": why}


def _decode(data: bytes, codec: str, marked: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        start = error.start
    broken = f"and is broken at byte {start + 1}. {_SAVE}"
    why = f"This file is marked as {marked}, {broken}" if marked else _describe(data, start, broken)
    raise unreadable(why, data.count(b"\n", 0, start) + 1)


def _describe(data: bytes, start: int, broken: str) -> str:
    """Return the message for a file whose byte at `start` is not UTF-8."""
    sample = data[max(0, start - _SAMPLE // 4) :][:_SAMPLE]
    if _CONTROL.search(sample):
        return f"This file looks like a binary file. {_EXPORT}"
    if 2 * sum(map(len, _UTF_8.findall(sample))) > len(_HIGH.findall(sample)):
        return f"This file is encoded as UTF-8, {broken}"
    return f"This file is encoded as {_encoding(sample)}. {_SAVE}"


def _encoding(sample: bytes) -> str:
    for name, codec, form in _SCRIPTS:
        words = _WORD.findall(sample.decode(codec, "replace"))
        if words and sum(bool(re.fullmatch(form, word)) for word in words) >= 0.8 * len(words):
            return name
    return max(_LATIN, key=lambda each: _letters(sample, each[1]))[0]


def _letters(sample: bytes, codec: str) -> int:
    """Return the number of non-ASCII letters of the sample in this encoding."""
    return sum(not c.isascii() and c.isalpha() for c in sample.decode(codec, "replace"))

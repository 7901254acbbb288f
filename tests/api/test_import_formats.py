"""Files from common programs are read; the refusal of any other file names its format."""

import json

import pytest

from tests.api.test_export_api import lines
from tests.api.test_import_api import refused, send, take_in
from tests.support.answers import slug_of
from tests.support.clients import Api

UTF_8 = "\ufeff".encode()


def titles(api: Api) -> list[str]:
    return [task["title"] for task in lines(api, "sort=created_at")]


def why(api: Api, kind: str, content: bytes) -> str:
    """Return the reason of the refusal. Asserts that its line has the same one."""
    answer = send(api, kind, content)
    assert slug_of(answer) == (422, "invalid-lines")
    problem = answer.get_json()
    (fault,) = problem["errors"]
    assert (fault["code"], fault["detail"]) == ("malformed", problem["detail"])
    detail: str = problem["detail"]
    return detail


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            b'title;priority;labels\r\n"Order; paper";high;office\r\nCall the plumber;;home\r\n',
            ["Order; paper", "Call the plumber"],
        ),
        (b"title\tpriority\r\nOne, two;\thigh\r\n", ["One, two;"]),
        (b"sep=;\r\ntitle;status\r\nOne;todo\r\n", ["One"]),
        (b'"sep=;"\ntitle;status\nOne;todo\n', ["One"]),
        (b"SEP=\t\ntitle\tstatus\nOne\ttodo\n", ["One"]),
        (b"sep=|\ntitle|status\nOne|todo\n", ["One"]),
        (b"sep=,\ntitle\nOne;two\n", ["One;two"]),
        (b"title\na,\n", ["a"]),
        (b"title\na;b\n", ["a;b"]),
        (b'"title";"labels"\n"a";"b;c"\n', ["a"]),
        (b"Title , priority,labels\r\nFirst,high,a\r\n,,\r\nSecond\r\n\r\nThird,low\r\n",
         ["First", "Second", "Third"]),
        (b" TITLE ;Due_At\nOne\n", ["One"]),
        (b"\r\n,\r\ntitle,labels\r\n \r\nOne,a\r\n", ["One"]),
        (b"title,labels,,\r\nOne,a,,\r\nTwo,b,,,,,\r\n", ["One", "Two"]),
        (b",title\n,One\n", ["One"]),
        (UTF_8 + b"title\nOne\n", ["One"]),
        (UTF_8 + b"sep=;\r\ntitle;labels\nOne;a\n", ["One"]),
        ("title,labels\r\nGr\u00fc\u00dfe,\u00c4\r\n".encode("utf-16"), ["Gr\u00fc\u00dfe"]),
        ("\ufefftitle\tlabels\r\n\u8cb7\ta\r\n".encode("utf-16-be"), ["\u8cb7"]),
        ("title\n\U0001f351\n".encode("utf-32"), ["\U0001f351"]),
    ],
)  # fmt: skip
def test_csv_as_people_save_it_is_read(ann_api: Api, content: bytes, found: list[str]) -> None:
    assert take_in(ann_api, "csv", content) == len(found)
    assert titles(ann_api) == found


def test_cells_that_are_missing_are_the_defaults(ann_api: Api) -> None:
    take_in(ann_api, "csv", "title;priority;labels;status\nOne;high\n")
    (task,) = lines(ann_api)
    assert (task["priority"], task["labels"], task["status"]) == ("high", [], "todo")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_ndjson_is_read_with_a_byte_order_mark(ann_api: Api, encoding: str) -> None:
    content = "\n".join(json.dumps({"title": title}) for title in "ab").encode(encoding)
    assert take_in(ann_api, "ndjson", content) == 2
    assert titles(ann_api) == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("csv", "title\r\nGr\u00fc\u00dfe\r\n".encode("cp1252"), "encoded as Windows-1252"),
        ("ndjson", b"\xe9", "encoded as Windows-1252"),
        ("csv", b"PK\x03\x04", "looks like a zip archive"),
        ("csv", b'{"title": "x"}\n', "looks like JSON"),
        ("csv", b'[{"title": "x"}]', "looks like JSON"),
        ("ndjson", b'[{"title": "x"}]', "a JSON array"),
        ("ndjson", b"title,labels\nx,y\n", "looks like CSV"),
        ("ndjson", b"Title;Labels\nx;y\n", "looks like CSV"),
        ("csv", "title\nx".encode("utf-16") + b"x", "marked as UTF-16"),
        ("csv", b"\xff\xfet\0\0\xd8x\0", "marked as UTF-16"),
        ("csv", b"\xef\xbb\xbftitle\n\xff\n", "marked as UTF-8"),
        ("csv", b"title\nGr\xc3\xbc\xc3\x9fe\nK\xffln\n", "is broken at byte 16"),
    ],
)
def test_file_that_cannot_be_read_is_refused_by_what_it_is(
    ann_api: Api, kind: str, content: bytes, words: str
) -> None:
    assert words in why(ann_api, kind, content)
    assert titles(ann_api) == []


def test_fault_of_an_encoding_names_its_line(ann_api: Api) -> None:
    answer = send(ann_api, "csv", b"title\na\nb\nM\xfcll\n")
    assert refused(answer) == [(4, "")]


def test_header_that_is_not_valid_names_each_column_at_fault(ann_api: Api) -> None:
    answer = send(ann_api, "csv", "colour,name,name\nred,x,y\n")
    assert [(fault["pointer"], fault["code"]) for fault in answer.get_json()["errors"]] == [
        ("/colour", "unknown_field"),
        ("/name", "unknown_field"),
        ("/name", "repeated"),
        ("/title", "required"),
    ]


def test_errors_are_told_by_the_line_of_the_file(ann_api: Api) -> None:
    lines = [
        "sep=;",
        "Title;status;description",
        'a;todo;"a\r\nb\r\nc"',
        "",
        ";;;",
        "d;x",
        '"e\n";y',
        "f;z",
    ]
    content = "\r\n".join(lines)
    assert refused(send(ann_api, "csv", content)) == [
        (8, "/status"),
        (9, "/status"),
        (11, "/status"),
    ]

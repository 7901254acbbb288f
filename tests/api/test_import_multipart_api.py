"""An import may also be a form with the tasks in the field `file`."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Task
from tests.api.test_export_api import lines
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.rows import rows

KEY = {"Idempotency-Key": "of-the-import"}
MIB = 2**20
CSV = b"title,labels\r\nPlums,a;b\r\nPears,\r\n"
NDJSON = b'{"title": "Plums"}\n{"title": "Pears"}\n'


def part(
    content: bytes = CSV, name: str = "file", filename: str | None = "tasks.csv", kind: str = ""
) -> bytes:
    """Return a part of a form as HTTP libraries write it (RFC 7578)."""
    disposition = f'form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = f"Content-Disposition: {disposition}\r\n"
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return head.encode() + b"\r\n" + content + b"\r\n"


def post(api: Api, *parts: bytes, boundary: str = "of-the-test", **options: Any) -> TestResponse:
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + each for each in parts) + mark + b"--\r\n"
    kind = f"multipart/form-data; boundary={boundary}"
    return api.call("POST", "/tasks/import", data=body, content_type=kind, **options)


def titles(api: Api) -> list[str]:
    return [task["title"] for task in lines(api, "sort=created_at")]


@pytest.mark.parametrize(
    ("content", "filename", "kind"),
    [
        (CSV, "tasks.csv", "text/csv"),
        (CSV, "tasks.csv", "application/vnd.ms-excel"),
        (CSV, "TASKS.TXT", ""),
        (CSV, "blob", "application/octet-stream"),
        ("title\tlabels\nPlums\ta\nPears\t\n".encode("utf-16"), "Tasks.txt", "text/plain"),
        (NDJSON, "tasks.ndjson", "application/x-ndjson"),
        (NDJSON, "blob", ""),
        (b"\xef\xbb\xbf" + NDJSON, "tasks.jsonl", "application/octet-stream"),
    ],
)
def test_file_of_a_form_is_imported(ann_api: Api, content: bytes, filename: str, kind: str) -> None:
    answer = post(ann_api, part(content, filename=filename, kind=kind))
    assert (answer.status_code, answer.get_json()) == (201, {"created": 2, "warnings": []})
    assert titles(ann_api) == ["Plums", "Pears"]


def test_empty_file_is_read_as_the_media_type_of_its_part(ann_api: Api) -> None:
    answer = post(ann_api, part(b"", kind="application/x-ndjson"))
    assert (answer.status_code, answer.get_json()["created"]) == (201, 0)
    assert slug_of(post(ann_api, part(b"", kind="text/csv"))) == (422, "invalid-lines")


def test_warnings_and_errors_have_the_lines_of_the_file(ann_api: Api) -> None:
    answer = post(ann_api, part(b"title,assignee\nPlums,\nPears,carol\n"))
    assert [warning["line"] for warning in answer.get_json()["warnings"]] == [3]
    answer = post(ann_api, part(b"title,status\nPlums,\nPears,x\n"))
    assert slug_of(answer) == (422, "invalid-lines")
    assert [fault["line"] for fault in answer.get_json()["errors"]] == [3]


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([], {"/file": "required"}),
        ([part(name="other")], {"/file": "required", "/other": "unknown_field"}),
        ([part(), part(b"1", name="dry", filename=None)], {"/dry": "unknown_field"}),
        ([part(), part()], {"/file": "repeated"}),
        ([part(filename=None)], {"/file": "invalid_type"}),
        ([part(filename=""), part(filename=None)], {"/file": "repeated"}),
        ([part(name="a/b"), part()], {"/a~1b": "unknown_field"}),
    ],
)
def test_form_that_is_not_one_file_is_refused(
    ann_api: Api, parts: list[bytes], found: dict[str, str]
) -> None:
    answer = post(ann_api, *parts)
    assert slug_of(answer) == (422, "invalid")
    faults = answer.get_json()["errors"]
    assert {fault["pointer"]: fault["code"] for fault in faults} == found
    assert titles(ann_api) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"--\r\n" + part() + b"----"),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + part() + b"--y--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + part()),
        ("multipart/form-data; boundary=\u00e4", b"--x\r\n" + part() + b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\nx\r\n--x--"),
    ],
)
def test_form_that_cannot_be_read_is_malformed(ann_api: Api, kind: str, body: bytes) -> None:
    answer = ann_api.call("POST", "/tasks/import", data=body, content_type=kind)
    assert slug_of(answer) == (400, "malformed")
    assert titles(ann_api) == []


def test_file_may_have_ten_mebibytes_and_no_byte_more(ann_api: Api) -> None:
    line = b'{"title": "x"}'
    assert post(ann_api, part(line.ljust(10 * MIB))).status_code == 201
    assert slug_of(post(ann_api, part(line.ljust(10 * MIB + 1)))) == (413, "content-too-large")
    assert slug_of(post(ann_api, part(line.ljust(11 * MIB)))) == (413, "content-too-large")
    assert titles(ann_api) == ["x"]


def test_form_of_many_parts_is_refused(ann_api: Api) -> None:
    parts = [part(b"x", name=f"n{number}", filename=None) for number in range(1001)]
    assert slug_of(post(ann_api, *parts)) == (413, "content-too-large")


def test_repeat_with_another_boundary_gets_the_first_answer(app: Flask, ann_api: Api) -> None:
    answers = [
        post(ann_api, part(), boundary=boundary, headers=KEY) for boundary in ("one", "another")
    ]
    assert [answer.get_json()["created"] for answer in answers] == [2, 2]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    with app.app_context():
        assert len(rows(Task)) == 2


@pytest.mark.parametrize(
    "other", [part(CSV + b"Quinces,\r\n"), part(filename="other.csv"), part(name="other")]
)
def test_key_with_another_form_is_refused(ann_api: Api, other: bytes) -> None:
    assert post(ann_api, part(), headers=KEY).status_code == 201
    assert slug_of(post(ann_api, other, headers=KEY)) == (422, "idempotency-key-reused")
    assert titles(ann_api) == ["Plums", "Pears"]


@pytest.mark.parametrize("path", ["/tasks", "/tasks/bulk", "/webhooks"])
def test_no_other_operation_takes_a_form(ann_api: Api, path: str) -> None:
    kind = "multipart/form-data; boundary=x"
    answer = ann_api.call("POST", path, data=b"--x\r\n" + part() + b"--x--", content_type=kind)
    assert slug_of(answer) == (415, "unsupported-media-type")

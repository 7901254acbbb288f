"""Bodies, queries and paths are parsed strictly: tables of refused ones."""

import io
import sys
from typing import Any

import pytest

from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api

JSON = "application/json"
MIB = 2**20
TASK = b'{"title": "Water the plums"}'
MALFORMED = [
    b"",
    b" ",
    b"{",
    b"{}x",
    b"{} {}",
    b"nul",
    b"{'title': 'x'}",
    b'{"title": "x",}',
    b'{"title": "x"} // yes',
    b'{"title": 01}',
    b'{"title": +1}',
    b'{"title": 0x1}',
    b'{"title": .5}',
    b'{"title": "a\x00b"}',
    b'{"title": "a\nb"}',
    b'{"title": "\\x41"}',
    b'{"title": "\\u12"}',
    b'{"title": "x", "title": "x"}',
    b'{"title": "x", "\\u0074itle": "x"}',
    b'{"title": "x", "labels": [{"a": 1, "a": 2}]}',
    b'{"title": NaN}',
    b'{"title": Infinity}',
    b'{"title": "x", "other": -Infinity}',
    b"\xef\xbb\xbf" + TASK,
    TASK.decode().encode("utf-16"),
    b'{"title": "\xff"}',
    b'{"title": "\xc3"}',
    b'{"title": "\xc0\x80"}',
    b'{"title": "\xed\xa0\x80"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]
INVALID: list[tuple[bytes, list[str]]] = [
    (b"[]", [""]),
    (b"null", [""]),
    (b"true", [""]),
    (b'"title"', [""]),
    (b"1e400", [""]),
    (b"9" * 5000, [""]),
    (b'[{"title": "x"}]', [""]),
    (b'{"title": 1e400}', ["/title"]),
    (b'{"title": -1e400}', ["/title"]),
    (b'{"title": ' + b"9" * 5000 + b"}", ["/title"]),
    (b'{"title": "x", "labels": [' + b"9" * 5000 + b"]}", ["/labels/0"]),
    (b'{"title": {"x": 1}}', ["/title"]),
    (b'{"title": true}', ["/title"]),
    (b'{"title": "x", "labels": [["a"]]}', ["/labels/0"]),
    (b'{"title": "x", "due_at": {}}', ["/due_at"]),
    (b'{"title": "x", "assignee_id": 1}', ["/assignee_id"]),
    (b'{"title": "\\u0000"}', ["/title"]),
    (b'{"title": "\\ud800"}', ["/title"]),
    (b'{"title": "\\udf50\\ud83c"}', ["/title"]),
    (b'{"title": "x", "labels": ["a", "\\ud800b"]}', ["/labels/1"]),
    (b'{"title": "x", "a/b~c": {"d": "\\u0000"}}', ["/a~1b~0c/d"]),
    (b'{"title": "x", "\\udfff": 1}', [""]),
    (b'{"title": "x", "a/b~c": 1}', ["/a~1b~0c"]),
    (b'{"title": "x", "__proto__": {}}', ["/__proto__"]),
]
OTHER_TYPES = [
    None,
    "",
    "text/plain",
    "text/json",
    "application/jsonx",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json-patch+json",
    "application/vnd.api+json",
    "*/*",
    "json",
]
NUMBERS = [
    "0",
    "-1",
    "101",
    "1000000000",
    "9" * 5000,
    "",
    "+1",
    "1.0",
    "1e1",
    "0x1",
    "%201",
    "1%20",
]
DIGITS = ["%D9%A3", "%EF%BC%91", "%C2%B2"]  # in other scripts, and a superscript
FLAGS = ["", "1", "0", "yes", "True", "TRUE", "null", "true%20"]
MOMENTS = ["", "2026-08-01", "2026-08-01T06:00:00", "2026-08-01T06:00:00+00:00", "now", "0"]


def send(api: Api, data: bytes, method: str = "POST", path: str = "/tasks") -> Any:
    return api.call(method, path, data=data, content_type=JSON)


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:30]))
def test_body_that_is_no_json_is_malformed(ann_api: Api, data: bytes) -> None:
    assert slug_of(send(ann_api, data)) == (400, "malformed")


@pytest.mark.parametrize(("data", "pointers"), INVALID, ids=lambda part: repr(part[:30]))
def test_body_of_bad_values_is_invalid(ann_api: Api, data: bytes, pointers: list[str]) -> None:
    answer = send(ann_api, data)
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), pointers)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("data", "status"), [(b"", 400), (b"[]", 422), (b'{"title": NaN}', 400), (b'{"x": 1}', 422)]
)
def test_every_method_reads_as_strictly(
    ann_api: Api, method: str, data: bytes, status: int
) -> None:
    path = f"/tasks/{make(ann_api)['id']}"
    assert send(ann_api, data, method, path).status_code == status


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (b"\\ud83c\\udf50", "\U0001f350"),
        ("\U0001f350".encode(), "\U0001f350"),
        (b"\\u200f\\ufeffx", "\u200f\ufeffx"),
        (b"\\uFFFF", "\uffff"),
        (b"</script>\\\"'", "</script>\"'"),
        (b"%00 \\\\u0000 %s %(x)s :x {0}", "%00 \\u0000 %s %(x)s :x {0}"),
    ],
)
def test_text_of_any_kind_comes_back_as_it_was_sent(
    ann_api: Api, written: bytes, title: str
) -> None:
    made = send(ann_api, b'{"title": "' + written + b'"}').get_json()
    assert made["title"] == title
    assert ann_api.get(f"/tasks/{made['id']}").get_json()["title"] == title


@pytest.mark.parametrize("depth", [100, 500, 800, 900, 950, 1000, 1100, 3000, 9000])
@pytest.mark.parametrize("inner", [b"1", b'"\\u0041"', b'"\\u0000"'])
def test_deep_nesting_is_an_error_of_the_client(ann_api: Api, depth: int, inner: bytes) -> None:
    assert depth < 3000 or depth > sys.getrecursionlimit()
    data = b'{"title": ' + b"[" * depth + inner + b"]" * depth + b"}"
    assert send(ann_api, data).status_code in (400, 422)


@pytest.mark.parametrize("value", [1, 0, "true", "yes", None, [], 1.0])
def test_flag_is_nothing_but_true_or_false(root_api: Api, ann: Actor, value: Any) -> None:
    answer = root_api.patch(f"/users/{ann.id}", {"is_active": value})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/is_active"])


@pytest.mark.parametrize("content_type", OTHER_TYPES)
@pytest.mark.parametrize("path", ["/tasks", "/auth/login", "/users"])
def test_body_of_another_type_is_not_read(
    ann_api: Api, path: str, content_type: str | None
) -> None:
    answer = ann_api.call("POST", path, data=TASK, content_type=content_type)
    assert slug_of(answer) == (415, "unsupported-media-type")
    assert "Accept-Patch" not in answer.headers


def test_patch_of_another_type_is_told_which_ones_do(ann_api: Api) -> None:
    path = f"/tasks/{make(ann_api)['id']}"
    answer = ann_api.call("PATCH", path, data=TASK, content_type="application/json-patch+json")
    assert slug_of(answer) == (415, "unsupported-media-type")
    assert answer.headers["Accept-Patch"] == "application/json, application/merge-patch+json"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_another_spelling_is_read(ann_api: Api, content_type: str) -> None:
    assert ann_api.call("POST", "/tasks", data=TASK, content_type=content_type).status_code == 201


@pytest.mark.parametrize(("size", "status"), [(MIB, 201), (MIB + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_may_have_a_mebibyte(ann_api: Api, size: int, status: int, chunked: bool) -> None:
    data = TASK.ljust(size)
    options: dict[str, Any] = {"data": data}
    if chunked:  # the length is unknown before the body is read
        environ = {"wsgi.input": io.BytesIO(data), "wsgi.input_terminated": True}
        options = {"environ_overrides": {**environ, "HTTP_TRANSFER_ENCODING": "chunked"}}
    answer = ann_api.call("POST", "/tasks", content_type=JSON, **options)
    assert answer.status_code == status
    assert status == 201 or slug_of(answer) == (413, "content-too-large")


@pytest.mark.parametrize(("size", "status"), [(2 * MIB, 201), (10 * MIB + 1, 413)])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "of-a-test"}])
def test_import_may_have_ten_mebibytes(
    ann_api: Api, size: int, status: int, headers: dict[str, str]
) -> None:
    data = b"title,description\n" + (b"x," + b"y" * 9000 + b"\n") * (size // 9003)
    environ = {"wsgi.input": io.BytesIO(data.ljust(size, b"\n")), "wsgi.input_terminated": True}
    options: dict[str, Any] = {"content_type": "text/csv", "headers": headers}
    answer = ann_api.call("POST", "/tasks/import", environ_overrides=environ, **options)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in NUMBERS + DIGITS),
        *(("count", value) for value in FLAGS),
        *(("overdue", value) for value in FLAGS),
        *(("due_before", value) for value in MOMENTS),
        *(("updated_after", value) for value in MOMENTS),
        *(("owner_id", value) for value in ("", "me", "0", MISSING + "0", MISSING[:-1] + "g")),
        *(("sort", value) for value in ("", "id", "--title", "title,id", "TITLE", "%2Btitle")),
        *(("status", value) for value in ("", "Done", "todo,done", "todo%00")),
        *((name, "a%00b") for name in ("q", "label", "cursor", "limit", "assignee_id")),
        ("priority", "0"),
        ("q", "x" * 201),
        ("limit", "1&limit=1"),
        ("sort", "title&sort=title"),
        ("q", "a&q=b"),
        ("colour", "red"),
        ("Limit", "1"),
        ("limit[]", "1"),
        ("", "1"),
        ("\u00e9", "1"),
        ("access_token", "x"),
    ],
)
def test_bad_parameter_is_refused_by_its_name(ann_api: Api, name: str, value: str) -> None:
    answer = ann_api.get(f"/tasks?{name}={value}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), [name])


def test_all_bad_parameters_are_told_at_once(ann_api: Api) -> None:
    answer = ann_api.get("/tasks?limit=0&colour=red&status=x&count=1")
    assert sorted(blamed(answer)) == ["colour", "count", "limit", "status"]


@pytest.mark.parametrize("query", ["q=%ff", "%ff=1", "q=%ed%a0%80", "q=\xff", "q=a&label=%c3"])
def test_query_that_is_no_utf8_is_refused(ann_api: Api, query: str) -> None:
    environ = {"QUERY_STRING": query}  # the test client would correct the query
    answer = ann_api.call("GET", "/tasks", environ_overrides=environ)
    assert slug_of(answer) == (422, "invalid-parameter")


@pytest.mark.parametrize("query", ["", "&", "&&", "limit=1&", "q=%C3%A9", "q=a+b", "label=a=b"])
def test_query_may_be_spelled_in_any_sound_way(ann_api: Api, query: str) -> None:
    assert ann_api.get(f"/tasks?{query}").status_code == 200


@pytest.mark.parametrize(
    "task_id",
    [
        "1",
        "me",
        "%00",
        "%ff",
        "-1",
        "9" * 5000,
        "%D9%A3",
        MISSING.replace("-", ""),
        f"%7B{MISSING}%7D",
        f"urn:uuid:{MISSING}",
        f"{MISSING}%0A",
        f"%20{MISSING}",
        f"{MISSING}/",
        f"{MISSING[:-1]}%EF%BC%90",
        f"..%2F{MISSING}",
        f"{MISSING};x=1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_bad_id_is_of_nothing(ann_api: Api, method: str, task_id: str) -> None:
    answer = ann_api.call(method, f"/tasks/{task_id}", json={"title": "x"})
    assert slug_of(answer) == (404, "not-found")

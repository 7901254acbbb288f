"""A text is stored in the same form from JSON, queries, forms, files and commands."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from app.models import Token
from app.schemas.fields import OneOf, Password, Text
from app.schemas.tasks import Labels
from app.services.access import personal_tokens
from app.services.shared.actor import Actor
from app.services.users import users
from tests.api.test_import_api import refused as refused_lines, send, take_in
from tests.api.test_tasks_api import make
from tests.api.test_tasks_list_api import titles
from tests.cli.test_cli import refused, run
from tests.conftest import PASSWORD
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api, Browser
from tests.support.routes import OPERATIONS
from tests.support.rows import rows
from tests.support.texts import BAD_LINES, BAD_LONG_TEXTS, UNSEEN_LINES

COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"
lines = pytest.mark.parametrize("line", BAD_LINES)
few_lines = pytest.mark.parametrize("line", [UNSEEN_LINES[0], "a\u2028b", "a\u202eb", "a\x1bb"])
long_texts = pytest.mark.parametrize("text", BAD_LONG_TEXTS)


def test_json_is_normalized(ann_api: Api) -> None:
    given = {"title": DECOMPOSED, "description": DECOMPOSED, "labels": [DECOMPOSED, COMPOSED]}
    task = make(ann_api, **given)
    assert (task["title"], task["description"]) == (COMPOSED, COMPOSED)
    assert task["labels"] == [COMPOSED]
    comment = ann_api.post(f"/tasks/{task['id']}/comments", {"body": DECOMPOSED})
    assert comment.get_json()["body"] == COMPOSED


def test_queries_are_normalized(ann_api: Api) -> None:
    make(ann_api, title=COMPOSED, labels=[COMPOSED])
    assert titles(ann_api, f"label={quote(DECOMPOSED.upper())}") == "C"
    assert titles(ann_api, f"q={quote(DECOMPOSED)}") == "C"


def test_cursor_is_good_for_the_same_text_in_another_form(ann_api: Api) -> None:
    for _ in range(2):
        make(ann_api, title=COMPOSED, labels=[COMPOSED])
    first = f"/tasks?limit=1&q={quote(COMPOSED)}&label={quote(COMPOSED)}"
    cursor = ann_api.get(first).get_json()["next_cursor"]
    second = f"/tasks?limit=1&q={quote(DECOMPOSED)}&label={quote(DECOMPOSED)}&cursor={cursor}"
    assert ann_api.get(second).status_code == 200


def test_forms_are_normalized(ann_api: Api, ann_browser: Browser) -> None:
    fields_ = {"title": DECOMPOSED, "description": DECOMPOSED, "labels": DECOMPOSED}
    more = {"status": "todo", "priority": "normal"}
    assert ann_browser.post("/tasks/new", {**fields_, **more}, form="/tasks/new").status_code == 303
    (task,) = ann_api.get("/tasks").get_json()["items"]
    assert [task["title"], task["description"], *task["labels"]] == [COMPOSED] * 3


def test_pages_find_the_same_text_in_another_form(
    ann_api: Api, ann_browser: Browser, root_browser: Browser
) -> None:
    for _ in range(30):
        make(ann_api, title=COMPOSED, labels=[COMPOSED])
    query = f"q={quote(DECOMPOSED)}&label={quote(DECOMPOSED)}"
    assert f"{COMPOSED}</a>" in ann_browser.get(f"/tasks?{query}").text
    assert f"{COMPOSED}</a>" in root_browser.get(f"/admin/tasks?{query}").text


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_files_are_normalized(ann_api: Api, kind: str) -> None:
    row = {"title": DECOMPOSED, "labels": DECOMPOSED if kind == "csv" else [DECOMPOSED]}
    content = f"title,labels\n{DECOMPOSED},{DECOMPOSED}\n" if kind == "csv" else json.dumps(row)
    assert take_in(ann_api, kind, content) == 1
    (task,) = ann_api.get("/tasks").get_json()["items"]
    assert [task["title"], *task["labels"]] == [COMPOSED] * 2


@pytest.mark.usefixtures("ann")
def test_commands_are_normalized(app: Flask) -> None:
    options = ("--name", DECOMPOSED, "--scope", "tasks:read")
    assert run(app, "tokens", "create", "ann", *options).exit_code == 0
    with app.app_context():
        assert [token.name for token in rows(Token) if token.kind == "personal"] == [COMPOSED]


def test_passwords_are_taken_as_they_are_typed(api: Api, ann_api: Api) -> None:
    """Without normalization this password has 130 characters, two more than allowed."""
    account = {"username": "carl", "email": "carl@example.com", "password": "e\u0301" * 65}
    answer = api.post("/users", account)
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/password"])


def faults(answer: TestResponse) -> list[str]:
    assert slug_of(answer) == (422, "invalid"), answer.text
    return blamed(answer)


@lines
def test_json_with_a_bad_line_is_refused(ann_api: Api, line: str) -> None:
    assert faults(ann_api.post("/tasks", {"title": line})) == ["/title"]
    assert faults(ann_api.post("/tasks", {"title": "x", "labels": [line]})) == ["/labels"]
    token = {"name": line, "scopes": ["tasks:read"]}
    assert faults(ann_api.post("/tokens", token)) == ["/name"]
    operations = [{"op": "create", "data": {"title": line}}]
    bulk = ann_api.post("/tasks/bulk", {"operations": operations})
    assert faults(bulk) == ["/operations/0/data/title"]


@few_lines
def test_change_to_a_bad_line_is_refused(ann_api: Api, line: str) -> None:
    path = f"/tasks/{make(ann_api)['id']}"
    assert faults(ann_api.patch(path, {"title": line})) == ["/title"]
    assert faults(ann_api.put(path, {"title": line})) == ["/title"]
    assert ann_api.get(path).get_json()["version"] == 1


@few_lines
def test_username_with_a_bad_line_is_refused(api: Api, line: str) -> None:
    account = {"username": f"carl{line}", "email": "carl@example.com", "password": PASSWORD}
    assert faults(api.post("/users", account)) == ["/username"]


@long_texts
def test_json_with_a_bad_long_text_is_refused(ann_api: Api, text: str) -> None:
    assert faults(ann_api.post("/tasks", {"title": "x", "description": text})) == ["/description"]
    path = f"/tasks/{make(ann_api)['id']}/comments"
    assert faults(ann_api.post(path, {"body": text})) == ["/body"]


@few_lines
def test_form_with_a_bad_line_is_refused(ann_browser: Browser, line: str) -> None:
    more = {"status": "todo", "priority": "normal"}
    for typed in ({"title": line}, {"title": "x", "labels": line}):
        answer = ann_browser.post("/tasks/new", {**typed, **more}, form="/tasks/new")
        assert (answer.status_code, f'id="error-{list(typed)[-1]}"' in answer.text) == (422, True)


@few_lines
def test_token_form_with_a_bad_name_is_refused(ann_browser: Browser, line: str) -> None:
    typed = {"name": line, "scopes": "tasks:read"}
    answer = ann_browser.post("/settings/tokens", typed, form="/settings/tokens")
    assert (answer.status_code, 'id="error-name"' in answer.text) == (422, True)


@pytest.mark.parametrize("text", ["a\x08b", "a\x9fb"])
def test_form_with_a_bad_long_text_is_refused(
    ann_api: Api, ann_browser: Browser, text: str
) -> None:
    typed = {"title": "x", "description": text, "status": "todo", "priority": "normal"}
    answer = ann_browser.post("/tasks/new", typed, form="/tasks/new")
    assert (answer.status_code, 'id="error-description"' in answer.text) == (422, True)
    path = f"/tasks/{make(ann_api)['id']}"
    answer = ann_browser.post(f"{path}/comments", {"body": text}, form=path)
    assert (answer.status_code, 'id="error-body"' in answer.text) == (422, True)


@few_lines
def test_file_with_a_bad_line_is_refused(ann_api: Api, line: str) -> None:
    content = "\n".join(json.dumps({"title": title}) for title in ("fine", line))
    assert refused_lines(send(ann_api, "ndjson", content)) == [(2, "/title")]
    assert refused_lines(send(ann_api, "csv", f'title\nfine\n"{line}"\n')) == [(3, "/title")]


@few_lines
@pytest.mark.usefixtures("ann")
def test_command_with_a_bad_name_is_refused(app: Flask, line: str) -> None:
    options = ("--name", line, "--scope", "tasks:read")
    assert refused(run(app, "tokens", "create", "ann", *options), "name")


@pytest.mark.usefixtures("ctx")
def test_service_refuses_a_bad_name_by_itself(ann: Actor) -> None:
    with pytest.raises(Exception, match="name cannot be used"):
        personal_tokens.create(ann, users.get(ann, ann.id), "\u200b", ["tasks:read"])


def texts_of(schema: Schema) -> list[tuple[str, Any]]:
    """Return the free texts of a body or a query, also those of nested objects."""
    found: list[tuple[str, Any]] = []
    for name, field in schema.fields.items():
        if field.dump_only:
            continue
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, OneOf):
            found += [one for kind in inner.schemas.values() for one in texts_of(kind)]
        elif isinstance(inner, fields.Nested):
            found += texts_of(inner.schema)
        elif isinstance(inner, Text | Password) or is_untyped(field, inner):
            found.append((name, inner))
    return found


def is_untyped(field: Any, inner: Any) -> bool:
    """Return True if the field accepts any string."""
    plain = type(inner) is fields.String and not inner.validate
    return plain and not isinstance(field, Labels)


@pytest.mark.parametrize("route", OPERATIONS, ids=str)
def test_every_text_of_every_operation_is_normalized_and_no_password_is(route: Any) -> None:
    for schema in (route.operation.body, route.operation.query):
        for name, field in texts_of(schema) if schema else []:
            wanted = "e\u0301" if "password" in name else "\u00e9"
            assert field.deserialize("e\u0301" * 3) == wanted * 3, name

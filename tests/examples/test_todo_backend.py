"""examples/todo-backend keeps the Todo-Backend contract: the 16 behaviours of its public suite,
played over HTTP from another origin. The fields of the contract are title, completed, order, url.
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

import config
from app.models.types import uuid7
from tests.support.gunicorn_server import running

ORIGIN = "http://localhost:9000"
EXAMPLE = {"PYTHONPATH": str(config.ROOT / "examples" / "todo-backend")}
TODOS = "/api/v1/todos"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("todos") / "served.db"


@pytest.fixture(scope="module")
def client(database: Path) -> Iterator[httpx.Client]:
    factory = "todo_backend:create_app()"
    with running(
        database.parent, factory, CORS_ORIGINS=ORIGIN, WEB_CONCURRENCY="1", **EXAMPLE
    ) as server:
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "todo_backend", "create-todos"],
            cwd=config.ROOT,
            env={**os.environ, **EXAMPLE, "DATABASE_URL": f"sqlite:///{database}"},
            check=True,
            timeout=60,
        )
        root = f"http://localhost:{server.port}"
        with httpx.Client(base_url=root, headers={"Origin": ORIGIN}, timeout=30) as client:
            yield client


@pytest.fixture(autouse=True)
def _empty_list(client: httpx.Client) -> None:
    client.delete(TODOS)


def post(client: httpx.Client, **values: Any) -> Any:
    return client.post(TODOS, json={"title": "blah", **values}).raise_for_status().json()


def patch(client: httpx.Client, todo: Any, **changes: Any) -> Any:
    return client.patch(todo["url"], json=changes).raise_for_status().json()


def get(client: httpx.Client, url: str = TODOS) -> Any:
    return client.get(url).raise_for_status().json()


def test_root_answers_get_for_another_origin(client: httpx.Client) -> None:
    answer = client.get(TODOS).raise_for_status()
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_root_answers_post_with_the_todo(client: httpx.Client) -> None:
    assert post(client, title="a todo")["title"] == "a todo"


def test_root_answers_delete(client: httpx.Client) -> None:
    assert client.delete(TODOS).is_success


def test_root_is_an_empty_array_after_delete(client: httpx.Client) -> None:
    post(client)
    client.delete(TODOS)
    assert get(client) == []


def test_new_todo_is_added_to_the_list(client: httpx.Client) -> None:
    post(client, title="walk the dog")
    assert [todo["title"] for todo in get(client)] == ["walk the dog"]


def test_new_todo_is_not_completed(client: httpx.Client) -> None:
    assert [post(client)["completed"], get(client)[0]["completed"]] == [False, False]


def test_new_todo_has_a_url(client: httpx.Client) -> None:
    made = post(client)
    assert made["url"].startswith("http://")
    assert get(client)[0]["url"] == made["url"]


def test_url_of_a_new_todo_returns_it(client: httpx.Client) -> None:
    made = post(client, title="my todo")
    assert get(client, made["url"]) == made


def test_list_leads_to_each_todo(client: httpx.Client) -> None:
    made = [post(client, title="todo the first"), post(client, title="todo the second")]
    assert [get(client, todo["url"]) for todo in get(client)] == made


def test_patch_changes_the_title(client: httpx.Client) -> None:
    assert patch(client, post(client), title="bathe the cat")["title"] == "bathe the cat"


def test_patch_completes_a_todo(client: httpx.Client) -> None:
    assert patch(client, post(client), completed=True)["completed"] is True


def test_changes_are_kept(client: httpx.Client) -> None:
    changed = patch(client, post(client), title="changed title", completed=True)
    assert (changed["title"], changed["completed"]) == ("changed title", True)
    assert [get(client, changed["url"])] == get(client) == [changed]


def test_delete_of_its_url_removes_a_todo(client: httpx.Client) -> None:
    client.delete(post(client)["url"]).raise_for_status()
    assert get(client) == []


def test_new_todo_has_an_order(client: httpx.Client) -> None:
    assert post(client, order=523)["order"] == 523


def test_patch_changes_the_order(client: httpx.Client) -> None:
    assert patch(client, post(client, order=10), order=95)["order"] == 95


def test_order_is_kept(client: httpx.Client) -> None:
    changed = patch(client, post(client, order=10), order=95)
    assert get(client, changed["url"])["order"] == 95


def test_browser_may_send_each_method(client: httpx.Client) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        headers = {"Access-Control-Request-Method": method}
        answer = client.options(post(client)["url"], headers=headers).raise_for_status()
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


def test_user_has_a_list_apart_from_strangers(client: httpx.Client) -> None:
    post(client, title="of strangers")
    account = {"username": "ann", "email": "ann@example.com", "password": "tea at half past four"}
    client.post("/api/v1/users", json=account).raise_for_status()
    proof = {"identifier": "ann", "password": account["password"]}
    token = client.post("/api/v1/auth/login", json=proof).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    made = client.post(TODOS, json={"title": "of ann"}, headers=bearer).json()
    assert client.get(TODOS, headers=bearer).json() == [made]
    assert [todo["title"] for todo in get(client)] == ["of strangers"]
    assert client.get(made["url"]).status_code == 404


def test_wrong_order_is_blamed_by_the_contracts_name(client: httpx.Client) -> None:
    answer = client.post(TODOS, json={"title": "blah", "order": "first"})
    assert answer.json()["errors"][0]["pointer"] == "/order"


def test_list_has_a_limit(client: httpx.Client, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO todos (id, title, completed, created_at) VALUES (?, 'x', 0, '2026')",
            [(uuid7(),) for _ in range(499)],
        )
    answers = [client.post(TODOS, json={"title": "one more"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]

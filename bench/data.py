"""What is measured on: a PostgreSQL of its own with users, tasks and a token, new each run."""

import datetime
import random
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from app.models.types import uuid7
from app.services import secret_tokens

USERS = 1000
NOW = datetime.datetime.now(datetime.UTC)


@dataclass
class Data:
    token: str
    task_ids: list[str]


def fill(url: str, tasks: int) -> Data:
    """`tasks` tasks, spread over USERS users; the token is of the first one."""
    users = [uuid7() for _ in range(USERS)]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        insert(cursor, "users", USER_COLUMNS, [user_row(n, one) for n, one in enumerate(users)])
        token = secret_tokens.make()
        insert(cursor, "tokens", TOKEN_COLUMNS, [token_row(token, users[0])])
        rows = [task_row(n, users[n % USERS]) for n in range(tasks)]
        insert(cursor, "tasks", TASK_COLUMNS, rows)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.close()
    return Data(token, [row[0] for row in rows[::USERS]])


USER_COLUMNS = (
    "id, username, email, password_hash, role, is_active, email_verified,"
    " created_at, updated_at, version"
)
TOKEN_COLUMNS = "id, user_id, kind, family_id, hash, prefix, name, scopes, created_at, expires_at"
TASK_COLUMNS = (
    "id, title, description, status, priority, labels, label_keys, owner_id,"
    " created_at, updated_at, version"
)


def user_row(number: int, user_id: str) -> tuple[Any, ...]:
    name = f"user{number}"
    return (user_id, name, f"{name}@example.com", "-", "user", True, True, NOW, NOW, 1)


def token_row(token: str, user_id: str) -> tuple[Any, ...]:
    scopes = "tasks:read tasks:write profile:read profile:write"
    life = NOW + datetime.timedelta(days=1)
    digest = secret_tokens.digest(token)
    return (uuid7(), user_id, "personal", uuid7(), digest, token[:10], "bench", scopes, NOW, life)


def task_row(number: int, user_id: str) -> tuple[Any, ...]:
    made = NOW - datetime.timedelta(seconds=number * 7)
    words = " ".join(random.choices(WORDS, k=20))
    labels = random.sample(["home", "work", "later"], 2)
    title = f"Task {number} {words[:20]}"
    return (uuid7(), title, words, "todo", number % 4, labels, labels, user_id, made, made, 1)


WORDS = ("plan", "write", "read", "call", "buy", "mend", "send", "check", "paint", "clean")


def insert(cursor: Any, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    execute_values(cursor, f"INSERT INTO {table} ({columns}) VALUES %s", rows, page_size=1000)

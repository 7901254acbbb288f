"""The data of the bench: users, tasks, tokens and a session in an empty database."""

import datetime
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from app import create_app
from app.models.types import uuid7
from app.services.authentication import secret_tokens

USERS = 1000
OWN = 96  # tasks of the reader and of the writer each, for any total
NOW = datetime.datetime.now(datetime.UTC)


@dataclass
class Data:
    """Tokens and ids. One user reads, another writes, so that the read tasks stay the same."""

    reader_token: str
    writer_token: str
    cookie: str  # of the reader, for the pages
    reader_tasks: list[str]
    writer_tasks: list[str]
    heavy_token: str = ""  # of the user with `heavy` tasks


def fill(url: str, tasks: int, settings: dict[str, Any], heavy: int = 0) -> Data:
    """Store `tasks` tasks of USERS users, with `heavy` of the tasks owned by one user."""
    users = [uuid7() for _ in range(USERS)]
    reader, writer, rich, *others = users
    owned = [task_row(n, one) for one in (reader, writer) for n in range(OWN)]
    reading, writing, listing, session = (secret_tokens.make() for _ in range(4))
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        insert(cursor, "users", USER_COLUMNS, map(user_row, range(USERS), users))
        pairs = zip((reading, writing, listing), users, strict=False)
        insert(cursor, "tokens", TOKEN_COLUMNS, [token_row(*pair) for pair in pairs])
        insert(cursor, "sessions", SESSION_COLUMNS, [session_row(session, reader)])
        insert(cursor, "tasks", TASK_COLUMNS, owned)
        numbers = {"heavy": heavy, "rest": tasks - len(owned) - heavy}
        # A compared commit may have no search words.
        cursor.execute(HAS_SEARCH_WORDS)
        searched = cursor.fetchone() is not None
        many = MANY.format(*(SEARCHED if searched else ("", "")))
        cursor.execute(many, {"words": WORDS, "rich": rich, "others": others, **numbers})
        if searched:
            cursor.execute(SEARCH_OWNED)
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.close()
    ids = [row[0] for row in owned]
    cookie = signed_cookie(session, settings)
    return Data(reading, writing, cookie, ids[:OWN], ids[OWN:], listing)


USER_COLUMNS = (
    "id, username, email, password_hash, role, is_active, email_verified,"
    " created_at, updated_at, version"
)
TOKEN_COLUMNS = "id, user_id, kind, family_id, hash, prefix, name, scopes, created_at, expires_at"
SESSION_COLUMNS = (
    "id, user_id, hash, remembered, address, user_agent, created_at, last_seen_at, expires_at"
)
TASK_COLUMNS = (
    "id, title, description, status, priority, labels, label_keys, owner_id,"
    " created_at, updated_at, version"
)
# `heavy` tasks of one user, `rest` tasks of the others in turn.
MANY = f"""
INSERT INTO tasks ({TASK_COLUMNS}{{}})
SELECT gen_random_uuid(), 'Task ' || n, text, 'todo', n %% 4, ARRAY['home', 'work'],
       ARRAY['home', 'work'],
       CASE WHEN n < %(heavy)s THEN %(rich)s
            ELSE (CAST(%(others)s AS uuid[]))[1 + n %% {USERS - 3}] END::uuid,
       moment, moment, 1{{}}
FROM generate_series(0, %(heavy)s + %(rest)s - 1) AS n,
     LATERAL (SELECT now() - n * interval '7 seconds') AS t (moment),
     LATERAL (SELECT string_agg((CAST(%(words)s AS text[]))[1 + (n / 10 ^ k)::int %% 10], ' ')
              FROM generate_series(0, 5) AS k) AS w (text)
"""
HAS_SEARCH_WORDS = """
SELECT 1 FROM information_schema.columns
WHERE table_name = 'tasks' AND column_name = 'search_words'
"""
# The search words of these texts: plain ASCII words need no folding or stems.
SEARCH_WORDS = "array_to_tsvector(array_remove(string_to_array(lower({}), ' '), ''))"
SEARCHED = (
    ", search_words, search_version",
    ", " + SEARCH_WORDS.format("'Task ' || n || ' ' || text") + ", 1",
)
SEARCH_OWNED = f"""
UPDATE tasks SET search_version = 1,
                 search_words = {SEARCH_WORDS.format("title || ' ' || description")}
WHERE search_version IS NULL
"""
LIFE = NOW + datetime.timedelta(days=1)
WORDS = ["plan", "write", "read", "call", "buy", "mend", "send", "check", "paint", "clean"]


def user_row(number: int, user_id: str) -> tuple[Any, ...]:
    name = f"user{number}"
    return (user_id, name, f"{name}@example.com", "-", "user", True, True, NOW, NOW, 1)


def token_row(token: str, user_id: str) -> tuple[Any, ...]:
    scopes = "tasks:read tasks:write profile:read profile:write"
    digest = secret_tokens.digest(token)
    return (uuid7(), user_id, "access", uuid7(), digest, token[:10], "", scopes, NOW, LIFE)


def session_row(secret: str, user_id: str) -> tuple[Any, ...]:
    digest = secret_tokens.digest(secret)
    return (uuid7(), user_id, digest, False, "127.0.0.1", "bench", NOW, NOW, LIFE)


def task_row(number: int, user_id: str) -> tuple[Any, ...]:
    made = NOW - datetime.timedelta(seconds=number * 7)
    words = " ".join(random.choices(WORDS, k=8))
    labels = random.sample(["home", "work", "later"], 2)
    title = f"Task {number} {words[:20]}"
    return (uuid7(), title, words, "todo", number % 4, labels, labels, user_id, made, made, 1)


def insert(cursor: Any, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    execute_values(cursor, f"INSERT INTO {table} ({columns}) VALUES %s", rows, page_size=1000)


def signed_cookie(secret: str, settings: dict[str, Any]) -> str:
    """Return the cookie for the session with this secret."""
    app = create_app(settings)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    content = {"_user_id": secret, "_fresh": True}
    # An earlier commit, measured beside this one, calls the cookie "session".
    names = ("session", app.config["SESSION_COOKIE_NAME"])
    return "; ".join(f"{name}={signer.dumps(content)}" for name in names)

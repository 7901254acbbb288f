"""The tables, statements and rows of the two rivals on asyncpg."""

import asyncio
import hashlib
import os
import secrets
import uuid

import asyncpg

SCHEMA = """
CREATE TABLE users (
    id uuid PRIMARY KEY, username text NOT NULL UNIQUE, is_active boolean NOT NULL DEFAULT true
);
CREATE TABLE tokens (
    hash text PRIMARY KEY, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 day'
);
CREATE TABLE tasks (
    id uuid PRIMARY KEY, title text NOT NULL, description text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'todo', priority text NOT NULL DEFAULT 'normal',
    due_at timestamptz, labels text[] NOT NULL DEFAULT '{}',
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    assignee_id uuid REFERENCES users ON DELETE SET NULL, completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX ON tasks (owner_id, created_at DESC, id DESC);
CREATE INDEX ON tasks (assignee_id, created_at DESC, id DESC);
"""
HOLDER = (
    "SELECT u.id FROM tokens t JOIN users u ON u.id = t.user_id"
    " WHERE t.hash = $1 AND t.expires_at > now() AND u.is_active"
)
_MINE = "(owner_id = $1 OR assignee_id = $1)"
GET = f"SELECT * FROM tasks WHERE {_MINE} AND id = $2"
LIST = f"SELECT * FROM tasks WHERE {_MINE} ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
COUNT = f"SELECT count(*) FROM tasks WHERE {_MINE}"
INSERT = (
    "INSERT INTO tasks (id, owner_id, title, description, status, priority, due_at, labels,"
    " assignee_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *"
)


def update(names):
    """Return the statement that changes these columns if the version is still the given one."""
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 4))
    return (
        f"UPDATE tasks SET {columns}, version = version + 1, updated_at = now()"
        f" WHERE {_MINE} AND id = $2 AND version = $3 RETURNING *"
    )


def connect():
    return asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=4)


def digest(authorization):
    return hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()


def fill(tasks):
    return asyncio.run(_fill(tasks))


async def _fill(tasks):
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute(SCHEMA)
    users = [uuid.uuid4() for _ in range(1000)]
    reader, writer, *others = users
    owners = [reader] * 48 + [writer] * 48
    owners += [others[n % len(others)] for n in range(tasks - len(owners))]
    keys = [secrets.token_hex(20) for _ in range(2)]
    people = [(user, f"user{n}") for n, user in enumerate(users)]
    rows = [
        (uuid.uuid4(), f"Task {n}", "plan " * 8, owner, ["home", "work"])
        for n, owner in enumerate(owners)
    ]
    hashes = [(digest(key), user) for key, user in zip(keys, users, strict=False)]
    columns = ["id", "title", "description", "owner_id", "labels"]
    await connection.copy_records_to_table("users", records=people, columns=["id", "username"])
    await connection.copy_records_to_table("tokens", records=hashes, columns=["hash", "user_id"])
    await connection.copy_records_to_table("tasks", records=rows, columns=columns)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    ids = [str(row[0]) for row in rows[:96]]
    return [*keys, "", ids[:48], ids[48:]]

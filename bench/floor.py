"""The floor: the same four answers by bare WSGI, psycopg2 and orjson, and nothing else.

Token and user in one read, the same validation, the same statements, a pooled connection in
autocommit. No audit, no log line, no ETag, no security headers, no routing.
"""

import datetime
import hashlib
import os
import queue
import re
import urllib.parse
import uuid

import orjson
import psycopg2
import psycopg2.extensions

UUID_OID = 2950
FIELDS = (
    "id, title, description, status, priority, due_at, labels, owner_id, assignee_id,"
    " completed_at, created_at, updated_at, version"
)
NAMES = FIELDS.split(", ")
PRIORITIES = ["low", "normal", "high", "urgent"]
STATUSES = {"todo", "in_progress", "done", "cancelled"}
WHO = (
    "SELECT t.id, t.scopes, t.expires_at, u.id, u.role"
    " FROM tokens t JOIN users u ON u.id = t.user_id"
    " WHERE t.hash = %s AND t.kind IN ('access', 'personal') AND u.is_active"
)
GET = (
    f"SELECT {FIELDS} FROM tasks WHERE id = %s AND (owner_id = %s OR assignee_id = %s)"
    " AND deleted_at IS NULL"
)
LIST = (
    f"SELECT {FIELDS} FROM tasks WHERE owner_id = %s AND deleted_at IS NULL"
    " ORDER BY created_at DESC, id DESC LIMIT 21"
)
COUNT = "SELECT count(*) FROM tasks WHERE owner_id = %s AND deleted_at IS NULL"
INSERT = (
    "INSERT INTO tasks (id, title, description, status, priority, labels, label_keys, owner_id,"
    " created_at, updated_at, version)"
    f" VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1) RETURNING {FIELDS}"
)
UPDATE = (
    "UPDATE tasks SET title = coalesce(%s, title), version = version + 1, updated_at = %s"
    f" WHERE id = %s AND owner_id = %s AND deleted_at IS NULL AND version = %s RETURNING {FIELDS}"
)
_pool: queue.LifoQueue = queue.LifoQueue()
_JSON = [("Content-Type", "application/json")]


def connect():
    connection = psycopg2.connect(os.environ["DATABASE_URL"], options="-c timezone=UTC")
    connection.autocommit = True
    text = psycopg2.extensions.new_type((UUID_OID,), "TEXT_UUID", psycopg2.STRING)
    psycopg2.extensions.register_type(text, connection)
    return connection


def application(environ, start_response):
    try:
        connection = _pool.get_nowait()
    except queue.Empty:
        connection = connect()
    try:
        status, body = answer(environ, connection.cursor())
    finally:
        _pool.put(connection)
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    start_response(status, [*_JSON, ("Content-Length", str(len(content)))])
    return [content]


def answer(environ, cursor):
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    cursor.execute(WHO, (hashlib.sha256(token.encode()).hexdigest(),))
    who = cursor.fetchone()
    if who is None or who[2] <= datetime.datetime.now(datetime.UTC):
        return "401 Unauthorized", {}
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if path == "/api/v1/tasks":
        return create(environ, cursor, who) if method == "POST" else index(environ, cursor, who)
    return patch(environ, cursor, who, path[14:]) if method == "PATCH" else show(cursor, who, path)


def shape(row):
    body = dict(zip(NAMES, row, strict=True))
    body["priority"] = PRIORITIES[body["priority"]]
    return body


def show(cursor, who, path):
    cursor.execute(GET, (path[14:], who[3], who[3]))
    row = cursor.fetchone()
    return ("200 OK", shape(row)) if row else ("404 Not Found", {})


def index(environ, cursor, who):
    query = urllib.parse.parse_qs(environ["QUERY_STRING"])
    cursor.execute(LIST, (who[3],))
    body = {"items": [shape(row) for row in cursor.fetchmany(20)]}
    if "count" in query:
        cursor.execute(COUNT, (who[3],))
        body["total"] = cursor.fetchone()[0]
    return "200 OK", body


def read(environ):
    return orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))


def create(environ, cursor, who):
    body = read(environ)
    title, labels = body["title"].strip(), body.get("labels", [])
    status, priority = body.get("status", "todo"), body.get("priority", "normal")
    if not 1 <= len(title) <= 200 or status not in STATUSES or priority not in PRIORITIES:
        return "422 Unprocessable Entity", {}
    now = datetime.datetime.now(datetime.UTC)
    values = (str(uuid.uuid4()), title, body.get("description", ""), status)
    values += (PRIORITIES.index(priority), labels, [label.casefold() for label in labels])
    cursor.execute(INSERT, (*values, who[3], now, now))
    return "201 Created", shape(cursor.fetchone())


def patch(environ, cursor, who, task_id):
    body = read(environ)
    title = body["title"].strip()
    version = re.fullmatch(r'"(\d+)"', environ["HTTP_IF_MATCH"])[1]
    if not 1 <= len(title) <= 200:
        return "422 Unprocessable Entity", {}
    now = datetime.datetime.now(datetime.UTC)
    cursor.execute(UPDATE, (title, now, task_id, who[3], int(version)))
    row = cursor.fetchone()
    return ("200 OK", shape(row)) if row else ("412 Precondition Failed", {})

"""The floor: the same answers by bare WSGI, psycopg2 and orjson.

One read of token and user, the same rules for the values, the same statements, a pooled connection
in autocommit. No audit, no log line, no rate limit, no ETag, no security headers, no routing.
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
from psycopg2.extras import execute_values

UUID_OID = 2950
FIELDS = (
    "id, title, description, status, priority, due_at, labels, owner_id, assignee_id,"
    " completed_at, created_at, updated_at, version"
)
NAMES = FIELDS.split(", ")
PRIORITIES = ["low", "normal", "high", "urgent"]
STATUSES = {"todo", "in_progress", "done", "cancelled"}
KNOWN = {"title", "description", "status", "priority", "labels", "due_at", "assignee_id"}
WHO = (
    "SELECT t.id, t.scopes, t.expires_at, u.id, u.role"
    " FROM tokens t JOIN users u ON u.id = t.user_id"
    " WHERE t.hash = %s AND t.kind IN ('access', 'personal') AND u.is_active"
)
GET = (
    f"SELECT {FIELDS} FROM tasks WHERE id = %s AND (owner_id = %s OR assignee_id = %s)"
    " AND deleted_at IS NULL"
)
_LIST = (
    "(SELECT {0} FROM tasks WHERE owner_id = %(me)s AND deleted_at IS NULL {1}"
    " ORDER BY created_at DESC, id DESC LIMIT 21) UNION ALL"
    " (SELECT {0} FROM tasks WHERE assignee_id = %(me)s AND owner_id != %(me)s"
    " AND deleted_at IS NULL {1} ORDER BY created_at DESC, id DESC LIMIT 21)"
    " ORDER BY created_at DESC, id DESC LIMIT 21"
)
LIST = _LIST.format(FIELDS, "")
SEARCH = _LIST.format(FIELDS, "AND search @@ plainto_tsquery('english', %(q)s)")
COUNT = (
    "SELECT count(*) FROM tasks WHERE deleted_at IS NULL"
    " AND (owner_id = %(me)s OR (assignee_id = %(me)s AND owner_id != %(me)s))"
)
INSERT = (
    "INSERT INTO tasks (id, title, description, status, priority, labels, label_keys, owner_id,"
    f" created_at, updated_at, version) VALUES %s RETURNING {FIELDS}"
)
UPDATE = (
    "UPDATE tasks SET title = coalesce(%s, title), version = version + 1, updated_at = %s"
    f" WHERE id = %s AND owner_id = %s AND deleted_at IS NULL AND version = %s RETURNING {FIELDS}"
)
_pool: queue.LifoQueue = queue.LifoQueue()
_JSON = [("Content-Type", "application/json")]
OK, CREATED = "200 OK", "201 Created"
INVALID = ("422 Unprocessable Entity", {})


def connect():
    connection = psycopg2.connect(os.environ["DATABASE_URL"], options="-c timezone=UTC")
    connection.autocommit = True
    text = psycopg2.extensions.new_type((UUID_OID,), "TEXT_UUID", psycopg2.STRING)
    psycopg2.extensions.register_type(text, connection)
    return connection


def application(environ, start_response):
    if environ["PATH_INFO"] == "/healthz":
        return respond(start_response, OK, {"status": "ok"})
    try:
        connection = _pool.get_nowait()
    except queue.Empty:
        connection = connect()
    try:
        return respond(start_response, *answer(environ, connection.cursor()))
    finally:
        _pool.put(connection)


def respond(start_response, status, body):
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
    if path == "/api/v1/tasks/bulk":
        return bulk(environ, cursor, who)
    return patch(environ, cursor, who, path[14:]) if method == "PATCH" else show(cursor, who, path)


def shape(row):
    body = dict(zip(NAMES, row, strict=True))
    body["priority"] = PRIORITIES[body["priority"]]
    return body


def show(cursor, who, path):
    cursor.execute(GET, (path[14:], who[3], who[3]))
    row = cursor.fetchone()
    return (OK, shape(row)) if row else ("404 Not Found", {})


def index(environ, cursor, who):
    query = urllib.parse.parse_qs(environ["QUERY_STRING"])
    values = {"me": who[3], "q": query.get("q", [""])[0]}
    cursor.execute(SEARCH if "q" in query else LIST, values)
    body = {"items": [shape(row) for row in cursor.fetchmany(20)]}
    if "count" in query:
        cursor.execute(COUNT, values)
        body["total"] = cursor.fetchone()[0]
    return OK, body


def read(environ):
    return orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))


def new_row(body, who):
    """Return the values of a new task, None if invalid."""
    title, labels = body["title"].strip(), body.get("labels", [])
    status, priority = body.get("status", "todo"), body.get("priority", "normal")
    if (
        not body.keys() <= KNOWN
        or not 1 <= len(title) <= 200
        or status not in STATUSES
        or priority not in PRIORITIES
        or len(labels) > 20
        or not all(isinstance(label, str) and 1 <= len(label) <= 50 for label in labels)
    ):
        return None
    now = datetime.datetime.now(datetime.UTC)
    values = (str(uuid.uuid4()), title, body.get("description", ""), status)
    values += (PRIORITIES.index(priority), labels, [label.casefold() for label in labels])
    return (*values, who[3], now, now, 1)


def create(environ, cursor, who):
    row = new_row(read(environ), who)
    if row is None:
        return INVALID
    cursor.execute(INSERT, (row,))
    return CREATED, shape(cursor.fetchone())


def bulk(environ, cursor, who):
    rows = [new_row(operation["data"], who) for operation in read(environ)["operations"]]
    if None in rows:
        return INVALID
    made = execute_values(cursor, INSERT, rows, fetch=True)
    return OK, {"results": [{"op": "create", "task": shape(row)} for row in made]}


def patch(environ, cursor, who, task_id):
    body = read(environ)
    title = body["title"].strip()
    version = re.fullmatch(r'"(\d+)"', environ["HTTP_IF_MATCH"])[1]
    if not body.keys() <= KNOWN or not 1 <= len(title) <= 200:
        return INVALID
    now = datetime.datetime.now(datetime.UTC)
    cursor.execute(UPDATE, (title, now, task_id, who[3], int(version)))
    row = cursor.fetchone()
    return (OK, shape(row)) if row else ("412 Precondition Failed", {})

"""The previous release writes to this release's schema during a rollout.

The statements of tasks and audit events, and the INSERT of users, were recorded from SQLite's
trace of version 7eb795e. The UPDATE of users, comments and mails were written from its code.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from app.extensions import db
from app.services.shared.actor import Actor
from app.services.tasks import search as task_search, tasks

ANN = "01a22c77-6298-7074-b6a9-cc874902c072"
TASK = "01a22c77-62a4-75d5-b8fb-53d1daad7803"
INSERT_USER = """
INSERT INTO users (id, username, email, password_hash, role, is_active, email_verified, created_at,
 updated_at, version) VALUES (:ann, 'ann', 'ann@example.com', '$argon2id$v=19$', 'user', :true,
 :false, :moment, :moment, 1)
"""
INSERT_TASK = """
INSERT INTO tasks (id, title, description, status, priority, due_at, labels, owner_id, assignee_id,
 completed_at, created_at, updated_at, version, deleted_at, label_keys) VALUES (:task,
 'Mend the roof', 'tiles', 'todo', 1, NULL, :one_label, :ann, NULL, NULL, :moment, :moment, 1,
 NULL, :one_label)
"""
UPDATE_TASK = """
UPDATE tasks SET title='Paint the fence', description='tiles', status='done', priority=1,
 due_at=NULL, labels=:two_labels, assignee_id=NULL, completed_at=:moment, updated_at=:moment,
 version=2, deleted_at=NULL, label_keys=:two_labels WHERE tasks.id = :task
"""
UPDATE_USER = """
UPDATE users SET email='ann@example.org', updated_at=:moment, version=2 WHERE id = :ann
"""
INSERT_COMMENT = """
INSERT INTO comments (id, task_id, author_id, body, created_at, updated_at, version)
 VALUES ('01a22c77-62e4-7774-98cd-96cbf055c5d3', :task, :ann, 'hi', :moment, :moment, 1)
"""
INSERT_EVENT = """
INSERT INTO audit_events (id, actor_id, token_id, action, target_type, target_id, changes, address,
 request_id, created_at) VALUES ('01a22c77-62a6-7c3d-916e-2c0a3bd9e2b2', :ann, NULL,
 'task.created', 'task', :task, :changes, '', '', :moment)
"""
INSERT_MESSAGE = """
INSERT INTO outbox (id, kind, name, payload, user_id, webhook_id, status, attempts, fence, run_at,
 error, created_at) VALUES ('01a22c77-62a7-7c3d-916e-2c0a3bd9e2b2', 'mail', 'notice', :changes,
 :ann, NULL, 'pending', 0, 0, :moment, '', :moment)
"""
STATEMENTS = (
    INSERT_USER,
    INSERT_TASK,
    INSERT_COMMENT,
    INSERT_EVENT,
    INSERT_MESSAGE,
    UPDATE_TASK,
    UPDATE_USER,
)


def values(connection: Connection) -> dict[str, Any]:
    postgres = connection.dialect.name == "postgresql"
    return {
        "ann": ANN,
        "task": TASK,
        "true": True,
        "false": False,
        "moment": "2026-11-30T08:39:11.256010Z",
        "one_label": ["home"] if postgres else '["home"]',
        "two_labels": ["home", "sun"] if postgres else '["home","sun"]',
        "changes": '{"title":[null,"Mend the roof"]}',
    }


@pytest.fixture
def ann(app: Flask) -> Iterator[Actor]:
    """A user whose rows older code has written."""
    with app.app_context():
        with db.engine.begin() as connection:
            for statement in STATEMENTS:
                found = connection.execute(text(statement), values(connection))
                assert found.rowcount == 1, statement
        yield Actor(id=ANN, username="ann", role="user")


def test_list_has_what_older_code_has_written(ann: Actor) -> None:
    (task,) = tasks.page(ann).items
    assert (task.title, task.labels) == ("Paint the fence", ["home", "sun"])


def test_search_finds_what_older_code_has_written(ann: Actor) -> None:
    task_search.catch_up()
    assert [task.id for task in tasks.page(ann, filters={"q": "fence"}).items] == [TASK]


def test_search_finds_what_older_code_has_changed_once_it_is_indexed_again(ann: Actor) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET title = 'Mend the roof', version = 1"))
    task_search.catch_up()
    with db.engine.begin() as connection:
        connection.execute(text(UPDATE_TASK), values(connection))
    assert task_search.catch_up() == 1
    assert [task.id for task in tasks.page(ann, filters={"q": "fence"}).items] == [TASK]


def test_newer_code_changes_what_older_code_has_written(ann: Actor) -> None:
    assert tasks.update(ann, TASK, {"title": "Paint the door"}).version == 3
    assert [task.id for task in tasks.page(ann, filters={"q": "door"}).items] == [TASK]

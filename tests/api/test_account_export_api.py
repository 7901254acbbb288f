"""The account export holds all data of the user and no other user's."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, ForeignKey, Table, select
from sqlalchemy.sql.visitors import iterate

from app.extensions import db
from app.services.accounts import export as account_export
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement
from tests.api.test_tasks_api import make
from tests.conftest import PASSWORD, signed_in_api
from tests.support.answers import slug_of
from tests.support.clients import Api, Browser
from tests.support.mailbox import Mailbox


def export(api: Api) -> dict[str, Any]:
    answer = api.get("/users/me/export")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def keys(value: Any) -> set[str]:
    """Return every name in the document, at any depth."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in keys(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in keys(inner)}
    return set()


def test_export_holds_the_account_itself(ann_api: Api) -> None:
    assert export(ann_api)["user"].items() >= ann_api.get("/users/me").get_json().items()


def test_export_is_never_kept(ann_api: Api) -> None:
    assert ann_api.get("/users/me/export").headers["Cache-Control"] == "no-store"


def test_export_holds_what_one_owns_is_assigned_and_has_said(
    ann_api: Api, bob_api: Api, ann: Actor
) -> None:
    mine, given, other = make(ann_api), make(bob_api, assignee_id=ann.id), make(bob_api)
    said = ann_api.post(f"/tasks/{given['id']}/comments", {"body": "Ripe."}).get_json()
    bob_api.post(f"/tasks/{given['id']}/comments", {"body": "Of another."})
    found = export(ann_api)
    assert [task["id"] for task in found["tasks"]] == [mine["id"], given["id"]]
    assert [comment["id"] for comment in found["comments"]] == [said["id"]]
    assert found["tasks"][0].items() >= mine.items()
    assert other["id"] not in str(found)


def test_export_holds_what_lies_in_the_trash(ann_api: Api) -> None:
    task = make(ann_api)
    ann_api.delete(f"/tasks/{task['id']}")
    assert [one["id"] for one in export(ann_api)["tasks"]] == [task["id"]]


def unexported() -> set[str]:
    """Return the foreign keys to users that no statement of the export searches."""
    keys = {
        str(key.parent)
        for table in db.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "users"
    }
    clauses = [statement.clause for statement in account_export.STATEMENTS.values()]
    followed = {str(part) for clause in clauses for part in iterate(clause.whereclause)}  # type: ignore[attr-defined]
    assert len(keys) > 10
    return keys - followed


def test_export_follows_every_foreign_key_to_users() -> None:
    assert unexported() == {"email_changes.user_id"}


def test_new_table_with_a_key_to_users_is_noticed() -> None:
    extra = Table("extra", db.metadata, Column("author_id", ForeignKey("users.id")))
    try:
        assert unexported() - {"email_changes.user_id"} == {"extra.author_id"}
    finally:
        db.metadata.remove(extra)


def test_second_key_to_users_is_noticed() -> None:
    table = db.metadata.tables["comments"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            account_export.STATEMENTS,
            "comments",
            Statement(select(table).where(table.c.id == ROW_KEY)),
        )
        assert "comments.author_id" in unexported()


def test_export_holds_a_list_for_each_statement(ann_api: Api) -> None:
    assert export(ann_api).keys() == {"user", *account_export.STATEMENTS}


def test_export_holds_the_mails_and_the_links_in_them(
    mailbox: Mailbox, api: Api, ann_api: Api
) -> None:
    secret = mailbox.secret("confirm")
    found = export(ann_api)
    assert [(link["purpose"], link["email"]) for link in found["links"]] == [
        ("confirm", "ann@example.com")
    ]
    assert [mail["payload"]["to"] for mail in found["outbox"]] == ["ann@example.com"]
    assert secret not in str(found)


def test_export_holds_tokens_and_devices(
    app: Flask, ann_api: Api, ann_browser: Browser, ann: Actor
) -> None:
    made = ann_api.post("/tokens", {"name": "Backup", "scopes": ["tasks:read"]}).get_json()
    found = export(ann_api)
    assert made["id"] in [token["id"] for token in found["tokens"]]
    assert {token["kind"] for token in found["tokens"]} == {"access", "refresh", "personal"}
    (session,) = found["sessions"]
    assert session.keys() >= {"address", "user_agent", "created_at", "last_seen_at"}


def test_export_holds_what_one_did_and_what_was_done_to_one(
    ann: Actor, ann_api: Api, root_api: Api, root: Actor
) -> None:
    make(ann_api)
    root_api.patch(f"/users/{ann.id}", {"username": "anna"})
    make(root_api)
    trail = export(ann_api)["audit_events"]
    told = [(event["action"], event["actor_id"]) for event in trail]
    assert ("task.created", ann.id) in told
    assert ("user.updated", root.id) in told
    assert ("task.created", root.id) not in told


def test_address_of_somebody_else_is_left_out(ann: Actor, ann_api: Api, root_api: Api) -> None:
    where = {"REMOTE_ADDR": "192.0.2.77"}
    root_api.patch(f"/users/{ann.id}", {"username": "anna"}, environ_overrides=where)
    (event,) = (e for e in export(ann_api)["audit_events"] if e["action"] == "user.updated")
    assert (event["address"], event["token_id"], event["request_id"]) == ("", None, "")
    assert event["changes"] == {"username": ["ann", "anna"]}


def test_export_holds_attempts_to_sign_in(app: Flask, api: Api, ann: Actor) -> None:
    where = {"REMOTE_ADDR": "192.0.2.8"}
    api.post("/auth/login", {"identifier": "ann", "password": "x"}, environ_overrides=where)
    found = export(signed_in_api(app, ann))["sign_in_attempts"]
    assert [(one["address"], one["succeeded"]) for one in found] == [
        ("192.0.2.8", False),
        ("", True),
    ]


def test_export_holds_answers_that_are_kept_for_repeats(ann_api: Api) -> None:
    headers = {"Idempotency-Key": "of-this-test"}
    body = ann_api.post("/tasks", {"title": "x"}, headers=headers).text
    (record,) = export(ann_api)["idempotency_records"]
    assert (record["key"], record["body"]) == ("of-this-test", body)


def test_export_holds_no_secret_and_no_hash_of_one(
    app: Flask, ann_api: Api, ann_browser: Browser
) -> None:
    token = ann_api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]}).get_json()["token"]
    answer = ann_api.get("/users/me/export")
    assert not {name for name in keys(answer.get_json()) if "hash" in name}
    for word in ("$argon2", PASSWORD, token, str(ann_api.token)):
        assert word not in answer.text


def test_export_is_ones_own(app: Flask, ann_api: Api, bob_api: Api, root_api: Api) -> None:
    make(ann_api)
    assert export(bob_api)["tasks"] == export(root_api)["tasks"] == []
    assert "ann@example.com" not in bob_api.get("/users/me/export").text


def test_export_needs_the_scope(app: Flask, ann_api: Api) -> None:
    for scopes, status in ((["tasks:read"], 403), (["profile:read"], 200)):
        made = ann_api.post("/tokens", {"name": "x", "scopes": scopes}).get_json()
        assert Api(app, made["token"]).get("/users/me/export").status_code == status


@pytest.mark.parametrize("path", ["/users/me/export?limit=1", "/users/me/export?format=csv"])
def test_export_takes_no_query(ann_api: Api, path: str) -> None:
    assert slug_of(ann_api.get(path)) == (422, "invalid-parameter")


def test_every_export_is_in_the_audit_trail(ann: Actor, ann_api: Api, root_api: Api) -> None:
    export(ann_api)
    (event,) = root_api.get("/audit?action=user.exported").get_json()["items"]
    assert (event["actor_id"], event["target_id"]) == (ann.id, ann.id)


def test_every_moment_is_in_utc(ann_api: Api) -> None:
    make(ann_api, due_at="2030-01-01T00:00:00Z")
    found = export(ann_api)
    moments = [
        row[name]
        for rows in found.values()
        for row in rows
        if isinstance(row, dict)
        for name in row
        if name.endswith("_at") and row[name]
    ]
    assert moments
    assert all(moment.endswith("Z") for moment in moments)

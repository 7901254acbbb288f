"""A client of the how-to pages, which test_howto.py runs in a copy of the project."""

import importlib
import io
import json
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import Client

import config
from app import create_app
from app.extensions import db
from app.models import AuditEvent, Task
from app.models.registry import EVENTS
from app.models.types import now
from app.services.accounts import accounts
from app.services.shared.actor import SYSTEM

PASSWORD = "tea at half past four"
API = "/api/v1"
TENANTS = ("north", "south")


class User:
    """A registered account with a token."""

    def __init__(self, client: FlaskClient, name: str) -> None:
        self.client = client
        client.post(
            f"{API}/users",
            json={"username": name, "email": f"{name}@example.com", "password": PASSWORD},
        )
        pair = client.post(f"{API}/auth/login", json={"identifier": name, "password": PASSWORD})
        self.headers = {"Authorization": f"Bearer {pair.json['access_token']}"}  # type: ignore[index]

    def call(self, method: str, path: str, **body: Any) -> Any:
        return self.client.open(API + path, method=method, headers=self.headers, **body)


def relation(ann: User, bob: User, task: str) -> dict[str, Any]:
    path = f"/tasks/{task}/checklist"
    created = ann.call("POST", path, json={"text": "Buy screws"})
    texts = [item["text"] for item in ann.call("GET", path).json["items"]]
    stranger = bob.call("GET", path)
    return {"created": created.status_code, "texts": texts, "stranger": stranger.status_code}


def recorded() -> list[dict[str, Any]]:
    """Return the changes in the audit events of new projects."""
    found = db.session.query(AuditEvent).filter_by(action="project.created").all()
    changes = [event.changes for event in found]
    db.session.rollback()
    return changes


def resource(app: Flask, ann: User, bob: User) -> dict[str, Any]:
    created = ann.call("POST", "/projects", json={"name": "The new shelf"})
    path = f"/projects/{created.json['id']}"
    exported = ann.call("GET", "/users/me/export").json
    with app.app_context():
        before = recorded()
        accounts.delete(SYSTEM, created.json["owner_id"])
        after = recorded()
    return {
        "created": created.status_code,
        "location": created.headers["Location"].endswith(path),
        "stranger": bob.call("GET", path).status_code,
        "exported": [project["name"] for project in exported["projects"]],
        "recorded": [before, after],
        "event": "project.created" in EVENTS,
    }


def upload(ann: User, bob: User, task: str) -> dict[str, Any]:
    def send(content: bytes) -> Any:
        file = (io.BytesIO(content), "any.pdf", "application/pdf")
        return ann.call("POST", f"/tasks/{task}/attachments", data={"file": file})

    created, other = send(b"%PDF-1.7 of a test"), send(b"MZ")
    path = f"/tasks/{task}/attachments/{created.json['id']}"
    file = ann.call("GET", path)
    return {
        "created": created.status_code,
        "content": file.text,
        "disposition": file.headers["Content-Disposition"],
        "another_kind": other.status_code,
        "stranger": bob.call("GET", path).status_code,
    }


def scheme(app: Flask) -> dict[str, int]:
    client = app.test_client()
    signer = URLSafeTimedSerializer(os.environ["PORTAL_KEY"], "portal sign-in")
    url = f"/auth/portal?proof={signer.dumps('ann')}"
    first, inside = client.get(url).status_code, client.get("/tasks").status_code
    again = app.test_client().get(url).status_code
    forged = URLSafeTimedSerializer("another key", "portal sign-in").dumps("ann")
    refused = app.test_client().get(f"/auth/portal?proof={forged}").status_code
    return {"first": first, "signed_in": inside, "again": again, "forged": refused}


def chart(app: Flask) -> dict[str, Any]:
    client = app.test_client()
    signer = URLSafeTimedSerializer(os.environ["PORTAL_KEY"], "portal sign-in")
    client.get(f"/auth/portal?proof={signer.dumps('bob')}")
    page = client.get("/charts")
    return {
        "status": page.status_code,
        "svg": "<svg viewBox" in page.text,
        "figures": "<table>" in page.text,
    }


def job(app: Flask, ann: User) -> dict[str, int]:
    tidy = importlib.import_module("app.services.tasks.tidy")
    for title in ("done for long", "done today"):
        made = ann.call("POST", "/tasks", json={"title": title, "status": "done"})
        assert made.status_code == 201
    with app.app_context():
        old = db.session.query(Task).filter_by(title="done for long").one()
        old.completed_at = now() - timedelta(days=91)
        db.session.commit()
        moved, again = tidy.tidy(), tidy.tidy()
    left = ann.call("GET", "/tasks?status=done").json["items"]
    return {"moved": moved, "again": again, "left": len(left)}


def tenant() -> dict[str, int]:
    """Sign in at each tenant with the account of one of them."""
    os.environ["TENANTS"] = ",".join(TENANTS)
    for name in TENANTS:
        os.environ[f"{name.upper()}_DATABASE_URL"] = f"sqlite:///{Path.cwd() / name}.db"
        os.environ[f"{name.upper()}_PUBLIC_URL"] = f"http://{name}.localhost"
    tenants = importlib.import_module("tenants")
    client = Client(tenants.app)
    account = {"username": "ann", "email": "ann@example.com", "password": PASSWORD}
    client.post(f"{API}/users", json=account, base_url="http://north.localhost")
    return {
        name: client.post(
            f"{API}/auth/login",
            json={"identifier": "ann", "password": PASSWORD},
            base_url=f"http://{name}.localhost",
        ).status_code
        for name in (*TENANTS, "west")
    }


def main() -> None:
    app = create_app(config.load())
    runner = app.test_cli_runner()
    for line in (["upgrade"], ["migrate", "-m", "How to"], ["upgrade"]):
        result = runner.invoke(args=["db", *line])
        assert result.exit_code == 0, result.output
    with app.app_context():
        db.engine.dispose()  # writes the log of SQLite into the file
    for name in TENANTS:
        shutil.copyfile("test.db", f"{name}.db")
    client = app.test_client()
    ann, bob = User(client, "ann"), User(client, "bob")
    task = ann.call("POST", "/tasks", json={"title": "Build a shelf"}).json["id"]
    found = {
        "relation": relation(ann, bob, task),
        "upload": upload(ann, bob, task),
        "scheme": scheme(app),
        "chart": chart(app),
        "job": job(app, ann),
        "resource": resource(app, User(client, "cem"), bob),
        "tenant": tenant(),
    }
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main()

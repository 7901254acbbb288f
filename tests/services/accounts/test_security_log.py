"""The security log of one's own account: complete, without others', read from indexes."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.extensions import db
from app.main.security_log import WORDS
from app.models.types import uuid7
from app.services.access import personal_tokens
from app.services.accounts import accounts, security_log
from app.services.outbox.notices import AUDITED, UNNOTICED
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import registration, users
from app.sql import atomic
from tests.conftest import PASSWORD
from tests.support.clients import Browser
from tests.support.databases import PostgresServer, close, make_app, migrate
from tests.support.plans import blocks, plan_of

PAGE = "/settings/security"
MANY = 6_000
FILL = """
INSERT INTO audit_events
  (id, actor_id, action, target_type, target_id, changes, address, request_id, created_at)
SELECT gen_random_uuid(), CASE n % 3 WHEN 0 THEN CAST(:bob AS uuid) ELSE CAST(:ann AS uuid) END,
       'task.created', CASE n % 1000 WHEN 1 THEN 'webhook' ELSE 'task' END,
       CASE n % 1000 WHEN 2 THEN CAST(:ann AS uuid) ELSE gen_random_uuid() END, '{}', '', '',
       now() - n * interval '1 minute'
FROM generate_series(1, :many) AS n
"""


def told(browser: Browser, path: str = PAGE) -> list[str]:
    """Return the events that the page shows, the newest first."""
    page = browser.get(path).text
    return re.findall(r'scope="row" data-label="Event">([^<]*)<', page)


def test_every_security_action_has_words() -> None:
    assert WORDS.keys() == AUDITED.keys() | UNNOTICED.keys()


def test_log_shows_what_happened_to_the_account(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    Browser(app).sign_in("ann", "wrong")
    with app.app_context():
        personal_tokens.create(ann, users.get(SYSTEM, ann.id), "printer", ["tasks:read"])
        accounts.update_self(ann, {"username": "anna"})
    assert told(ann_browser) == [
        "Account changed",
        "Personal token created",
        "Sign-in refused",
        "Signed in",
        "Account created",
    ]
    assert "ann → anna" in " ".join(ann_browser.get(PAGE).text.split())


def test_log_shows_nothing_of_others(
    app: Flask, ann: Actor, ann_browser: Browser, bob: Actor, bob_browser: Browser
) -> None:
    with app.app_context():
        personal_tokens.create(bob, users.get(SYSTEM, bob.id), "of bob", ["tasks:read"])
        accounts.update_self(bob, {"username": "bobby"})
    page = ann_browser.get(PAGE).text
    assert "bobby" not in page
    assert "of bob" not in page
    assert told(ann_browser) == ["Signed in", "Account created"]


def test_admin_sees_no_acts_on_others_and_others_no_address_of_the_admin(
    app: Flask, ann: Actor, ann_browser: Browser, root: Actor, root_browser: Browser
) -> None:
    with app.app_context():
        accounts.update(root, ann.id, {"username": "anna"})
    assert told(root_browser) == ["Signed in", "Account created"]
    page = ann_browser.get(PAGE).text
    assert "An admin" in page
    assert root.address not in page


@atomic
def _record(actor: Actor, action: str) -> None:
    audit.record(actor, action, actor.id if action.startswith("user.") else uuid7())


def test_pages_of_the_log_lose_and_double_nothing(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    with app.app_context():
        for number in range(30):
            _record(ann, "user.exported" if number % 2 else "token.revoked")
    first = ann_browser.get(PAGE).text
    further = re.search(rf'href="({PAGE}\?cursor=[^"]+)"', first)
    assert further
    assert len(told(ann_browser)) == 20
    assert len(told(ann_browser, further[1])) == 12


@pytest.fixture
def full_app(postgres: PostgresServer) -> Iterator[Flask]:
    app = make_app(postgres.create("securitylog"))
    migrate(app)
    with app.app_context():
        ids = [
            registration.register(Actor(), name, f"{name}@example.com", PASSWORD).id
            for name in ("ann", "bob")
        ]
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(FILL), {"ann": ids[0], "bob": ids[1], "many": MANY})
            connection.execute(text("ANALYZE audit_events"))
    yield app
    close(app)


def test_page_is_read_from_indexes_beside_many_events_of_tasks(full_app: Flask) -> None:
    with full_app.app_context():
        ann = users.by_username("ann")
        plan = plan_of(lambda: security_log.page(Actor(id=ann.id)))
    assert blocks(plan) < 200
    assert "Seq Scan" not in str(plan)

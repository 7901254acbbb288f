"""A service in which each text of a user is one word, as long as its field allows.

A page must break such a word, so that the word pushes nothing out of sight and covers nothing.
"""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert

from app.extensions import db
from app.models import Factor, LinkedAccount, OutboxEntry, Session, User, Webhook
from app.models.base import Base
from app.models.comment import BODY_MAX
from app.models.factor import NAME_MAX as FACTOR_MAX
from app.models.linked_account import SUBJECT_MAX
from app.models.outbox import ERROR_MAX
from app.models.registry import EVENTS, SCOPES
from app.models.session import USER_AGENT_MAX
from app.models.task import LABEL_MAX, LABELS_MAX, PRIORITIES, STATUSES, TITLE_MAX
from app.models.token import NAME_MAX as TOKEN_MAX
from app.models.types import now, uuid7
from app.models.user import USERNAME_MAX
from app.models.webhook import URL_MAX
from app.services.access import personal_tokens, token_pairs
from app.services.accounts import address_undo, password_reset, unsent_forms
from app.services.authentication import one_time_links
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM, Actor, scopes_of
from app.services.tasks import comments, tasks
from app.services.users import registration, users
from app.services.webhooks import webhooks
from tests.conftest import PASSWORD
from tests.support.rows import set_values

LONG = 200  # characters of a word in a longer text
LIST = 21  # rows: one more than a page of a list has
ADDRESS = "2001:0db8:85a3:0000:0000:8a2e:0370:7334"
# Addresses of a domain that nobody can register (RFC 2606), 254 characters.
EMAIL = "{}@" + ".".join(["d" * 57] * 3 + ["example"])


def word(size: int = LONG, start: str = "") -> str:
    """Return a word of `size` characters without a place to break."""
    return (start + "Donaudampfschifffahrtsgesellschaft" * (size // 34 + 1))[:size]


def make_account(start: str, role: str = "user") -> Actor:
    """Create an account with the longest username and a long address. Needs an app context."""
    email = EMAIL.format(word(64, start))
    user = registration.register(Actor(), word(USERNAME_MAX, start), email, PASSWORD, role)
    return Actor(
        id=user.id,
        username=user.username,
        role=role,
        scopes=scopes_of(role),
        signed_in_at=now(),
        address=ADDRESS,
        request_id="of-the-test",
    )


def fill(app: Flask) -> tuple[Actor, dict[str, str]]:
    """Return an admin, and values for the variables of routes. No account has a factor yet."""
    with app.app_context():
        admin, other = make_account("Anna", "admin"), make_account("Otto")
        set_values(User, admin.id, email_verified=True)
        task_id, comment_id = _fill_tasks(admin, other)
        webhook_id = _fill_webhooks(admin)
        _fill_access(admin)
        _fill_outbox(admin, webhook_id)
        unsent = [("title", word()), ("body", word(start="Anna"))]
        return admin, {
            "user_id": admin.id,
            "username": admin.username,
            "task_id": task_id,
            "comment_id": comment_id,
            "webhook_id": webhook_id,
            "unsent_id": unsent_forms.keep(admin.id, "/tasks/new", unsent) or "",
            "slug": "reauthentication-required",
        }


def undo_link(user: User) -> str:
    """Return the secret of a link that undoes the address change of `user`."""
    payload = {"to": "old@example.com", "can_undo": True}
    outbox.add("mail", "email_changed", payload, user_id=user.id)
    (entry,) = (entry for entry in outbox.claim(100) if entry.name == "email_changed")
    return address_undo.make(entry)


def make_links(app: Flask, user_id: str) -> dict[str, str]:
    """Return the paths of pages that a mailed link opens, by route."""
    with app.app_context():
        user = users.get(Actor(id=user_id), user_id)
        reset = password_reset.make_link(SYSTEM, user)
        confirm = one_time_links.make(user.id, "confirm", user.email)
        return {
            "/auth/confirm/<token>": f"/auth/confirm/{confirm}",
            "/auth/undo/<token>": f"/auth/undo/{undo_link(user)}",
            "/auth/reset/<token>": f"/auth/reset/{reset}",
            "/auth/invite/<token>": f"/auth/invite/{reset}",
        }


def add_factors(app: Flask, user_id: str) -> str:
    """Add second factors to the user, and return the id of one."""
    with app.app_context():
        for kind in ("totp", "passkey"):
            name = word(FACTOR_MAX, kind)
            factor_id = _insert(Factor, user_id=user_id, kind=kind, name=name, confirmed_at=now())
        return factor_id


def _fill_tasks(admin: Actor, other: Actor) -> tuple[str, str]:
    """Return the ids of a task changed by both users and of a comment on the task."""
    values = {"title": word(TITLE_MAX), "description": word(), "assignee_id": other.id}
    for number in range(LIST * 2):
        kinds = {
            "status": STATUSES[number % len(STATUSES)],
            "priority": PRIORITIES[number % len(PRIORITIES)],
        }
        due_at = now() + timedelta(days=number - 5)
        labels = [word(LABEL_MAX, str(number))]
        made = tasks.create(admin, {**values, **kinds, "due_at": due_at, "labels": labels})
        if number < LIST:
            tasks.delete(admin, made.id)
    task = tasks.create(admin, values)
    labels = [word(LABEL_MAX, str(number)) for number in range(LABELS_MAX)]
    news = {"title": word(TITLE_MAX, "new"), "description": word(BODY_MAX), "labels": labels}
    tasks.update(other, task.id, {**news, "due_at": now(), "priority": "urgent"})
    made_comments = [comments.create(admin, task.id, word()) for _ in range(LIST)]
    comments.create(other, task.id, word())
    comment = comments.update(admin, task.id, made_comments[-1].id, word(BODY_MAX))
    return task.id, comment.id


def _fill_webhooks(admin: Actor) -> str:
    """Create a webhook with the longest address, and return its id."""
    url = word(URL_MAX, "https://1.1.1.1/")
    webhook, _ = webhooks.create(admin, url, EVENTS)
    failing, _ = webhooks.create(admin, url, EVENTS)
    set_values(Webhook, failing.id, failing_since=now())
    webhooks.create(admin, url, EVENTS, is_active=False)
    return webhook.id


def _fill_access(admin: Actor) -> None:
    user = users.get(admin, admin.id)
    for number in range(LIST):
        ends = now() + timedelta(days=number + 1)
        name = word(TOKEN_MAX, str(number))
        personal_tokens.create(admin, user, name, SCOPES, expires_at=ends)
    token_pairs.sign_in(Actor(address=ADDRESS), admin.username, PASSWORD)
    moment = {"created_at": now(), "last_seen_at": now(), "expires_at": now() + timedelta(days=1)}
    for agent in (word(USER_AGENT_MAX), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"):
        values: dict[str, Any] = {"address": ADDRESS, "user_agent": agent, "remembered": False}
        _insert(Session, user_id=admin.id, hash=uuid7(), **values, **moment)
    names = {"subject": word(SUBJECT_MAX), "email": EMAIL.format(word(64))}
    for number, named in enumerate((names, {**names, "email": ""})):
        issuer = word(SUBJECT_MAX, f"https://{number}.example/")
        _insert(LinkedAccount, user_id=admin.id, issuer=issuer, **named)


def _fill_outbox(admin: Actor, webhook_id: str) -> None:
    error = {"error": word(ERROR_MAX), "response_status": 500, "attempts": 12}
    for status in ("dead", "pending", "done"):
        ended = now() if status != "pending" else None
        for kind, name in (("mail", "notice"), ("webhook", "comment.deleted")):
            to = webhook_id if kind == "webhook" else None
            entry = outbox.add(kind, name, {}, user_id=admin.id, webhook_id=to)
            set_values(OutboxEntry, entry, status=status, finished_at=ended, **error)


def _insert(model: type[Base], **values: Any) -> str:
    row_id = uuid7()
    with db.engine.begin() as connection:
        connection.execute(insert(model).values(id=row_id, **values))
    return row_id

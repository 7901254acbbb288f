"""The authorization matrix: the expected status of every operation for every kind of caller.

`World` makes the records that an operation needs: a personal token, a webhook and the account of
the owner, and the records of each resource in PARTS.
"""

import itertools
from datetime import timedelta
from typing import Any

from flask import Flask

from app.models import Factor, OutboxEntry, RecoveryCode, Token, User, Webhook
from app.models.registry import EVENTS, SCOPES
from app.models.types import now
from app.services.access import bearer_tokens, personal_tokens, token_pairs
from app.services.accounts import invitations, password_reset
from app.services.authentication import one_time_links
from app.services.shared.actor import SYSTEM, Actor, scopes_of
from app.services.users import registration, users
from app.services.webhooks import deliveries as webhook_deliveries, webhooks
from tests.conftest import PASSWORD
from tests.support import task_authorization
from tests.support.rows import add_factor, rows, set_values

ROLES = (
    "anonymous",
    "stranger",
    "owner",
    "assignee",
    "admin",
    "deactivated",
    "expired",
    "scopeless",  # the owner's token (for admin operations an admin's) without the scope
)
PARTS = (task_authorization,)  # of resources: one line each
STATUSES = {
    "GET /audit": (401, 403, 403, 403, 200, 401, 401, 403),
    "POST /auth/confirm": (401, 403, 403, 204, 403, 401, 401, 403),
    "POST /auth/forgot": (202, 202, 202, 202, 202, 202, 202, 202),
    "POST /auth/login": (200, 200, 200, 200, 200, 200, 200, 200),
    "POST /auth/logout": (401, 204, 204, 204, 204, 401, 401, 204),
    "POST /auth/refresh": (200, 200, 200, 200, 200, 200, 200, 200),
    "POST /auth/reset": (204, 204, 204, 204, 204, 204, 204, 204),
    "GET /openapi.json": (200, 200, 200, 200, 200, 200, 200, 200),
    "GET /tokens": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /tokens": (401, 201, 201, 201, 201, 401, 401, 403),
    "GET /tokens/{token_id}": (401, 404, 200, 404, 404, 401, 401, 403),
    "DELETE /tokens/{token_id}": (401, 404, 204, 404, 404, 401, 401, 403),
    "GET /users": (401, 403, 403, 403, 200, 401, 401, 403),
    "POST /users": (201, 201, 201, 201, 201, 201, 201, 201),
    "GET /users/{user_id}": (401, 200, 200, 200, 200, 401, 401, 200),
    "GET /users/names": (401, 200, 200, 200, 200, 401, 401, 200),
    "PATCH /users/{user_id}": (401, 403, 403, 403, 200, 401, 401, 403),
    "DELETE /users/{user_id}": (401, 403, 403, 403, 204, 401, 401, 403),
    "POST /users/{user_id}/invitation": (401, 403, 403, 403, 202, 401, 401, 403),
    "POST /users/invitations": (401, 403, 403, 403, 201, 401, 401, 403),
    "GET /users/by-username/{username}": (401, 200, 200, 200, 200, 401, 401, 200),
    "GET /users/me": (401, 200, 200, 200, 200, 401, 401, 403),
    "PATCH /users/me": (401, 200, 200, 200, 200, 401, 401, 403),
    "DELETE /users/me": (401, 204, 204, 204, 204, 401, 401, 403),
    "POST /users/me/confirmation": (401, 202, 202, 202, 202, 401, 401, 403),
    "GET /users/me/factors": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /users/me/factors/totp": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /users/me/factors/totp/confirm": (401, 409, 409, 409, 409, 401, 401, 403),
    "POST /users/me/factors/{factor_id}/remove": (401, 404, 204, 404, 404, 401, 401, 403),
    "GET /users/me/recovery-codes": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /users/me/recovery-codes": (401, 409, 200, 409, 409, 401, 401, 403),
    "DELETE /users/{user_id}/factors": (401, 403, 403, 403, 204, 401, 401, 403),
    "GET /users/me/export": (401, 200, 200, 200, 200, 401, 401, 403),
    "GET /webhooks": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /webhooks": (401, 201, 201, 201, 201, 401, 401, 403),
    "GET /webhooks/{webhook_id}": (401, 404, 200, 404, 404, 401, 401, 403),
    "PATCH /webhooks/{webhook_id}": (401, 404, 200, 404, 404, 401, 401, 403),
    "DELETE /webhooks/{webhook_id}": (401, 404, 204, 404, 404, 401, 401, 403),
    "GET /webhooks/{webhook_id}/deliveries": (401, 404, 200, 404, 404, 401, 401, 403),
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": (
        (401, 404, 202, 404, 404, 401, 401, 403)
    ),
    "POST /webhooks/{webhook_id}/rotate-secret": (401, 404, 200, 404, 404, 401, 401, 403),
    "POST /webhooks/{webhook_id}/test": (401, 404, 202, 404, 404, 401, 401, 403),
}
for part in PARTS:
    STATUSES.update(part.STATUSES)
WEBHOOK = {"url": "https://1.1.1.1/hook", "events": list(EVENTS)[:1]}
ACCOUNTS = (User, Factor, RecoveryCode, Webhook)
_numbers = itertools.count()


class World:
    """The records of one cell, new for each cell, which may delete them. Needs an app context."""

    def __init__(self, app: Flask, operation: str, scopes: set[str]) -> None:
        self.app, self.operation, self.scopes = app, operation, scopes
        self.number = next(_numbers)
        self.owner, self.assignee = self.person("owner"), self.person("assignee")
        token, _ = personal_tokens.create(SYSTEM, self.account(self.owner), "x", ["profile:read"])
        self.ids = {
            "token_id": token.id,
            "user_id": self.owner.id,
            "username": self.owner.username,
        }
        self.private: set[str] = set()  # ids that a stranger is not shown
        for part in PARTS:
            made = part.make(operation, self.owner, self.assignee)
            self.ids.update(made)
            self.private |= set(made.values())
        if operation.endswith("/invitation"):
            guest = f"guest-{self.number}"
            self.ids["user_id"] = invitations.invite(SYSTEM, f"{guest}@example.com", guest).id
        if "webhook" in operation:
            self.ids.update(self.webhook())

    def person(self, name: str, role: str = "user") -> Actor:
        username = f"{name}-{self.number}"
        user = registration.register(SYSTEM, username, f"{username}@example.com", PASSWORD, role)
        if not self.operation.endswith(("/confirm", "/confirmation")) or "totp" in self.operation:
            set_values(User, user.id, email_verified=True)
        return Actor(id=user.id, username=username, role=role, scopes=scopes_of(role))

    def webhook(self) -> dict[str, str]:
        """Create a webhook of the owner with an ended delivery, and return its id."""
        webhook, _ = webhooks.create(self.owner, **WEBHOOK)  # type: ignore[arg-type]
        delivery = webhook_deliveries.test(self.owner, webhook.id)
        set_values(OutboxEntry, delivery.id, status="done")
        return {"webhook_id": webhook.id, "delivery_id": delivery.id}

    def account(self, person: Actor) -> User:
        return users.get(SYSTEM, person.id)

    def token(self, role: str) -> str | None:
        """Return a token of this kind of caller, None for a stranger."""
        if role == "anonymous":
            return None
        if role == "scopeless":
            return self.token_without_scopes()
        if role == "admin":
            self.person("spare", "admin")  # so that the caller is not the last admin
        others = {"stranger": "user", "admin": "admin"}
        person = self.person(role, others[role]) if role in others else self.owner
        person = self.assignee if role == "assignee" else person
        secret = token_pairs.sign_in(Actor(), person.username, PASSWORD).access_token
        if role == "deactivated":
            set_values(User, person.id, is_active=False)
        elif role == "expired":
            held = bearer_tokens.identify(secret).token_id
            set_values(Token, str(held), expires_at=now() - timedelta(seconds=1))
        return secret

    def token_without_scopes(self) -> str:
        is_admins = self.scopes == {"admin"}
        holder = self.person("lesser", "admin") if is_admins else self.owner
        rest = [s for s in SCOPES if s not in self.scopes and (s != "admin" or is_admins)]
        return personal_tokens.create(SYSTEM, self.account(holder), "x", rest)[1]

    def path(self) -> str:
        self.ids["factor_id"] = add_factor(self.owner.id)  # the owner has signed in before
        path = self.operation.partition(" ")[2].format(**self.ids)
        return f"{path}?format=csv" if path.endswith("tasks/export") else path

    def body(self) -> dict[str, Any]:
        """Return the operation's body as arguments of the test client."""
        for part in PARTS:
            arguments: dict[str, Any] | None = part.bodies(self.ids).get(self.operation)
            if arguments is not None:
                return arguments
        return {"json": self.json()}

    def json(self) -> dict[str, Any] | None:
        fresh, who = f"fresh-{self.number}", self.assignee.username
        if self.operation == "POST /auth/refresh":
            return {"refresh_token": token_pairs.sign_in(Actor(), who, PASSWORD).refresh_token}
        if self.operation in ("POST /auth/confirm", "POST /auth/reset"):
            return self.by_link()
        account = {"username": fresh, "email": f"{fresh}@example.com", "password": PASSWORD}
        bodies: dict[str, dict[str, Any]] = {
            "POST /auth/forgot": {"email": f"{who}@example.com"},
            "POST /auth/login": {"identifier": who, "password": PASSWORD},
            "POST /tokens": {"name": "x", "scopes": ["profile:read"]},
            "POST /users": account,
            "POST /users/invitations": {name: account[name] for name in ("username", "email")},
            "PATCH /users/{user_id}": {"username": fresh},
            "POST /users/me/factors/totp": {"current_password": PASSWORD},
            "POST /users/me/factors/totp/confirm": {"otp": "000000"},
            "POST /users/me/factors/{factor_id}/remove": {"current_password": PASSWORD},
            "POST /users/me/recovery-codes": {"current_password": PASSWORD},
            "PATCH /users/me": {"username": fresh},
            "POST /webhooks": WEBHOOK,
            "PATCH /webhooks/{webhook_id}": {"is_active": False},
        }
        return bodies.get(self.operation)

    def by_link(self) -> dict[str, Any]:
        if self.operation == "POST /auth/reset":
            secret = password_reset.make_link(SYSTEM, self.account(self.assignee))
            return {"token": secret, "password": "nine apples, no pear"}
        email = f"{self.assignee.username}@example.com"
        return {"token": one_time_links.make(self.assignee.id, "confirm", email)}

    def state(self) -> list[Any]:
        """Return the rows that a refusal must not change."""
        models = (*(model for part in PARTS for model in part.MODELS), *ACCOUNTS)
        return [rows(model) for model in models]

"""Schemathesis over the whole OpenAPI document: examples, limits, random cases and sequences.

All checks are on. A rule that a document cannot express is fulfilled in the generated request
before it is sent: the assignee exists, the password is the caller's, the cursor is from the page
before.
"""

import os
from datetime import timedelta
from functools import cache
from operator import attrgetter
from typing import Any

import pyotp
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings, strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation.stateful import run_state_machine_as_test
from schemathesis.pytest.lazy import get_all_tests
from sqlalchemy import delete

from app.api.http.declaration import Operation
from app.errors import InvalidToken
from app.extensions import db
from app.models import Factor, IdempotencyRecord, User
from app.models.types import now
from app.services.access import bearer_tokens, token_pairs
from app.services.authentication import one_time_links
from app.services.shared import encryption
from app.services.shared.actor import Actor
from app.services.users import registration
from tests.conftest import PASSWORD, MakeApp
from tests.support.routes import APP, OPERATIONS
from tests.support.rows import rows, set_values

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))  # for each operation
ROWS, STEPS = EXAMPLES * 3, 12
# Expected answers to valid requests; 412 is for another version in If-Match.
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "412", "429"]
CONFIG = {
    "generation": {"max-examples": EXAMPLES, "deterministic": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
}
pytestmark = pytest.mark.slow
SECRETS = {"of-the-caller"}  # and the callers' later tokens: several callers send one case
TITLES = st.lists(st.sampled_from(["Plums", "\u00c4pfel; a, b", "'=1"]), max_size=3)
schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json", APP, config=SchemathesisConfig.from_dict(CONFIG)
)
CSV = TITLES.map(lambda names: "".join(f'"{n}"\n' for n in ["title", *names]).encode())
schemathesis.openapi.media_type("text/csv", CSV)
schemathesis.openapi.format("binary", CSV)
schemathesis.openapi.media_type(
    "application/x-ndjson",
    TITLES.map(lambda names: "".join(f'{{"title": "{n}"}}\n' for n in names).encode()),
)


@schema.auth(refresh_interval=None)
class Authentication:
    """The place of a token in a request; `Caller.prepare` sets the token itself."""

    def get(self, _case: Any, _context: Any) -> str:
        return min(SECRETS)

    def set(self, case: Any, secret: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {secret}"


class Caller:
    """A user of this role, replaced by another one after deleting the own account."""

    def __init__(self, app: Flask, role: str) -> None:
        self.app, self.role = app, role
        self.number = self.cases = 0
        self.start()

    def start(self) -> None:
        """Start again with empty tables."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(delete(User))  # cascades to everything that users own
        self.number, self.secret, self.id = 0, "", ""
        self.become("spare", "admin")  # so that no caller is the last admin

    def become(self, name: str, role: str) -> None:
        self.number += 1
        username = f"the-{name}-{self.number}"
        with self.app.app_context():
            self.id = registration.register(
                Actor(), username, f"{username}@example.com", PASSWORD, role
            ).id
            set_values(User, self.id, email_verified=True)
            self.secret = token_pairs.sign_in(Actor(), username, PASSWORD).access_token
        SECRETS.add(self.secret)

    def prepare(self, case: Any) -> None:
        self.cases += 1
        if case.headers.get("Authorization", "").removeprefix("Bearer ") in SECRETS:
            case.headers["Authorization"] = f"Bearer {self.token()}"
        if "Idempotency-Key" in case.headers:
            self.forget_keys()
        if not case.meta.is_negative_at(ParameterLocation.QUERY):
            case.query.pop("cursor", None)
            if case.query.get("format") == "ndjson":
                case.query.pop("bom", None)  # for CSV files alone
        if not case.meta.is_negative_at(ParameterLocation.BODY):
            if case.path.startswith("/api/v1/users/me/") and isinstance(case.body, dict):
                case.body["current_password" if "otp" not in case.body else "otp"] = ""
            self.mend(case.body)
            purpose = case.path.removeprefix("/api/v1/auth/")
            if purpose in ("confirm", "reset") and "token" in case.body:
                case.body["token"] = self.link(purpose)

    def token(self) -> str:
        with self.app.app_context():
            try:
                if bearer_tokens.identify(self.secret).role == self.role:
                    return self.secret
            except InvalidToken:
                pass
        self.become(self.role, self.role)
        return self.secret

    def link(self, purpose: str) -> str:
        self.token()
        with self.app.app_context():
            return one_time_links.make(self.id, purpose, f"linked-{self.cases}@example.com")

    def code(self) -> str:
        """Return a code of the authenticator app that is being set up."""
        with self.app.app_context():
            found = [
                row for row in rows(Factor, user_id=self.id or None) if row.confirmed_at is None
            ]
            return pyotp.TOTP(encryption.unseal(found[0].secret)).now() if found else "000000"

    def forget_keys(self) -> None:
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(delete(IdempotencyRecord))

    def mend(self, body: Any) -> None:
        """Replace random values of the body by valid ones: the assignee, passwords, addresses."""
        known = {
            "assignee_id": self.id,
            "email": f"somebody-{self.cases}@example.com",
            "password": PASSWORD,
            "current_password": PASSWORD,
            "otp": self.code(),
            "expires_at": (now() + timedelta(days=30)).isoformat(),
            "username": f"somebody-{self.cases}",
            "url": "https://1.1.1.1/tasks",
        }
        if isinstance(body, dict):
            body.update(
                {name: known[name] for name in known.keys() & body.keys() if body[name] is not None}
            )
            body = list(body.values())
        for inner in body if isinstance(body, list) else []:
            self.mend(inner)


@pytest.fixture(params=["user", "admin"])
def caller(request: pytest.FixtureRequest, other_app: MakeApp) -> Caller:
    return Caller(
        other_app(RATELIMIT_DEFAULT="1000000 per minute", MAIL_URL="console:"), request.param
    )


# One role on one database is enough: other tests compare the databases.
each_on_one_database = pytest.mark.parametrize(
    ("app", "caller"), [("sqlite", "user"), ("postgresql", "admin")], indirect=True
)


def _send(case: Any, caller: Caller) -> None:
    caller.prepare(case)
    case.call_and_validate(app=caller.app)


@cache
def _requests(operation_id: str) -> Any:
    """Return a function that sends all requests of an operation.

    The requests are generated when the test starts. `schema.parametrize()` generates them during
    collection, in every process of a run: half a minute each.
    """
    one = schema.include(operation_id=operation_id)
    [made] = get_all_tests(schema=one, test_func=_send, settings=None, given_kwargs=None)
    assert isinstance(made, Ok), made
    _, send_all = made.ok()
    return send_all


@each_on_one_database
@pytest.mark.parametrize(
    "operation", [route.operation for route in OPERATIONS], ids=attrgetter("id")
)
def test_every_request_is_answered_as_the_document_says(
    operation: Operation, caller: Caller
) -> None:
    _requests(operation.id)(caller=caller)


@each_on_one_database
def test_every_row_of_requests_is_answered_as_the_document_says(caller: Caller) -> None:
    # Without restoring tasks: a check expects that a deleted task is never readable again.
    class Row(schema.exclude(path_regex="/restore$").as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            caller.start()

        def before_call(self, case: Any) -> None:
            caller.prepare(case)

        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return {"app": caller.app}

    run_state_machine_as_test(
        Row,
        settings=settings(
            max_examples=ROWS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    assert caller.cases >= ROWS

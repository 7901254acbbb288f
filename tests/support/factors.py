"""Second factors for tests: an authenticator app with a fixed clock."""

import pyotp
import pytest
from flask import Flask

from app.models import Factor
from app.models.types import now
from app.services.factors import totp
from app.services.shared import encryption
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.rows import rows

MOMENT = now()  # the server's clock of TOTP stands still: a step could end during a test


class Phone:
    """An authenticator app, and recovery codes on paper."""

    def __init__(self, secret: str, recovery_codes: list[str]) -> None:
        self.app = pyotp.TOTP(secret)
        self.recovery_codes = recovery_codes

    def code(self, steps: int = 0) -> str:
        """Return the code of the time step `steps` steps from now."""
        return self.app.at(MOMENT, counter_offset=steps)


def hold_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp, "now", lambda: MOMENT)


def add_app(actor: Actor) -> Phone:
    """Set up an authenticator app with the code of the previous step. Needs an app context."""
    secret = totp.begin(actor, PASSWORD).secret
    phone = Phone(secret, [])
    phone.recovery_codes = totp.confirm(actor, phone.code(-1))
    return phone


def phone_of(app: Flask, actor: Actor) -> Phone:
    with app.app_context():
        return add_app(actor)


def secret_of(actor: Actor) -> str:
    """Return the decrypted secret in the database. Needs an app context."""
    (factor,) = rows(Factor, user_id=actor.id, kind="totp")
    return encryption.unseal(factor.secret or "")

"""Second factors as the tests set them up: an app whose clock the test holds."""

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

MOMENT = now()  # a test may begin at the end of a step: the server's clock of TOTP stands still


class Phone:
    """An authenticator app, and recovery codes on paper."""

    def __init__(self, secret: str, recovery_codes: list[str]) -> None:
        self.app = pyotp.TOTP(secret)
        self.recovery_codes = recovery_codes

    def code(self, steps: int = 0) -> str:
        """The code so many steps from now on."""
        return self.app.at(MOMENT, counter_offset=steps)


def hold_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp, "now", lambda: MOMENT)


def add_app(actor: Actor) -> Phone:
    """Needs an app context. The code of the step before this one is used by it."""
    secret = totp.begin(actor, PASSWORD).secret
    phone = Phone(secret, [])
    phone.recovery_codes = totp.confirm(actor, phone.code(-1))
    return phone


def phone_of(app: Flask, actor: Actor) -> Phone:
    with app.app_context():
        return add_app(actor)


def secret_of(actor: Actor) -> str:
    """What the database holds, opened. Needs an app context."""
    (factor,) = rows(Factor, user_id=actor.id, kind="totp")
    return encryption.unseal(factor.secret or "")

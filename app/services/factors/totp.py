"""Codes of an authenticator app (RFC 6238): SHA-1, 6 digits, 30 seconds, which every app supports.

A code is valid once (RFC 6238, 5.2; ASVS 5.0, 6.5.1) and at most one step early or late. The secret
is encrypted in the database and shown only during the setup.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import BindParameter, bindparam, delete, insert, or_, select, update

from app import product
from app.errors import Conflict, Invalid
from app.faults import Code, Fault
from app.models import FACTORS, Factor
from app.models.factor import APPS_MAX
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import authentication, credentials
from app.services.factors import factors
from app.services.shared import audit, encrypted_columns, encryption, throttle
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

NAME = "Authenticator app"
STEP = 30  # seconds
WINDOW = (-1, 0, 1)  # accepted clock skew in steps
DIGITS = 6
SETUP_LIFE = timedelta(minutes=10)

_step: BindParameter[int] = bindparam("step")
_moment = bindparam("moment", type_=UTCDateTime())
_of_user = (Factor.user_id == ROW_KEY, Factor.kind == "totp")
_insert = Statement[Factor](insert(FACTORS))
_discard = Statement[Factor](delete(Factor).where(*_of_user, Factor.confirmed_at.is_(None)))
_apps = Statement[Factor](
    select(*FACTORS.c)
    .where(*_of_user, Factor.confirmed_at.is_not(None))
    .order_by(FACTORS.c.created_at, FACTORS.c.id)
)
_pending = Statement[Factor](
    select(*FACTORS.c).where(
        *_of_user,
        Factor.confirmed_at.is_(None),
        Factor.created_at > bindparam("since", type_=UTCDateTime()),
    )
)
_confirm = Statement[Factor](
    update(Factor)
    .where(FACTORS.c.id == ROW_KEY, Factor.confirmed_at.is_(None))
    .values(confirmed_at=_moment, last_step=_step, last_used_at=_moment)
)
_spend = Statement[Factor](
    update(Factor)
    .where(
        FACTORS.c.id == ROW_KEY,
        Factor.confirmed_at.is_not(None),
        or_(Factor.last_step.is_(None), Factor.last_step < _step),
    )
    .values(last_step=_step, last_used_at=_moment)
)


@dataclass(slots=True, frozen=True)
class SetUp:
    """The secret of a new app: in base 32, and as an otpauth: URI."""

    secret: str
    uri: str


def begin(actor: Actor, current_password: str | None) -> SetUp:
    """Return a secret for a new app, which counts after `confirm` with one of its codes.

    Raises InvalidToken, EmailUnconfirmed, Conflict for more than APPS_MAX apps, and the errors of
    authentication.again.
    """
    authentication.again(actor, current_password)
    return _begin(actor)


@atomic
def _begin(actor: Actor) -> SetUp:
    credentials.require_live(actor, actor.id, confirmed=True)
    name = _free_name({app.name for app in _apps.all(key=actor.id)})
    secret = pyotp.random_base32()
    _discard.run(key=actor.id)
    blank: dict[str, Any] = dict.fromkeys(column.name for column in FACTORS.columns)
    made = {"id": uuid7(), "user_id": actor.id, "kind": "totp", "name": name, "created_at": now()}
    _insert.run(**{**blank, **made, "secret": encryption.seal(secret)})
    return _set_up(actor, secret)


def _free_name(taken: set[str]) -> str:
    """Return a name that no app of the account has. Raises Conflict for more than APPS_MAX."""
    if len(taken) >= APPS_MAX:
        raise Conflict(f"You have {APPS_MAX} authenticator apps: remove one first.")
    numbered = (f"{NAME} {number}" for number in range(2, APPS_MAX + 1))
    return next(name for name in (NAME, *numbered) if name not in taken)


def pending(actor: Actor) -> SetUp:
    """Return the pending setup. Raises Conflict if none was started within SETUP_LIFE."""
    try:
        return _set_up(actor, _secret(_begun(actor)))
    except encryption.Sealed as error:
        raise Conflict("Start the setup of the app again.") from error


def confirm(actor: Actor, otp: str) -> list[str]:
    """Confirm the new app. Return recovery codes if it is the first factor.

    Raises InvalidToken, EmailUnconfirmed, Conflict without a pending setup, Invalid for a wrong
    code, TooManyRequests.
    """
    account = throttle.account_of_codes(users.get(actor, actor.id), "codes")
    throttle.check_codes(account)
    codes = _confirm_in_transaction(actor, otp, account)
    if codes is None:
        fault = Fault(Code.INCORRECT, "This is not the code that the app shows now.")
        raise Invalid("The code is wrong.", {"otp": fault})
    return codes


@atomic
def _confirm_in_transaction(actor: Actor, otp: str, account: str) -> list[str] | None:
    credentials.require_live(actor, actor.id, confirmed=True)
    factor = _begun(actor)
    step = _step_of(factor, otp)
    throttle.settle_code(account, actor.address, succeeded=step is not None)
    if step is None:
        audit.record(actor, "factor.refused", actor.id)
        return None
    _confirm.run(key=factor.id, step=step, moment=now())
    return factors.added(actor, factor.kind, factor.name)


def is_set_up(user_id: str) -> bool:
    """Return True if the account has a confirmed app."""
    return bool(_apps.all(key=user_id))


def spend(user_id: str, otp: str) -> bool:
    """Spend a code. Return False if it is not an unused code of the account's apps."""
    fitting = ((app, _step_of(app, otp)) for app in _apps.all(key=user_id))
    return any(
        bool(_spend.run(key=app.id, step=step, moment=now()))
        for app, step in fitting
        if step is not None
    )


def was_spent(user_id: str, otp: str) -> bool:
    """Return True if the code is valid now for one of the account's apps but was used before."""
    fitting = ((app, _step_of(app, otp)) for app in _apps.all(key=user_id))
    return any(step is not None and step <= (app.last_step or 0) for app, step in fitting)


def is_code(otp: str) -> bool:
    """Return True if the text has the form of an app's code."""
    code = "".join(otp.split())
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def _begun(actor: Actor) -> Factor:
    factor = _pending.one(key=actor.id, since=now() - SETUP_LIFE)
    if factor is None:
        raise Conflict("Set up the app again: a setup expires after 10 minutes.")
    return factor


def _secret(factor: Factor) -> str:
    """Return the decrypted secret. Raises Sealed."""
    return encrypted_columns.read(FACTORS.c.secret, factor.id, factor.secret or "")


def _set_up(actor: Actor, secret: str) -> SetUp:
    name = users.get(actor, actor.id).username
    return SetUp(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=product.NAME))


def _step_of(factor: Factor, otp: str) -> int | None:
    """Return the step of the code, counted from 1970, or None if no step of WINDOW matches.

    If the key of the secret is lost no code matches, and the user needs a recovery code.
    """
    if not is_code(otp):
        return None
    code = "".join(otp.split())
    try:
        app = pyotp.TOTP(_secret(factor))
    except encryption.Sealed:
        return None
    current = int(now().timestamp()) // STEP
    steps = (current + off for off in WINDOW)
    fitting = [step for step in steps if hmac.compare_digest(app.generate_otp(step), code)]
    return max(fitting, default=None)

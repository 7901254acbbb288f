"""Passkeys as a second factor or, with user verification by the device, as the only proof.

A challenge is valid once, and a counter above 0 must increase (WebAuthn Level 3, 6.1.1). The
transaction of the use checks both. The counter of a synced passkey stays 0.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, insert, or_, select, update

from app import settings
from app.errors import BadCredentials, BadOtp, Conflict, UnknownPasskey
from app.models import FACTORS, USERS, Factor, User
from app.models.factor import NAME_MAX
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import credentials
from app.services.factors import factors, passkey_providers, spent_challenges, webauthn_messages
from app.services.factors.webauthn_messages import Challenge
from app.services.shared import audit, text_rules, throttle
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import ROW_KEY, Statement, UniqueViolation, atomic

NUMBER_MAX = 20  # of one account

_count: BindParameter[int] = bindparam("count")
_insert = Statement[Factor](insert(FACTORS))
_of_user = Statement[Factor](
    select(Factor.credential_id).where(Factor.user_id == ROW_KEY, Factor.kind == "passkey")
)
_get = Statement[Factor](select(*FACTORS.c).where(Factor.credential_id == ROW_KEY))
_use = Statement[Factor](
    update(Factor)
    .where(
        FACTORS.c.id == ROW_KEY,
        or_(Factor.sign_count < _count, and_(Factor.sign_count == 0, _count == 0)),
    )
    .values(sign_count=_count, last_used_at=bindparam("moment", type_=UTCDateTime()))
)
_decline = Statement[User](
    update(User)
    .where(USERS.c.id == ROW_KEY)
    .values(passkey_declined_at=bindparam("moment", type_=UTCDateTime()))
)


def known(user_id: str) -> list[str]:
    """Return the credential ids of the account's passkeys."""
    return [factor.credential_id or "" for factor in _of_user.all(key=user_id)]


def may_offer(user: User) -> bool:
    """Return True if the account can add its first passkey and has not declined the offer."""
    confirmed = user.email_verified or not settings.current().has_mail
    wanted = bool(user.password_hash) and user.passkey_declined_at is None
    return confirmed and wanted and not known(user.id)


@atomic
def decline(actor: Actor) -> None:
    """Stop offering a passkey to the actor, who can still add one."""
    _decline.run(key=actor.id, moment=now())


def creation(user: User, challenge: Challenge) -> dict[str, Any]:
    """Return the WebAuthn creation options for a user who has proved their identity.

    Raises EmailUnconfirmed.
    """
    credentials.require_confirmed(user)
    return webauthn_messages.creation(challenge, user, known(user.id))


def add(
    actor: Actor, name: str, credential: str, challenge: Challenge, default_name: str = ""
) -> list[str]:
    """Store a new passkey. Return recovery codes if it is the first factor.

    Without a `name` the passkey gets the name of its provider or `default_name`. Raises Invalid,
    InvalidToken, Conflict, EmailUnconfirmed.
    """
    made, aaguid = webauthn_messages.made(credential, challenge)
    name = name.strip() or passkey_providers.name_of(aaguid) or default_name
    return _add(actor, text_rules.name(name, NAME_MAX), made, challenge)


@atomic
def _add(actor: Actor, name: str, made: dict[str, Any], challenge: Challenge) -> list[str]:
    credentials.require_live(actor, actor.id, confirmed=True)
    if len(known(actor.id)) >= NUMBER_MAX:
        raise Conflict(f"An account can have at most {NUMBER_MAX} passkeys.")
    blank: dict[str, Any] = dict.fromkeys(column.name for column in FACTORS.columns)
    moment = now()
    row = {"id": uuid7(), "user_id": actor.id, "kind": "passkey", "name": name}
    try:
        _insert.run(**{**blank, **row, **made, "created_at": moment, "confirmed_at": moment})
    except UniqueViolation as error:
        raise Conflict("This passkey is registered already.") from error
    try:
        spent_challenges.spend(challenge)
    except UniqueViolation as error:
        raise Conflict("The page was sent twice. Try again.") from error
    return factors.added(actor, "passkey", name)


def authenticate(origin: Actor, credential: str, challenge: Challenge) -> User:
    """Return the user who owns the passkey (passwordless sign-in with user verification).

    Raises BadCredentials, UnknownPasskey if no account has the passkey, both audited, and
    TooManyRequests after too many failures.
    """
    sent = webauthn_messages.read(credential)
    account = throttle.account_of(None, f"passkey {sent['id']}")
    throttle.check(account, origin.address)
    factor = _get.one(key=sent["id"])
    count = _count_of(factor, sent, challenge, verified=True)
    settle = partial(throttle.settle, account, origin.address)
    owner = factor.user_id if factor is not None else None
    if not _accept(origin, owner, factor, count, challenge, settle) or factor is None:
        kind = BadCredentials if factor is not None else UnknownPasskey
        raise kind("This passkey does not sign you in here.")
    throttle.trust(throttle.account_of(factor.user_id, ""), origin.address)
    return users.get(origin.as_user(factor.user_id), factor.user_id)


def prove(
    origin: Actor, user_id: str, credential: str, challenge: Challenge, *, verified: bool
) -> None:
    """Check a passkey of the user as a second factor or, if `verified`, as a proof of identity.

    `verified` requires user verification by the device. Raises BadOtp, audited, and
    TooManyRequests as for codes.
    """
    account = throttle.account_of_codes(users.get(origin.as_user(user_id), user_id), "passkeys")
    throttle.check_codes(account)
    sent = webauthn_messages.read(credential)
    factor = _get.one(key=sent["id"])
    if factor is not None and factor.user_id != user_id:
        factor = None
    count = _count_of(factor, sent, challenge, verified=verified)
    settle = partial(throttle.settle_code, account, origin.address)
    if not _accept(origin, user_id, factor, count, challenge, settle):
        raise BadOtp("This passkey does not sign you in here.")


def _count_of(
    factor: Factor | None, sent: dict[str, Any], challenge: Challenge, *, verified: bool
) -> int | None:
    if factor is None or webauthn_messages.names_another(sent, factor.user_id):
        return None
    return webauthn_messages.count_of(sent, factor.public_key or "", challenge, verified=verified)


def _accept(
    origin: Actor,
    user_id: str | None,
    factor: Factor | None,
    count: int | None,
    challenge: Challenge,
    settle: Callable[..., None],
) -> bool:
    """Spend the challenge and return True if the answer is right. `settle` counts the attempt.

    An answer to a spent challenge (a double click) is refused but does not count as a guess.
    """
    guess = True
    try:
        if factor is not None and count is not None and _use_once(factor, count, challenge, settle):
            return True
    except UniqueViolation:
        guess = False
    _refuse(origin, user_id, settle if guess else None)
    return False


@atomic
def _use_once(
    factor: Factor, count: int, challenge: Challenge, settle: Callable[..., None]
) -> bool:
    """Spend the challenge. Return False if the counter did not increase.

    Raises UniqueViolation if the challenge was spent before.
    """
    if not _use.run(key=factor.id, count=count, moment=now()):
        return False
    spent_challenges.spend(challenge)
    settle(succeeded=True)
    return True


@atomic
def _refuse(origin: Actor, user_id: str | None, settle: Callable[..., None] | None) -> None:
    if settle is not None:
        settle(succeeded=False)
    audit.record(origin, "factor.refused", user_id)

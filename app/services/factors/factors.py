"""The second factors of an account: listed, required, removed.

Only a confirmed factor counts. The first factor creates the recovery codes, and the removal of the
last one deletes them. A new factor ends all other sign-ins, which were made without the factor.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from app import settings
from app.errors import OtpRequired
from app.models import FACTORS, Factor, User
from app.models.types import UTCDateTime
from app.services.authentication import authentication, credentials
from app.services.factors import recovery_codes
from app.services.outbox import mails
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

SET_UP = {"profile:read", "profile:write"}  # the scopes that set up a factor

_counts = Factor.confirmed_at.is_not(None)
_any = Statement[Factor](select(Factor.id).where(Factor.user_id == ROW_KEY, _counts).limit(1))
_any_passkey = Statement[Factor](
    select(Factor.id).where(Factor.user_id == ROW_KEY, Factor.kind == "passkey", _counts).limit(1)
)
_one = (FACTORS.c.id == ROW_KEY, Factor.user_id == bindparam("of_user"), _counts)
_get = Statement[Factor](select(*FACTORS.c).where(*_one))
_delete_added = Statement[Factor](
    delete(Factor)
    .where(
        Factor.user_id == ROW_KEY,
        Factor.kind == bindparam("of_kind"),
        Factor.created_at <= bindparam("before", type_=UTCDateTime()),
        Factor.created_at >= bindparam("since", type_=UTCDateTime()),
    )
    .returning(Factor.name, Factor.confirmed_at)
)
_names = Statement[Factor](
    select(Factor.name).where(Factor.user_id == ROW_KEY, _counts).order_by(Factor.id)
)
_delete = Statement[Factor](delete(Factor).where(*_one))
_delete_all = Statement[Factor](
    delete(Factor).where(Factor.user_id == ROW_KEY).returning(Factor.kind, Factor.confirmed_at)
)


def has(user_id: str) -> bool:
    """Return True if a sign-in to the account needs a second factor."""
    return _any.one(key=user_id) is not None


def number(user_id: str) -> int:
    """Return the number of confirmed factors of the account."""
    return len(_names.all(key=user_id))


def require_none(user_id: str) -> None:
    """Raise OtpRequired if the account has a factor.

    Call it in the transaction of the sign-in, because another request may add a factor meanwhile.
    """
    if has(user_id):
        raise OtpRequired("Enter the code of your second factor as well.")


def restrict(actor: Actor) -> Actor:
    """Return the actor, with fewer scopes if the account lacks a factor that the settings require.

    REQUIRE_MFA and REQUIRE_ADMIN_MFA=passkey leave only the scopes SET_UP. REQUIRE_ADMIN_MFA=1
    removes the scope "admin".
    """
    current = settings.current()
    required = current.required_factor(actor.role)
    if required:
        if (_any_passkey if required == "passkey" else _any).one(key=actor.id) is not None:
            return actor
        return replace(actor, scopes=actor.scopes & SET_UP, missing_factor=required, confined=True)
    limited = current.require_admin_mfa == "1" and "admin" in actor.scopes
    if not limited or has(actor.id):
        return actor
    return replace(actor, scopes=actor.scopes - {"admin"}, missing_factor="factor")


def after_reset(user: User) -> str:
    """Return a sentence for the admin who removed the factors: how the owner signs in next."""
    if user.password_hash:
        return f"{user.username} signs in with the password only now."
    return f"{user.username} has no password and cannot sign in: send a link that sets one."


def page(actor: Actor, request: PageRequest = FIRST_PAGE) -> Page[Factor]:
    """Return the actor's confirmed factors, the newest first."""
    conditions = [Factor.user_id == actor.id, _counts]
    return paging.read(Factor, conditions, request)


def names(actor: Actor, user_id: str) -> list[str]:
    """Return the names of a user's confirmed factors, for an admin."""
    actor.require_admin()
    return [factor.name for factor in _names.all(key=user_id)]


def get(actor: Actor, factor_id: str) -> Factor:
    """Return one of the actor's confirmed factors. Raises NotFound."""
    return require_found(_get.one(key=factor_id, of_user=actor.id), "factor")


def added(actor: Actor, kind: str, name: str) -> list[str]:
    """Complete a new factor in its transaction. Return recovery codes if it is the first factor.

    Ends every other page session and token pair (ASVS 5.0, 7.4.3).
    """
    credentials.end_sign_ins(actor.id, except_for=actor)
    audit.record(actor, "factor.added", actor.id, {kind: [None, name]})
    notice = "passkey_added" if kind == "passkey" else "factor_added"
    mails.notify(actor, users.get(actor, actor.id), notice)
    return [] if recovery_codes.left(actor.id) else recovery_codes.make(actor.id)


def remove(actor: Actor, factor_id: str, current_password: str | None) -> None:
    """Remove one of the actor's factors.

    Raises NotFound, Conflict if no way to sign in remains, and the errors of authentication.again.
    """
    get(actor, factor_id)
    authentication.again(actor, current_password)
    _remove(actor, factor_id)


@atomic
def _remove(actor: Actor, factor_id: str) -> None:
    credentials.require_live(actor, actor.id)
    factor = get(actor, factor_id)
    _delete.run(key=factor.id, of_user=actor.id)
    user = users.get(actor, actor.id)
    authentication.require_another_sign_in(user)
    if not has(actor.id):
        recovery_codes.remove(actor.id)
    audit.record(actor, "factor.removed", actor.id, {factor.kind: [factor.name, None]})
    mails.notify(actor, user, "passkey_removed" if factor.kind == "passkey" else "factor_removed")


def remove_passkeys(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> int:
    """Remove the passkeys added from `since` to `before`. Return their number."""
    return _remove_added(actor, user_id, "passkey", before, since)


def remove_apps(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> int:
    """Remove the authenticator apps added from `since` to `before`. Return their number."""
    return _remove_added(actor, user_id, "totp", before, since)


@atomic
def _remove_added(actor: Actor, user_id: str, kind: str, before: datetime, since: datetime) -> int:
    added_then = _delete_added.all(key=user_id, of_kind=kind, before=before, since=since)
    removed = [factor for factor in added_then if factor.confirmed_at is not None]
    for factor in removed:
        audit.record(actor, "factor.removed", user_id, {kind: [factor.name, None]})
    if not has(user_id):
        recovery_codes.remove(user_id)
    return len(removed)


@atomic
def reset(actor: Actor, user: User) -> None:
    """Remove all factors and recovery codes of a user who lost them, as an admin.

    Ends every sign-in of the account. The next sign-in needs the password only. Raises Forbidden,
    ReauthenticationRequired.
    """
    actor.require_admin()
    authentication.require_recent_admin(actor)
    credentials.hold(user.id)
    removed = _delete_all.all(key=user.id)
    kinds = [factor.kind for factor in removed if factor.confirmed_at is not None]
    if not kinds:
        return
    recovery_codes.remove(user.id)
    credentials.end_sign_ins(user.id, except_for=Actor())
    audit.record(actor, "factor.reset", user.id, {"factors": [kinds, []]})
    mails.notify(actor, user, "factors_reset")

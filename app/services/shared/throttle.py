"""The limits of failed sign-ins and new accounts, counted in the database for all workers and
replicas. An IPv6 address counts as its network (app/services/shared/client_networks.py).

The limit for a whole account does not apply to a network from which the owner has signed in or set
a password by a link before, so that strangers elsewhere cannot lock the owner out there (ASVS 5.0,
6.3.1 and 6.1.1).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from app import settings
from app.errors import Conflict, TooManyRequests
from app.models import SIGN_IN_ATTEMPTS, SignInAttempt, User
from app.models.sign_in_attempt import (
    ACCOUNT_MAX,
    ACCOUNT_WINDOW,
    ADDRESS_MAX,
    ADDRESS_WINDOW,
    CODE_LIMITS,
    PAIR_MAX,
    PAIR_WINDOW,
    SIGN_UPS_MAX,
    SIGN_UPS_WINDOW,
    TAKEN_MAX,
    TAKEN_WINDOW,
)
from app.models.types import UTCDateTime, now, uuid7
from app.services.shared import advisory_locks
from app.services.shared.client_networks import network_of
from app.sql import Statement, atomic

CODE_KINDS = ("codes", "recovery codes", "passkeys")  # each with its own budget

_account = SignInAttempt.account == bindparam("account")
_address = SignInAttempt.address == bindparam("address")
_attempts = select(
    func.count().label("number"), func.min(SignInAttempt.created_at).label("oldest")
).where(SignInAttempt.created_at > bindparam("start", type_=UTCDateTime()))
_failures = _attempts.where(SignInAttempt.succeeded.is_(False))
_all = Statement[Any](_attempts.where(_account))
_of_pair = Statement[Any](_failures.where(_account, _address))
_of_address = Statement[Any](_failures.where(_address))
_of_account = Statement[Any](_failures.where(_account))
_own_address = Statement[SignInAttempt](
    select(SignInAttempt.id).where(_account, _address, SignInAttempt.succeeded).limit(1)
)
_insert = Statement[SignInAttempt](insert(SIGN_IN_ATTEMPTS))


def account_of(user_id: str | None, identifier: str) -> str:
    """Return the counter of an attempt: of the account, or of an identifier without account."""
    return hashlib.sha256((user_id or identifier.strip().lower()).encode()).hexdigest()


def account_of_codes(user: User, kind: str) -> str:
    """Return the counter of second factors of this kind, which follow a right password.

    A new password starts a new counter, so that nobody with the old password can lock the owner
    out.
    """
    epoch = hashlib.sha256(user.password_hash.encode()).hexdigest()
    return hashlib.sha256(f"{kind} of {user.id} under {epoch}".encode()).hexdigest()


def check(account: str, address: str) -> None:
    """Raise TooManyRequests above a limit, before the password's expensive check."""
    moment = now()
    values = {"account": account, "address": network_of(address)}
    _check_limit(_of_pair, PAIR_MAX, PAIR_WINDOW, moment, values)
    _check_limit(_of_address, ADDRESS_MAX, ADDRESS_WINDOW, moment, values)
    if not is_known(account, address):
        _check_limit(_of_account, ACCOUNT_MAX, ACCOUNT_WINDOW, moment, values)


def check_codes(account: str) -> None:
    """Raise TooManyRequests after too many failures of the counter, from any address."""
    moment = now()
    for number, window in CODE_LIMITS:
        _check_limit(_of_account, number, window, moment, {"account": account})


@atomic
def settle_code(account: str, address: str, *, succeeded: bool) -> None:
    """Count a checked code. Raises TooManyRequests if concurrent attempts reached the limit."""
    advisory_locks.wait(f"sign-in account {account}")
    check_codes(account)
    _count(account, address, succeeded)


@atomic
def settle(account: str, address: str, *, succeeded: bool) -> None:
    """Count a checked attempt. Raises TooManyRequests if concurrent attempts reached the limit.

    So no more concurrent attempts than the limit learn whether the password was right.
    """
    advisory_locks.wait(f"sign-in account {account}")
    advisory_locks.wait(f"sign-in address {network_of(address)}")
    check(account, address)
    _count(account, address, succeeded)


def _count(account: str, address: str, succeeded: bool) -> None:
    values = {"account": account, "address": network_of(address), "succeeded": succeeded}
    _insert.run(id=uuid7(), **values, created_at=now())


def trust(account: str, address: str) -> None:
    """Record a sign-in by a proof that nobody can guess, which has no limit."""
    _count(account, address, True)


def is_known(account: str, address: str) -> bool:
    """Return True if the owner has signed in from this network before."""
    return _own_address.one(account=account, address=network_of(address)) is not None


@atomic
def count_sign_up(address: str) -> None:
    """Count a new account from `address`. Raises TooManyRequests."""
    key = account_of(None, f"sign-up from {network_of(address)}")
    advisory_locks.wait(f"sign-up {key}")
    require_fewer(key, SIGN_UPS_MAX, SIGN_UPS_WINDOW, "Too many new accounts from your network.")
    note(key)


@contextmanager
def few_taken_names(who: str) -> Iterator[None]:
    """Limit the taken names that `who` (a network or an account) learns of to TAKEN_MAX.

    A command ("") has no limit. Raises TooManyRequests before the block, and in place of a Conflict
    above the limit. The Conflict has rolled back its own transaction, so another one counts it.
    """
    if not who or not settings.current().limit_sign_ups:
        yield
        return
    key = account_of(None, f"taken names for {who}")
    require_fewer(key, TAKEN_MAX, TAKEN_WINDOW, "Too many names that are taken.")
    try:
        yield
    except Conflict as error:
        if error.fields:
            _count_taken_name(key)
        raise


@atomic
def _count_taken_name(key: str) -> None:
    advisory_locks.wait(f"taken names {key}")
    require_fewer(key, TAKEN_MAX, TAKEN_WINDOW, "Too many names that are taken.")
    note(key)


def note(key: str) -> None:
    """Count one event of any other kind, under a key of account_of."""
    _insert.run(id=uuid7(), account=key, address="", succeeded=True, created_at=now())


def number(key: str, window: timedelta) -> int:
    """Return the number of events of a key within the window."""
    count: int = _all.scalar(account=key, start=now() - window)
    return count


def require_fewer(key: str, limit: int, window: timedelta, why: str) -> None:
    """Raise TooManyRequests with `why` if a key has reached the limit."""
    _check_limit(_all, limit, window, now(), {"account": key}, why)


def _check_limit(
    attempts: Statement[Any],
    limit: int,
    window: timedelta,
    moment: datetime,
    values: dict[str, Any],
    why: str = "Too many failed sign-ins.",
) -> None:
    counted = attempts.one(**values, start=moment - window)
    if counted is not None and counted.number >= limit:
        wait = counted.oldest + window - moment
        raise TooManyRequests(why, int(wait.total_seconds()) + 1)

"""Failed sign-ins, and mails that anybody may ask for, are counted in the database, right across
every worker and replica. An address of IPv6 counts as its network (app/services/networks.py).

Nobody can lock the owner out: the limit for a whole account does not hold an address from which the
owner has signed in before (ASVS 5.0, 6.3.1 and 6.1.1).
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from app.errors import TooManyRequests
from app.models import SignInAttempt
from app.models.sign_in_attempt import (
    ACCOUNT_MAX,
    ACCOUNT_WINDOW,
    ADDRESS_MAX,
    ADDRESS_WINDOW,
    ASKED_MAX,
    ASKED_WINDOW,
    CODE_LIMITS,
    MAILS_MAX,
    MAILS_WINDOW,
    PAIR_MAX,
    PAIR_WINDOW,
)
from app.models.types import UTCDateTime, now, uuid7
from app.services import locks
from app.services.networks import network_of
from app.sql import Statement, atomic

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
_insert = Statement[SignInAttempt](insert(SignInAttempt.__table__))  # type: ignore[arg-type]


def account_of(user_id: str | None, identifier: str) -> str:
    """What an attempt is counted under: the account, or the name where there is none."""
    return hashlib.sha256((user_id or identifier.strip().lower()).encode()).hexdigest()


def account_of_codes(user_id: str) -> str:
    """What codes of its second factor are counted under, apart from its passwords: who does not
    have the password cannot keep the owner from entering a code.
    """
    return hashlib.sha256(f"second factor of {user_id}".encode()).hexdigest()


def check(account: str, address: str) -> None:
    """Raises TooManyRequests: asked before the password is looked at, which costs."""
    moment = now()
    values = {"account": account, "address": network_of(address)}
    _need(_of_pair, PAIR_MAX, PAIR_WINDOW, moment, values)
    _need(_of_address, ADDRESS_MAX, ADDRESS_WINDOW, moment, values)
    if _own_address.one(**values) is None:
        _need(_of_account, ACCOUNT_MAX, ACCOUNT_WINDOW, moment, values)


def check_codes(user_id: str) -> None:
    """Raises TooManyRequests after too many wrong codes of the account, wherever from."""
    moment, account = now(), account_of_codes(user_id)
    for number, window in CODE_LIMITS:
        _need(_of_account, number, window, moment, {"account": account})


@atomic
def settle_code(user_id: str, address: str, *, succeeded: bool) -> None:
    """Count a code whose end is known. Raises TooManyRequests where others came first."""
    account = account_of_codes(user_id)
    locks.wait(f"sign-in account {account}")
    check_codes(user_id)
    _count(account, address, succeeded)


@atomic
def settle(account: str, address: str, *, succeeded: bool) -> None:
    """Count an attempt whose end is known. Raises TooManyRequests where others came first.

    Of attempts made at once no more are answered than the limit lets through, right or wrong.
    """
    locks.wait(f"sign-in account {account}")
    locks.wait(f"sign-in address {network_of(address)}")
    check(account, address)
    _count(account, address, succeeded)


def _count(account: str, address: str, succeeded: bool) -> None:
    values = {"account": account, "address": network_of(address), "succeeded": succeeded}
    _insert.run(id=uuid7(), **values, created_at=now())


def trust(account: str, address: str) -> None:
    """Note a sign-in by a proof that nobody can guess, which is held to no limit."""
    _count(account, address, True)


@atomic
def count_mail(kind: str, to: str, address: str) -> None:
    """Count a mail of this kind, to an account or an address, that somebody at `address` asked for.

    Raises TooManyRequests. Whether there is such an account makes no difference.
    """
    address = network_of(address)
    limits = ((to, MAILS_MAX, MAILS_WINDOW), (f"from {address}", ASKED_MAX, ASKED_WINDOW))
    for who, limit, window in limits:
        account, moment = account_of(None, f"{kind} mail {who}"), now()
        locks.wait(f"mail {account}")
        _need(_all, limit, window, moment, {"account": account}, "Too many mails.")
        _insert.run(id=uuid7(), account=account, address=address, succeeded=True, created_at=moment)


def _need(
    attempts: Statement[Any],
    limit: int,
    window: timedelta,
    moment: datetime,
    values: dict[str, Any],
    why: str = "Too many failed logins.",
) -> None:
    found = attempts.one(**values, start=moment - window)
    if found is not None and found.number >= limit:
        wait = found.oldest + window - moment
        raise TooManyRequests(why, int(wait.total_seconds()) + 1)

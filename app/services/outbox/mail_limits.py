"""Limits of mails that somebody who need not be the owner of an address can have sent to it.

They are counted in the database, by the address that the mail goes to. Whether there is such an
account makes no difference.
"""

from app.models.sign_in_attempt import (
    ASKED_MAX,
    ASKED_WINDOW,
    MAILS_MAX,
    MAILS_PAUSE,
    MAILS_WINDOW,
)
from app.services.shared import advisory_locks, throttle
from app.sql import atomic


@atomic
def count(kind: str, to: str, by: str) -> None:
    """Count a mail of this kind to `to` that the account `by` asked for. Raises TooManyRequests."""
    for who, limit, window in (
        (to, MAILS_MAX, MAILS_WINDOW),
        (f"from {by}", ASKED_MAX, ASKED_WINDOW),
    ):
        key = _held(kind, who)
        throttle.require_fewer(key, limit, window, "Too many mails.")
        throttle.note(key)


@atomic
def take(kind: str, to: str) -> bool:
    """Count a mail of this kind and return True, or False where too many went to `to` today."""
    key = _held(kind, to)
    if throttle.number(key, MAILS_WINDOW) >= MAILS_MAX:
        return False
    throttle.note(key)
    return True


@atomic
def take_reset(to: str, account: str, address: str) -> bool:
    """Count a mail that sets a new password and return True, or False where it must not leave.

    One mail leaves in MAILS_PAUSE and MAILS_MAX leave in a day. A network from which the owner of
    `account` has signed in before is not held to the limit of a day.
    """
    key = _held("reset", to)
    known = throttle.is_known(account, address)
    paused = throttle.number(key, MAILS_PAUSE) > 0
    exhausted = throttle.number(key, MAILS_WINDOW) >= MAILS_MAX
    if paused or (exhausted and not known):
        return False
    throttle.note(key)
    return True


def _held(kind: str, who: str) -> str:
    """The key of a counter, which nobody else changes until the commit."""
    key = throttle.account_of(None, f"{kind} mail {who}")
    advisory_locks.wait(f"mail {key}")
    return key

"""Limits of mails that a person can request for an address of somebody else.

The database counts them by recipient. The limits are the same with and without an account.
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
    """Count a mail to `to`, requested by the account `by`. Raises TooManyRequests."""
    for counted, limit, window in (
        (to, MAILS_MAX, MAILS_WINDOW),
        (f"from {by}", ASKED_MAX, ASKED_WINDOW),
    ):
        key = _lock_counter(kind, counted)
        throttle.require_fewer(key, limit, window, "Too many mails.")
        throttle.note(key)


@atomic
def take(kind: str, to: str) -> bool:
    """Count a mail to `to` and return True, or return False if the day's limit is reached."""
    key = _lock_counter(kind, to)
    if throttle.number(key, MAILS_WINDOW) >= MAILS_MAX:
        return False
    throttle.note(key)
    return True


@atomic
def take_reset(to: str, account: str, address: str) -> bool:
    """Count a password reset mail and return True, or return False if a limit is reached.

    The limits are one mail in MAILS_PAUSE and MAILS_MAX in MAILS_WINDOW. The second one does not
    apply to a network from which the owner of `account` has signed in before.
    """
    key = _lock_counter("reset", to)
    known = throttle.is_known(account, address)
    paused = throttle.number(key, MAILS_PAUSE) > 0
    exhausted = throttle.number(key, MAILS_WINDOW) >= MAILS_MAX
    if paused or (exhausted and not known):
        return False
    throttle.note(key)
    return True


def _lock_counter(kind: str, who: str) -> str:
    """Lock a counter until the commit and return its key."""
    key = throttle.account_of(None, f"{kind} mail {who}")
    advisory_locks.wait(f"mail {key}")
    return key

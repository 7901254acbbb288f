"""Proving a second factor after the password: by a code of the app, or by a recovery code."""

from app.errors import BadOtp
from app.services import audit, recovery_codes, throttle, totp
from app.services.actor import Actor
from app.sql import atomic


def prove(origin: Actor, user_id: str, otp: str) -> None:
    """Whoever gave the account's password gives a code too, which is used by that.

    Raises BadOtp, audited, and TooManyRequests after too many of them.
    """
    throttle.check_codes(user_id)
    if not _proved(origin, user_id, otp):
        raise BadOtp("This code is wrong, too old or was used before.")


@atomic
def _proved(origin: Actor, user_id: str, otp: str) -> bool:
    person = origin.as_user(user_id)
    fits = totp.spend(user_id, otp) or recovery_codes.spend(person, otp)
    throttle.settle_code(user_id, origin.address, succeeded=fits)
    if not fits:
        audit.record(origin, "factor.refused", user_id)
    return fits

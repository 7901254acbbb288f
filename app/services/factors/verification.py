"""Proof of a second factor after the password, by a code of the app or a recovery code."""

from app.errors import BadOtp
from app.services.factors import recovery_codes, totp
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import atomic


def prove(origin: Actor, user_id: str, otp: str) -> bool:
    """Check and spend a code, after the password. Return True if it is a recovery code.

    Failures of app codes and of recovery codes are counted separately, so that one kind does not
    block the other. Raises BadOtp, audited, and TooManyRequests after too many failures.
    """
    user = users.get(origin.as_user(user_id), user_id)
    account = throttle.account_of_codes(user, "codes" if totp.is_code(otp) else "recovery codes")
    throttle.check_codes(account)
    if not _prove_in_transaction(origin, user_id, otp, account):
        raise BadOtp("This code is wrong, too old or was used before.")
    return not totp.is_code(otp)


@atomic
def _prove_in_transaction(origin: Actor, user_id: str, otp: str, account: str) -> bool:
    person = origin.as_user(user_id)
    fits = totp.spend(user_id, otp) or recovery_codes.spend(person, otp)
    # A spent code (a double click) is refused but does not count as a guess.
    if fits or not (totp.was_spent(user_id, otp) or recovery_codes.was_spent(user_id, otp)):
        throttle.settle_code(account, origin.address, succeeded=fits)
    if not fits:
        audit.record(origin, "factor.refused", user_id)
    return fits

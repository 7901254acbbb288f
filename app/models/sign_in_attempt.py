"""Sign-in attempts by account and address, and other events that limits count."""

from datetime import datetime, timedelta

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7

# The number of failures before attempts are refused, and the time window of the count.
PAIR_MAX, PAIR_WINDOW = 10, timedelta(minutes=5)  # one account from one address
ADDRESS_MAX, ADDRESS_WINDOW = 100, timedelta(minutes=5)
ACCOUNT_MAX, ACCOUNT_WINDOW = 100, timedelta(hours=1)
# Limits for second factor codes of an account. Only a person with the password can try codes.
CODE_LIMITS = (
    (5, timedelta(minutes=5)),
    (20, timedelta(hours=1)),
    (50, timedelta(days=1)),
)
# Mails of one kind that anybody can request for an address, the pause between two password resets,
# and the confirmations that one account can request.
MAILS_MAX, MAILS_WINDOW, MAILS_PAUSE = 10, timedelta(days=1), timedelta(minutes=5)
ASKED_MAX, ASKED_WINDOW = 20, timedelta(hours=1)
SIGN_UPS_MAX, SIGN_UPS_WINDOW = 20, timedelta(hours=1)  # from one network
# Responses with a taken username or address, for one network or account (ASVS 5.0, 6.3.8).
TAKEN_MAX, TAKEN_WINDOW = 100, timedelta(hours=1)
KEPT = timedelta(days=90)  # the time for which an address counts as the owner's


class SignInAttempt(Base):
    __tablename__ = "sign_in_attempts"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(64))  # a hash: a user may type a password here
    address: Mapped[str] = mapped_column(String(45))
    succeeded: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)


SIGN_IN_ATTEMPTS = table_of(SignInAttempt)

RESOURCE = Resource(
    name="sign_in_attempt",
    model=SignInAttempt,
    admin=None,
    events=None,
    purge=Purge("sign-in attempts", SignInAttempt.created_at, KEPT),
    export=True,
)

Index("ix_sign_in_attempts_account", SignInAttempt.account, SignInAttempt.created_at)
Index("ix_sign_in_attempts_address", SignInAttempt.address, SignInAttempt.created_at)

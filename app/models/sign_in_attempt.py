"""Attempts to sign in, for counting: which account (or name), from where, with what end."""

from datetime import datetime, timedelta

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.types import Id, UTCDateTime, now, uuid7

# Failures after which the next one is refused, and the time in which they are counted.
PAIR_MAX, PAIR_WINDOW = 10, timedelta(minutes=5)  # one account from one address
ADDRESS_MAX, ADDRESS_WINDOW = 100, timedelta(minutes=5)
ACCOUNT_MAX, ACCOUNT_WINDOW = 100, timedelta(hours=1)
# Of the codes of one account's second factor, which only who has its password comes to.
CODE_LIMITS = (
    (5, timedelta(minutes=5)),
    (20, timedelta(hours=1)),
    (50, timedelta(days=1)),
)
# Mails of one kind to one address that somebody who need not be its owner can have sent, the pause
# between two that set a password, and confirmations that one account can have sent.
MAILS_MAX, MAILS_WINDOW, MAILS_PAUSE = 10, timedelta(days=1), timedelta(minutes=5)
ASKED_MAX, ASKED_WINDOW = 20, timedelta(hours=1)
SIGN_UPS_MAX, SIGN_UPS_WINDOW = 20, timedelta(hours=1)  # from one network
# Answers that a username or address is taken, to one network or account (ASVS 5.0, 6.3.8).
TAKEN_MAX, TAKEN_WINDOW = 100, timedelta(hours=1)
KEPT = timedelta(days=90)  # how long an address counts as one of the owner's


class SignInAttempt(Base):
    __tablename__ = "sign_in_attempts"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(64))  # a hash: what was typed may be a password
    address: Mapped[str] = mapped_column(String(45))
    succeeded: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)


SIGN_IN_ATTEMPTS = table_of(SignInAttempt)

Index("ix_sign_in_attempts_account", SignInAttempt.account, SignInAttempt.created_at)
Index("ix_sign_in_attempts_address", SignInAttempt.address, SignInAttempt.created_at)

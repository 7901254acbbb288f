"""Second factors, and recovery codes for a lost factor."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import SEALED, Id, PlainText, UTCDateTime, now, uuid7

KINDS = ("totp", "passkey")
NAME_MAX = 100
APPS_MAX = 5  # authenticator apps of an account: a new phone is added before the old one is removed


class Factor(Base):
    """An authenticator app (RFC 6238) or a passkey (WebAuthn Level 2)."""

    __tablename__ = "factors"
    __table_args__ = (CheckConstraint(f"kind IN {KINDS}", "kind"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    secret: Mapped[str | None] = mapped_column(String(255), info=SEALED)  # of TOTP
    last_step: Mapped[int | None] = mapped_column(BigInteger)  # of TOTP: a code is valid once
    credential_id: Mapped[str | None] = mapped_column(PlainText)  # of a passkey, base64url
    public_key: Mapped[str | None] = mapped_column(PlainText)  # of a passkey, base64url
    sign_count: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # None: does not count yet
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


FACTORS = table_of(Factor)

RESOURCE = Resource(
    name="factor",
    model=Factor,
    person=(Factor.user_id,),
    admin=None,
    events=None,
    actions=("factor.added", "factor.refused", "factor.removed", "factor.reset"),
    target="user",
    words=("totp", "passkey"),
    export=True,
)

Index("uq_factors_credential", Factor.credential_id, unique=True)


class RecoveryCode(Base):
    """A code that works once in place of a factor."""

    __tablename__ = "recovery_codes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


RECOVERY_CODES = table_of(RecoveryCode)

CODES_RESOURCE = Resource(
    name="recovery_code",
    model=RecoveryCode,
    person=(RecoveryCode.user_id,),
    admin=None,
    events=None,
    actions=("recovery_code.used", "recovery_codes.made"),
    target="user",
    export=True,
)

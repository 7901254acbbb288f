"""User accounts and the limits of their fields."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import Id, UTCDateTime, now, uuid7

USERNAME_MIN, USERNAME_MAX = 3, 80
USERNAME_PATTERN = r"[A-Za-z0-9._-]+"
EMAIL_MAX = 254  # RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
EMAIL_LOCAL_MAX = 64  # before the @: RFC 5321, 4.5.3.1.1
PASSWORD_MAX = 128  # code points
ROLES = ("user", "admin")
NO_ADDRESS = "removed.invalid"  # the domain of an account without an address


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"length(username) BETWEEN {USERNAME_MIN} AND {USERNAME_MAX}", "username"),
        CheckConstraint(f"role IN {ROLES}", "role"),
        CheckConstraint("version >= 1", "version"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    username: Mapped[str] = mapped_column(String(USERNAME_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="user")
    # The linked account whose groups gave the role; None for a role given by hand. The account may
    # be unlinked since, because the last admin keeps the role.
    role_from: Mapped[str | None] = mapped_column(Id)
    is_active: Mapped[bool] = mapped_column(default=True)
    email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)
    passkey_declined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the offer


USERS = table_of(User)

RESOURCE = Resource(
    name="user",
    model=User,
    title=User.username,
    admin="admin.users.index",
    events=None,
    scopes={
        "profile:read": "read your account and export it",
        "profile:write": "change your account and its tokens",
        "admin": "use all admin operations",
    },
    actions=(
        "user.confirmation_requested",
        "user.created",
        "user.deleted",
        "user.email_confirmed",
        "user.email_removed",
        "user.email_restored",
        "user.exported",
        "user.invited",
        "user.password_changed",
        "user.password_removed",
        "user.reset_requested",
        "user.updated",
    ),
    words=("username", "email"),
    export="The account itself leads the export.",
)

# Names are unique without case. An index also guards against concurrent requests.
Index("uq_users_username", func.lower(User.username), unique=True)
Index("uq_users_email", func.lower(User.email), unique=True)
Index("ix_users_created_at", User.created_at, User.id)


def no_address(user_id: str) -> str:
    """Return the value of `users.email` for an account without an address.

    The domain is reserved (RFC 2606, 2): nobody can register with it, and no mail is sent to it.
    """
    return f"{user_id}@{NO_ADDRESS}"


def has_address(email: str) -> bool:
    """Return True unless `email` is a value of `no_address`."""
    return not email.endswith(f"@{NO_ADDRESS}")

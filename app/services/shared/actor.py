"""Who is acting, and from where. Every use case is handed one; every audit event names it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.errors import FactorRequired, Forbidden, InsufficientScope
from app.models.token import SCOPES

MISSING = {
    "factor": "Your account needs a second factor here. Set one up first.",
    "passkey": "Your account needs a passkey here. Add one in a browser first.",
}


@dataclass(slots=True, frozen=True)
class Actor:
    """A person, by a token or a page session. `id` is "" for a stranger and for a command."""

    id: str = ""
    username: str = ""
    role: str = "user"
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None
    family_id: str | None = None
    session_id: str | None = None
    signed_in_at: datetime | None = None  # or proved it once more; None for a personal token
    missing_factor: Literal["", "factor", "passkey"] = ""  # that the settings require
    confined: bool = False  # to setting it up, where more than an admin's rights depend on it
    email_verified: bool = True  # of a page session; the services ask the account itself
    address: str = ""
    request_id: str = ""
    user_agent: str = ""  # of pages: it names the device in a notice

    @property
    def is_admin(self) -> bool:
        """Whether an admin's rights are in use: a token of an admin may be made without them."""
        return self.role == "admin" and "admin" in self.scopes

    def as_user(self, user_id: str) -> "Actor":
        """Somebody who has proved who they are, where a stranger was until now."""
        return Actor(
            id=user_id,
            address=self.address,
            request_id=self.request_id,
            user_agent=self.user_agent,
        )

    def require_scope(self, scopes: Collection[str]) -> None:
        """Raises InsufficientScope unless one of `scopes` is held, or none is asked for; and
        FactorRequired where the scope is lacking for want of a factor.
        """
        if scopes and self.scopes.isdisjoint(scopes):
            if self.confined or "admin" in scopes:
                self.require_factor()
            raise InsufficientScope(" ".join(scopes))

    def owner_or_self(self, user_id: str | None) -> str:
        """Whose things are meant: the actor's own, or an admin's choice. Raises Forbidden."""
        if user_id is not None and user_id != self.id:
            self.require_admin()
        return user_id or self.id

    def require_admin(self) -> None:
        """Raises Forbidden, FactorRequired."""
        self.require_factor()
        if not self.is_admin:
            raise Forbidden("Only an admin may do that.")

    def require_factor(self) -> None:
        """Raises FactorRequired where the account lacks a factor that the settings require."""
        if self.missing_factor:
            raise FactorRequired(MISSING[self.missing_factor])


SYSTEM = Actor(role="admin", scopes=frozenset(SCOPES))  # a command on the machine itself


def scopes_of(role: str) -> frozenset[str]:
    """All that a person of this role may hold."""
    return frozenset(SCOPES) if role == "admin" else frozenset(SCOPES) - {"admin"}

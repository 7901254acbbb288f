"""The actor, with its client address: an argument of every use case, named in audit events."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.errors import FactorRequired, Forbidden, InsufficientScope
from app.models.registry import SCOPES

MISSING = {
    "factor": "Your account needs a second factor here. Set one up first.",
    "passkey": "Your account needs a passkey here. Add one in a browser first.",
}


@dataclass(slots=True, frozen=True)
class Actor:
    """A user of a token or a page session. `id` is "" for a stranger and for a command."""

    id: str = ""
    username: str = ""
    role: str = "user"
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None
    family_id: str | None = None
    session_id: str | None = None
    signed_in_at: datetime | None = None  # or last reauthenticated; None for a personal token
    missing_factor: Literal["", "factor", "passkey"] = ""  # required by the settings
    confined: bool = False  # may only set the factor up: more than admin rights depends on it
    email_verified: bool = True  # for pages only; the services read the account itself
    address: str = ""
    request_id: str = ""
    user_agent: str = ""  # of pages only: names the device in a notice

    @property
    def is_admin(self) -> bool:
        """True with admin rights: an admin's token may lack the scope "admin"."""
        return self.role == "admin" and "admin" in self.scopes

    def as_user(self, user_id: str) -> "Actor":
        """Return the actor for a stranger who has just authenticated."""
        return Actor(
            id=user_id,
            address=self.address,
            request_id=self.request_id,
            user_agent=self.user_agent,
        )

    def require_scope(self, scopes: Collection[str]) -> None:
        """Raise InsufficientScope unless the actor has one of `scopes` or `scopes` is empty.

        Raises FactorRequired if a missing factor is the reason.
        """
        if scopes and self.scopes.isdisjoint(scopes):
            if self.confined or "admin" in scopes:
                self.require_factor()
            raise InsufficientScope(" ".join(scopes))

    def owner_or_self(self, user_id: str | None) -> str:
        """Return `user_id` or the actor's own id. Raises Forbidden if neither self nor admin."""
        if user_id is not None and user_id != self.id:
            self.require_admin()
        return user_id or self.id

    def require_admin(self) -> None:
        """Raise Forbidden or FactorRequired unless the actor has admin rights."""
        self.require_factor()
        if not self.is_admin:
            raise Forbidden("Only an admin may do that.")

    def require_factor(self) -> None:
        """Raise FactorRequired if the account lacks a factor that the settings require."""
        if self.missing_factor:
            raise FactorRequired(MISSING[self.missing_factor])


STRANGER = Actor()
SYSTEM = Actor(role="admin", scopes=frozenset(SCOPES))  # a command on the server


def scopes_of(role: str) -> frozenset[str]:
    """Return all scopes that a user of this role may have."""
    return frozenset(SCOPES) if role == "admin" else frozenset(SCOPES) - {"admin"}

"""The account of a person at an OpenID provider, as the provider describes it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person as described by the provider: only `issuer` and `subject` identify them for good."""

    issuer: str
    subject: str
    email: str  # "" if the provider sent none or an invalid one
    email_verified: bool
    username: str  # the preferred username, or ""
    admin_groups: tuple[str, ...] = ()  # the client's admin groups that the person is in

"""The account of a person at an OpenID provider, as the provider describes it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who the provider says it is: for good by `issuer` and `subject`, by the rest for now."""

    issuer: str
    subject: str
    email: str  # "" where it told none that can be used
    email_verified: bool
    username: str  # what they would like to be called, perhaps ""
    admin_groups: tuple[str, ...] = ()  # those of the client's that they are a member of

"""`flask tokens ...`: personal access tokens for programs."""

from datetime import timedelta

import click

from app.cli.base import Group, find_user
from app.models.registry import SCOPES
from app.models.token import DAYS_MAX
from app.models.types import now
from app.services.access import personal_tokens
from app.services.shared.actor import SYSTEM

group = Group("tokens", help="Create personal access tokens.")


@group.command("create")
@click.argument("identifier")
@click.argument("more_scopes", nargs=-1, metavar="")
@click.option("--name", required=True, help="The purpose of the token.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    metavar="SCOPE...",
    help=f"Scopes of the token, one or more of: {', '.join(SCOPES)}.",
)
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    help="Days until expiry, at most PERSONAL_TOKEN_MAX_DAYS; 90 by default.",
)
def create(
    identifier: str,
    more_scopes: tuple[str, ...],
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
) -> None:
    """Create a token of the user with this email, username or id, and print it once."""
    # "--scope a --scope b", "--scope a b" and "--scope 'a b'" (RFC 6749, 3.3) mean the same.
    wanted = " ".join([*scopes, *more_scopes]).split()
    expires_at = None if days is None else now() + timedelta(days=days)
    _, secret = personal_tokens.create(SYSTEM, find_user(identifier), name, wanted, expires_at)
    click.echo(secret)

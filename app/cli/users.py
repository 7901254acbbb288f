"""`flask users ...`: creation of accounts, roles, deactivation and recovery."""

import sys
from typing import Any

import click
from flask import current_app

from app import settings
from app.cli.base import Group, find_user
from app.services.accounts import accounts, invitations, password_reset
from app.services.factors import factors
from app.services.shared.actor import SYSTEM
from app.services.users import registration

group = Group("users", help="Create accounts and change their rights.")


@group.command("create")
@click.argument("email")
@click.argument("username")
@click.option("--admin", is_flag=True, help="The account may see and change everything.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, username: str, admin: bool, password_stdin: bool) -> None:
    """Create an account and print its id."""
    password = _read_password(password_stdin)
    user = registration.register(SYSTEM, username, email, password, "admin" if admin else "user")
    click.echo(user.id)


def _read_password(from_stdin: bool) -> str:
    """Return the first line of standard input, or a password from a hidden prompt."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@group.command("invite")
@click.argument("email")
@click.argument("username")
@click.option("--admin", is_flag=True, help="The account may see and change everything.")
def invite(email: str, username: str, admin: bool) -> None:
    """Create an account whose owner sets the password with a link, mailed or else printed."""
    role = "admin" if admin else "user"
    if settings.current().has_mail:
        user = invitations.invite(SYSTEM, email, username, role)
        click.echo(f"Invitation to {user.email} queued.")
    else:
        secret = invitations.hand_over(SYSTEM, email, username, role)
        click.echo(f"{settings.current().public_url}/auth/invite/{secret}")


@group.command("promote")
@click.argument("identifier")
def promote(identifier: str) -> None:
    """Give the user with this email, username or id the role of an admin."""
    _update(identifier, {"role": "admin"}, "is an admin now")


@group.command("demote")
@click.argument("identifier")
def demote(identifier: str) -> None:
    """Remove the role of an admin from a user."""
    _update(identifier, {"role": "user"}, "is no longer an admin")


@group.command("deactivate")
@click.argument("identifier")
def deactivate(identifier: str) -> None:
    """Deactivate an account: its sessions and tokens end at once."""
    _update(identifier, {"is_active": False}, "is deactivated now")


@group.command("activate")
@click.argument("identifier")
def activate(identifier: str) -> None:
    """Activate a deactivated account."""
    _update(identifier, {"is_active": True}, "is active now")


@group.command("reset-password")
@click.argument("identifier")
def reset_password(identifier: str) -> None:
    """Print a link that sets a new password. It works once, within 24 hours."""
    secret = password_reset.make_link(SYSTEM, find_user(identifier))
    click.echo(f"{current_app.config['PUBLIC_URL']}/auth/reset/{secret}")


@group.command("reset-factors")
@click.argument("identifier")
def reset_factors(identifier: str) -> None:
    """Delete all second factors of a user who lost them."""
    user = find_user(identifier)
    factors.reset(SYSTEM, user)
    click.echo(factors.after_reset(user))


def _update(identifier: str, changes: dict[str, Any], outcome: str) -> None:
    user = accounts.update(SYSTEM, find_user(identifier).id, changes)
    click.echo(f"{user.username} {outcome}.")

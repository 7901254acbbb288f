"""`flask seed-demo`: an empty database gets people and tasks to look at."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.base import Command
from app.errors import Conflict
from app.product import NAME
from app.services.demo import seed as demo
from app.services.demo.seed import SignIn
from app.services.users import users

DATABASE_NAME, SIGN_IN_NAME = "flagstone.db", "demo_sign_in.txt"
NO_REMINDER = (
    "Sign in with an account of this database; flask users reset-password NAME makes a link."
)


@click.command("seed-demo", cls=Command)
@click.option("--if-empty", is_flag=True, help="Do nothing in a database that has users.")
@with_appcontext
def seed_demo(if_empty: bool) -> None:
    """Fill an empty database with an admin, a few users and their tasks of 60 days."""
    if users.is_empty():
        how = _filled(if_empty)
    elif not if_empty:
        raise click.ClickException("The database has users: only an empty one can be filled.")
    else:
        how = _kept()
    click.echo(f"\n  {NAME}: {current_app.config['PUBLIC_URL']}\n\n{how}\n")


def _filled(if_empty: bool) -> str:
    try:
        people = demo.seed()
    except Conflict:  # another `make run` fills it at this moment
        if if_empty:
            return _kept()
        raise
    how = _introduction(people)
    _keep(how)
    return how


def _introduction(people: list[SignIn]) -> str:
    lines = [f"    {who.username:<12} {who.email:<26} {who.password}" for who in people]
    return "\n".join(["  Sign in by username or email, with this password:", *lines])


def _keep(how: str) -> None:
    """Keep the passwords beside the embedded database, for its owner's eyes alone."""
    path = _reminder()
    if path is not None:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(how + "\n", encoding="utf-8")


def _kept() -> str:
    path = _reminder()
    if path is None or not path.exists():
        return f"  {NO_REMINDER}"
    return f"{path.read_text(encoding='utf-8')}  (kept in {path}; delete it when it is known)"


def _reminder() -> Path | None:
    """Where the demo's passwords are kept; None for any other database than the embedded one."""
    folder = Path(current_app.instance_path)
    embedded = (
        current_app.config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{folder / DATABASE_NAME}"
    )
    return folder / SIGN_IN_NAME if embedded else None
